"""Join links: people who have one can join."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import join_links
from guestlist.models import JoinLink, Membership
from guestlist.models.invitation import NEVER
from guestlist.models.join_link import State
from guestlist.models.listing import Listing, capped_counts
from guestlist.permissions import Permission
from guestlist.web import expiry_fields
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import day, moment
from guestlist.web.tables import Address, columns, shown
from guestlist.web.toasts import done

FIELDS = ("name", "expires", "max_uses", "domains")
MOST_SHOWN = 50
TONES = {State.ON: "ok", State.OFF: "", State.USED_UP: "warn", State.EXPIRED: "warn"}

links_page = member_page(Permission.MEMBER_MANAGE)


@require_safe
@links_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = _list(request, visit) | {"shell": shell(visit)}
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, f"guestlist/{'_join_links' if part else 'join_links'}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@links_page
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; a POST makes the link and shows it. What was typed stays."""
    if request.method != "POST":
        return _form(request, visit, {"choice": "7d"})
    try:
        row = join_links.create_join_link(
            actor=visit.actor, organization=visit.organization, **_typed(request)
        )
    except errors.GuestlistError as error:
        return _again(request, visit, error)
    messages.success(request, _("The link is made. Copy it and pass it on."))
    return redirect("guestlist:join_link", visit.organization.slug, row.pk)


@require_safe
@links_page
def show(request: HttpRequest, visit: Visit, join_link_id: UUID) -> HttpResponse:
    """The link itself, and who joined by it."""
    row = join_links.find_own_join_link(organization=visit.organization, join_link_id=join_link_id)
    joined = Membership.objects.filter(organization=visit.organization, join_link=row)
    context = {
        "row": _row(visit, row),
        "url_of_link": join_links.url_of(row),
        "facts": _facts(row),
        "joined": [_joined(visit, each) for each in joined.order_by("-joined_at", "-pk")[:MOST_SHOWN]],
        "joined_total": capped_counts([joined])[0],
        "role": visit.organization.new_member_role,
        "shell": shell(visit),
    }
    return render(request, "guestlist/join_link.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@links_page
def edit(request: HttpRequest, visit: Visit, join_link_id: UUID) -> HttpResponse:
    """The form with what holds now; a POST changes it. What was typed stays."""
    organization = visit.organization
    row = join_links.find_own_join_link(organization=organization, join_link_id=join_link_id)
    if request.method != "POST":
        return _form(request, visit, _values(row), row=row)
    try:
        join_links.update_join_link(
            actor=visit.actor, organization=organization, join_link_id=join_link_id, **_typed(request)
        )
    except errors.GuestlistError as error:
        return _again(request, visit, error, row)
    messages.success(request, _("The link is changed."))
    return redirect("guestlist:join_link", organization.slug, row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@links_page
def turn_off(request: HttpRequest, visit: Visit, join_link_id: UUID) -> HttpResponse:
    """Ask, then turn off."""
    organization = visit.organization
    if request.method == "POST":
        row = join_links.turn_off_join_link(
            actor=visit.actor, organization=organization, join_link_id=join_link_id
        )
        text = _("Nobody can join by “%(name)s” now.") % {"name": row.name}
        return done(request, _url(visit), {"kind": "ok", "text": text})
    row = join_links.find_own_join_link(organization=organization, join_link_id=join_link_id)
    context = {
        "title": _("Turn off “%(name)s”?") % {"name": row.name},
        "body": _(
            "Nobody can join by this link any more, and invitations that people had mailed to themselves by "
            "it are revoked. Whoever has joined stays. You can turn it on again."
        ),
        "action": request.path,
        "fields": [],
        "button": _("Turn Off"),
        "cancel_url": _url(visit),
        "danger": True,
        "current": "joining",
    }
    return confirm(request, visit, context)


@require_POST
@links_page
def turn_on(request: HttpRequest, visit: Visit, join_link_id: UUID) -> HttpResponse:
    """Let people join by it again."""
    row = join_links.turn_on_join_link(
        actor=visit.actor, organization=visit.organization, join_link_id=join_link_id
    )
    text = _("“%(name)s” is on again.") % {"name": row.name}
    return done(request, _url(visit), {"kind": "ok", "text": text})


def _url(visit: Visit) -> str:
    return reverse("guestlist:join_links", args=[visit.organization.slug])


def _typed(request: HttpRequest) -> dict[str, str]:
    """What the form says, as the actions take it."""
    typed = {name: request.POST.get(name, "").strip() for name in FIELDS}
    return typed | {"expires": expiry_fields.chosen(request)}


def _again(
    request: HttpRequest, visit: Visit, error: errors.GuestlistError, row: JoinLink | None = None
) -> HttpResponse:
    """The form with what was typed and why it was refused. What concerns no box of it is raised."""
    if error.field not in FIELDS and not isinstance(error, errors.TooManyJoinLinks):
        raise error
    typed = {name: request.POST.get(name, "") for name in (*FIELDS, "choice")}
    return _form(request, visit, typed, row=row, error=error)


def _form(
    request: HttpRequest,
    visit: Visit,
    values: dict[str, str],
    *,
    row: JoinLink | None = None,
    error: errors.GuestlistError | None = None,
) -> HttpResponse:
    slug = visit.organization.slug
    context = {
        "shell": shell(visit),
        "values": dict.fromkeys((*FIELDS, "choice"), "") | values,
        "errors": dict.fromkeys(FIELDS, "") | ({error.field or "name": str(error)} if error else {}),
        "choices": expiry_fields.choices(join_links.DAYS),
        "row": row and _row(visit, row),
        "role": visit.organization.new_member_role,
        "cancel_url": reverse("guestlist:join_link", args=[slug, row.pk]) if row else _url(visit),
    }
    status = error.status if error else 200
    return render(request, "guestlist/join_link_form.html", context, status=status)


def _values(row: JoinLink) -> dict[str, str]:
    """A link as its form shows it."""
    expires = join_links.last_day(row)
    return {
        "name": row.name,
        "choice": "day" if expires else "never",
        "expires": expires,
        "max_uses": "" if row.max_uses is None else str(row.max_uses),
        "domains": "\n".join(row.domains),
    }


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    address = Address.of(request, _url(visit), ("sort", "page", "after", "before"))
    sort = request.GET.get("sort") or "-created"
    rows = JoinLink.objects.for_display().filter(organization=visit.organization)
    total = capped_counts([rows])[0]
    page = shown(request, Listing.of(rows, JoinLink.COLUMNS, sort), address, total)
    return {
        "columns": columns(address, sort, _columns(), ("created",)),
        "rows": [_row(visit, row) for row in page.rows],
        "pager": page.pager,
        "self_url": address(),
        "role": visit.organization.new_member_role,
    }


def _columns() -> dict[str, str]:
    return {
        "name": _("Name"),
        "uses": _("Uses"),
        "expires": _("Expires"),
        "status": _("Status"),
        "created": _("Created"),
    }


def _row(visit: Visit, row: JoinLink) -> dict[str, Any]:
    args = [visit.organization.slug, row.pk]
    return {
        "id": str(row.pk),
        "name": row.name,
        "uses": _uses(row),
        "expires": _("Never") if row.expires_at == NEVER else day(row.expires_at),
        "expires_iso": "" if row.expires_at == NEVER else row.expires_at.isoformat(),
        "status_label": _states()[State(row.state_now)],
        "tone": TONES[State(row.state_now)],
        "enabled": row.enabled,
        "created": day(row.created_at),
        "created_iso": row.created_at.isoformat(),
        "created_by": row.created_by_name,
        "url": reverse("guestlist:join_link", args=args),
        "edit_url": reverse("guestlist:edit_join_link", args=args),
        "off_url": reverse("guestlist:turn_off_join_link", args=args),
        "on_url": reverse("guestlist:turn_on_join_link", args=args),
    }


def _states() -> dict[State, str]:
    return {
        State.ON: _("On"),
        State.OFF: _("Off"),
        State.USED_UP: _("Used up"),
        State.EXPIRED: _("Expired"),
    }


def _uses(row: JoinLink) -> str:
    if row.max_uses is None:
        return ngettext("%(count)s use", "%(count)s uses", row.uses) % {"count": f"{row.uses:,}"}
    return _("%(uses)s of %(most)s") % {"uses": f"{row.uses:,}", "most": f"{row.max_uses:,}"}


def _facts(row: JoinLink) -> list[tuple[str, str]]:
    return [
        (_("Uses"), _uses(row)),
        (_("Expires"), _("Never") if row.expires_at == NEVER else moment(row.expires_at)),
        (_("Addresses at"), ", ".join(row.domains) or _("any domain")),
        (_("Created by"), row.created_by_name),
        (_("Created"), moment(row.created_at)),
    ]


def _joined(visit: Visit, member: Membership) -> dict[str, Any]:
    active = member.state == Membership.State.ACTIVE
    return {
        "name": member.name or member.email,
        "email": member.email,
        "at": day(member.joined_at),
        "at_iso": member.joined_at.isoformat(),
        "left": "" if active else _("Removed") if member.state == Membership.State.REMOVED else _("Left"),
    }
