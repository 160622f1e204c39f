"""Members: who is in, and what they may do."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import members
from guestlist.models import Membership, Role
from guestlist.models.fields import as_uuid
from guestlist.models.listing import Listing, capped_counts
from guestlist.models.membership import MembershipQuerySet
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import day
from guestlist.web.invite_form import invite_form
from guestlist.web.tables import Address, columns, count, shown
from guestlist.web.toasts import done

NONE = "none"


@require_safe
@member_page(Permission.MEMBER_MANAGE)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = _list(request, visit) | {"shell": shell(visit)}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_members_answer.html", context)
    context["invite"] = invite_form(visit.organization.slug)
    return render(request, "guestlist/members.html", context)


@require_POST
@member_page(Permission.MEMBER_MANAGE)
def change_role(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """Give the role at once; the answer offers to undo it."""
    chosen = request.POST.get("role") or None
    if chosen and as_uuid(chosen) is None:
        raise errors.UnknownRole
    before = (
        Membership.objects.filter(organization=visit.organization, pk=member_id)
        .values_list("role", flat=True)
        .first()
    )
    member = members.change_role(
        actor=visit.actor, organization=visit.organization, member_id=member_id, role_id=chosen
    )
    text = (
        _("%(name)s is now %(role)s.") % {"name": member.name, "role": member.role.name}
        if member.role
        else _("%(name)s has no role now.") % {"name": member.name}
    )
    undo = {"label": _("Undo"), "action": request.path, "fields": [("role", before)]} if before else None
    return done(request, _members_url(visit), {"kind": "ok", "text": text, "undo": undo})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.MEMBER_MANAGE)
def remove(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """Ask, then remove."""
    organization = visit.organization
    if request.method == "POST":
        gone = members.remove_member(actor=visit.actor, organization=organization, member_id=member_id)
        text = _("%(name)s was removed.") % {"name": gone.name}
        return done(request, _members_url(visit), {"kind": "ok", "text": text})
    member = Membership.objects.active().filter(organization=organization, pk=member_id).first()
    if member is None:
        raise errors.NotFound
    names = {"name": member.name, "organization": organization.name}
    context = {
        "title": _("Remove %(name)s?") % names,
        "body": _(
            "%(name)s loses access to %(organization)s at once. Pending invitations to their addresses are "
            "revoked. Their past activity stays in the audit log."
        )
        % names,
        "action": request.path,
        "fields": [],
        "button": _("Remove"),
        "cancel_url": _members_url(visit),
        "danger": True,
        "current": "members",
    }
    return confirm(request, visit, context)


def _members_url(visit: Visit) -> str:
    return reverse("guestlist:members", args=[visit.organization.slug])


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    organization = visit.organization
    address = Address.of(request, _members_url(visit), ("role", "q", "sort", "page", "after", "before"))
    role, q, sort = (request.GET.get(name, "") for name in ("role", "q", "sort"))
    sort = sort or "name"
    everyone = Membership.objects.active().filter(organization=organization)
    roles = list(Role.objects.filter(organization=organization).order_by("pk"))
    chosen = _with_role(everyone, role).matching(q)
    shelves = {
        "": everyone,
        NONE: everyone.filter(role=None),
        **{str(r.pk): everyone.filter(role=r) for r in roles},
    }
    total, *counts = capped_counts([chosen, *shelves.values()])
    listing: Listing[Membership] = Listing.of(chosen.select_related("role"), Membership.COLUMNS, sort)
    page = shown(request, listing, address, total)
    owner = next(r for r in roles if r.fixed)
    owners = counts[list(shelves).index(str(owner.pk))]
    return {
        "tabs": _tabs(address, role, roles, dict(zip(shelves, counts, strict=True))),
        "tabs_label": _("Filter members"),
        "columns": columns(address, sort, _columns(), ("joined",)),
        "rows": [_row(visit, member, roles, owners) for member in page.rows],
        "pager": page.pager,
        "q": q,
        "sort": sort,
        "filter": [("role", role)] if role else [],
        "match_total": total,
        "search_url": address.path,
        "self_url": address(),
        "state": "rows" if page.rows else "no_match" if q else "empty_tab",
    }


def _columns() -> dict[str, str]:
    return {"name": _("Name"), "email": _("Email"), "role": _("Role"), "joined": _("Joined")}


def _with_role(rows: MembershipQuerySet, role: str) -> MembershipQuerySet:
    if not role:
        return rows
    return rows.filter(role=None) if role == NONE else rows.filter(role=as_uuid(role) or UUID(int=0))


def _tabs(address: Address, role: str, roles: list[Role], counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = {"": _("All"), NONE: _("Needs a role"), **{str(r.pk): r.name for r in roles}}
    return [
        {
            "status": key,
            "label": label,
            "count": count(counts[key]),
            "url": address(role=key, page=None, after=None, before=None),
            "current": key == role,
        }
        for key, label in labels.items()
        if key in ("", NONE) or counts[key]
    ]


def _row(visit: Visit, member: Membership, roles: list[Role], owners: int) -> dict[str, Any]:
    slug = visit.organization.slug
    held = visit.membership.permissions
    role_reason, remove_reason = _reasons(visit, member, owners)
    return {
        "id": str(member.pk),
        "name": member.name,
        "email": member.email,
        "email_verified": member.email_verified,
        "you": member.pk == visit.membership.pk,
        "role_id": str(member.role_id or ""),
        "role_name": member.role and member.role.name,
        "joined": day(member.joined_at),
        "joined_iso": member.joined_at.isoformat(),
        "change_role_url": reverse("guestlist:change_role", args=[slug, member.pk]),
        "remove_url": reverse("guestlist:remove_member", args=[slug, member.pk]),
        "role_disabled_reason": role_reason,
        "remove_disabled_reason": remove_reason,
        "roles": [
            {
                "id": str(role.pk),
                "name": role.name,
                "selected": role.pk == member.role_id,
                "disabled": not role.permission_set <= held,
            }
            for role in roles
        ],
    }


def _reasons(visit: Visit, member: Membership, owners: int) -> tuple[str | None, str | None]:
    """Why the role and the trash of a row cannot be used; the actions refuse the same."""
    if member.pk == visit.membership.pk:
        if owners == 1 and member.role and member.role.fixed:
            reason = _("You’re the only owner, so your role can’t change and you can’t be removed.")
            return reason, reason
        return str(errors.OwnRole()), str(errors.OwnMembership())
    if member.role and not member.role.permission_set <= visit.membership.permissions:
        above = str(errors.AboveOwnRole())
        return above, above
    return None, None
