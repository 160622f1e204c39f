"""One member in detail: how they joined, by whose invitation, and which roles they had."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guestlist import errors
from guestlist.models import Event, Invitation, Membership
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.dates import day, moment

EVENTS_SHOWN = 50


@require_safe
@member_page(Permission.MEMBER_MANAGE)
def show(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """A drawer for htmx, a page otherwise."""
    ours = Membership.objects.active().filter(organization=visit.organization)
    member = ours.select_related("role", "join_link", "invitation__domain").filter(pk=member_id).first()
    if member is None:
        raise errors.NotFound
    context = {
        "member": _member(visit, member),
        "facts": _facts(member),
        "history": _history(visit, member),
        "cancel_url": reverse("guestlist:members", args=[visit.organization.slug]),
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_member.html", context)
    return render(request, "guestlist/member.html", context | {"shell": shell(visit)})


def _member(visit: Visit, member: Membership) -> dict[str, Any]:
    slug, own = visit.organization.slug, visit.membership
    other = member.pk != own.pk
    above = bool(member.role and not member.role.permission_set <= own.permissions)
    return {
        "name": member.name or member.email,
        "email": member.email,
        "email_verified": member.email_verified,
        "you": not other,
        "remove_url": reverse("guestlist:remove_member", args=[slug, member.pk]),
        "transfer_url": reverse("guestlist:transfer_ownership", args=[slug, member.pk]),
        "can_remove": other and not above,
        "can_transfer": other and bool(own.role and own.role.fixed),
    }


def _facts(member: Membership) -> list[tuple[str, str]]:
    invitation = member.invitation
    facts = [
        (_("Role"), member.role.name if member.role else _("No role")),
        (_("Joined"), moment(member.joined_at)),
        (_("How"), _how(member)),
        (_("Invited by"), invitation.invited_by_name if invitation else ""),
        (_("Invited"), moment(invitation.invited_at) if invitation else ""),
        (_("Invited as"), invitation.email if invitation and invitation.key != member.email_key else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _how(member: Membership) -> str:
    match member.via:
        case Membership.Via.INVITATION:
            return _("By a mailed invitation")
        case Membership.Via.HAND_OVER:
            return _("By a link that was handed over")
        case Membership.Via.JOIN_LINK:
            named = member.join_link and {"name": member.join_link.name}
            return _("By the join link “%(name)s”") % named if named else _("By a join link")
        case Membership.Via.DOMAIN:
            return _by_domain(member.invitation)
        case Membership.Via.FOUNDED:
            return _("Created the organization")
        case Membership.Via.SET_UP:
            return _("By the set-up link")
    return _("Not recorded")


def _by_domain(invitation: Invitation | None) -> str:
    domain = invitation and invitation.domain
    if domain:
        return _("By an address at %(domain)s") % {"domain": domain.domain}
    return _("By an address at a verified domain")


def _history(visit: Visit, member: Membership) -> list[dict[str, Any]]:
    """What became of their role, newest first."""
    about = Event.objects.filter(
        organization=visit.organization, subject_type="member", subject_id=str(member.pk)
    )
    events = about.filter(type__in=("member.joined", "member.role_changed")).order_by("-number")
    return [
        {
            "label": _label(event),
            "by": event.actor_name,
            "at": day(event.at),
            "at_iso": event.at.isoformat(),
            "at_title": moment(event.at),
        }
        for event in events[:EVENTS_SHOWN]
    ]


def _label(event: Event) -> str:
    before, after = event.changes.get("role", (None, None))
    if event.type == "member.joined":
        return _("Joined as %(role)s") % {"role": after} if after else _("Joined without a role")
    if before and after:
        return _("Role changed from %(before)s to %(after)s") % {"before": before, "after": after}
    if after:
        return _("Got the role %(role)s") % {"role": after}
    return _("Lost the role %(role)s") % {"role": before}
