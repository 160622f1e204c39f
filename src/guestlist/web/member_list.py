"""The list of members as the page shows it: tabs, columns, rows, and why some can’t be changed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.models import Membership, Role
from guestlist.models.fields import searchable
from guestlist.models.listing import Listing
from guestlist.models.membership import NEEDS_ROLE, role_filter
from guestlist.web.access import Visit
from guestlist.web.dates import day
from guestlist.web.tables import Address, columns, count, shown


def member_list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """The context of `_members.html`, and of the tabs and the search above it."""
    organization = visit.organization
    path = reverse("guestlist:members", args=[organization.slug])
    address = Address.of(request, path, ("role", "q", "sort", "page", "after", "before"))
    role, q, sort = (request.GET.get(name, "") for name in ("role", "q", "sort"))
    sort = sort or "name"
    everyone = Membership.objects.active().filter(organization=organization)
    roles = list(Role.objects.filter(organization=organization).order_by("pk"))
    shelf, counts = everyone.with_role(role), visit.headcounts.members
    total = shelf.count_matching(q) if searchable(q) else counts[role_filter(role)]
    rows = shelf.matching(q).select_related("role")
    listing: Listing[Membership] = Listing.of(rows, Membership.columns(role), sort)
    page = shown(request, listing, address, total)
    owners = next(counts[str(r.pk)] for r in roles if r.fixed)
    return {
        "tabs": _tabs(address, role, roles, counts),
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


def _tabs(address: Address, role: str, roles: list[Role], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    labels = {"": _("All"), NEEDS_ROLE: _("Needs a role"), **{str(r.pk): r.name for r in roles}}
    return [
        {
            "status": key,
            "label": label,
            "count": count(counts[key]),
            "url": address(role=key, page=None, after=None, before=None),
            "current": key == role,
        }
        for key, label in labels.items()
        if key in ("", NEEDS_ROLE) or counts[key]
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
        "details_url": reverse("guestlist:member", args=[slug, member.pk]),
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
