"""The list of API keys, and a first call with one."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.conf import conf
from guestlist.models import ApiKey
from guestlist.models.api_key import State
from guestlist.models.listing import Listing, capped_counts
from guestlist.web.access import Visit
from guestlist.web.dates import clock, day
from guestlist.web.permission_boxes import in_words, labels
from guestlist.web.tables import Address, columns, count, shown

TONES = {State.ACTIVE: "ok", State.EXPIRED: "warn", State.REVOKED: "", State.CREATOR_GONE: "warn"}


def api_key_list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """What `_api_keys.html` and the tabs above it show."""
    address = Address.of(
        request,
        reverse("guestlist:api_keys", args=[visit.organization.slug]),
        ("status", "sort", "page", "after", "before"),
    )
    status, sort = request.GET.get("status", ""), request.GET.get("sort") or "-created"
    status = status if status in State.values else State.ACTIVE
    ours = ApiKey.objects.for_display().filter(organization=visit.organization)
    counts = dict(
        zip(State.values, capped_counts([ours.in_state(each) for each in State.values]), strict=True)
    )
    listing: Listing[ApiKey] = Listing.of(ours.in_state(status), ApiKey.COLUMNS, sort)
    page = shown(request, listing, address, counts[status])
    return {
        "tabs": _tabs(address, status, counts),
        "columns": columns(address, sort, _columns(), ("created",)),
        "rows": [_row(visit, row) for row in page.rows],
        "pager": page.pager,
        "self_url": address(),
        "state": "rows" if page.rows else "empty_tab" if any(counts.values()) else "empty",
        **example(visit),
    }


def _tabs(address: Address, current: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "count": count(counts[state]),
            "url": address(status=state, page=None, after=None, before=None),
            "current": state == current,
        }
        for state, label in _states().items()
        # Keys end with the membership of their creator, so this is rare.
        if state != State.CREATOR_GONE or counts[state] or state == current
    ]


def _columns() -> dict[str, str]:
    return {
        "name": _("Name"),
        "status": _("Status"),
        "expires": _("Expires"),
        "used": _("Last used"),
        "created": _("Created"),
    }


def _states() -> dict[State, str]:
    return {
        State.ACTIVE: _("Active"),
        State.EXPIRED: _("Expired"),
        State.REVOKED: _("Revoked"),
        State.CREATOR_GONE: _("Creator gone"),
    }


def _row(visit: Visit, row: ApiKey) -> dict[str, Any]:
    state, used = State(row.state_now), row.last_used_at
    replaced = state == State.ACTIVE and row.successor_id
    return {
        "id": str(row.pk),
        "name": row.name,
        "prefix": row.prefix,
        "permissions": in_words(row.permission_set),
        "permissions_title": ", ".join(labels(row.permission_set)),
        "created_by": row.creator.name,
        "created": day(row.created_at),
        "created_iso": row.created_at.isoformat(),
        "used": clock(used) if used else "",
        "used_iso": used.isoformat() if used else "",
        "expires": _expires(row),
        "expires_iso": row.expires_at.isoformat() if row.expires_at else "",
        "status_label": _("Replaced") if replaced else _states()[state],
        "tone": "warn" if replaced else TONES[state],
        "can_rotate": state == State.ACTIVE and not replaced,
        "can_revoke": state in (State.ACTIVE, State.CREATOR_GONE),
        "rotate_disabled_reason": _above(visit, row),
        "rotate_url": reverse("guestlist:rotate_api_key", args=[visit.organization.slug, row.pk]),
        "revoke_url": reverse("guestlist:revoke_api_key", args=[visit.organization.slug, row.pk]),
    }


def _expires(row: ApiKey) -> str:
    """The day; the time of a key that is replaced, which ends within a few."""
    if row.expires_at is None:
        return ""
    return clock(row.expires_at) if row.successor_id else day(row.expires_at)


def _above(visit: Visit, row: ApiKey) -> str | None:
    """Why the visitor can't rotate it; the action refuses the same."""
    return None if row.permission_set <= visit.membership.permissions else str(errors.AboveOwnRole())


def example(visit: Visit) -> dict[str, str | None]:
    """A first call, and where the API describes itself; nothing where a project has not mounted it."""
    try:
        root, docs = reverse("guestlist-api:api-root"), reverse("guestlist-api:openapi-view")
    except NoReverseMatch:
        return {"curl": None, "docs_url": None}
    url = f"{conf().url}{root}organizations/{visit.organization.slug}"
    return {"curl": f'curl -H "Authorization: Bearer $KEY" {url}', "docs_url": docs}
