"""The list of invitations as the page shows it: tabs, columns, rows, and what each says of its mail."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guestlist.actions.invitations import is_resendable
from guestlist.conf import conf
from guestlist.models import Invitation
from guestlist.models.delivery import State
from guestlist.models.fields import searchable
from guestlist.models.invitation import ASKED, NEVER, Status
from guestlist.models.listing import Listing
from guestlist.web.access import Visit
from guestlist.web.dates import day, moment, until
from guestlist.web.tables import Address, columns, count, shown

# A message leaves within a second or so; only one that waits longer is worth a word.
QUEUED_TOO_LONG = timedelta(seconds=30)


def invitation_list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """The context of `_invitations.html`, and of the tabs and the search above it."""
    path = reverse("guestlist:invitations", args=[visit.organization.slug])
    address = Address.of(request, path, ("status", "q", "sort", "page", "after", "before"))
    status, q, sort = (request.GET.get(name, "") for name in ("status", "q", "sort"))
    status, sort = status if status in _labels() else Status.PENDING, sort or "-invited"
    counts, swept = visit.headcounts.invitations, visit.headcounts.swept
    shelf = Invitation.objects.filter(organization=visit.organization).with_status(status, swept=swept)
    total = shelf.count_matching(q) if searchable(q) else counts[status]
    sorts = Invitation.columns(status, swept=swept)
    listing: Listing[Invitation] = Listing.of(shelf.matching(q).for_display(), sorts, sort)
    page = shown(request, listing, address, total)
    return {
        "tabs": _tabs(address, status, counts),
        "asked_count": counts[ASKED] if status != ASKED else 0,
        "asked_url": address(status=ASKED, q=None, page=None, after=None, before=None),
        "columns": columns(address, sort, _columns(), ("expires",)),
        "rows": [invitation_row(visit, row) for row in page.rows],
        "pager": page.pager,
        "status": status,
        "q": q,
        "sort": sort,
        "search_url": address.path,
        "self_url": address(),
        "match_total": total,
        "state": _state(bool(page.rows), q, counts[""]),
    }


def _state(has_rows: bool, q: str, ever: int) -> str:
    if has_rows:
        return "rows"
    if q:
        return "no_match"
    return "empty_tab" if ever else "empty"


def _labels() -> dict[str, str]:
    return {
        Status.PENDING: _("Pending"),
        Status.EXPIRED: _("Expired"),
        Status.ACCEPTED: _("Accepted"),
        Status.DECLINED: _("Declined"),
        Status.REVOKED: _("Revoked"),
        ASKED: _("Requests"),
    }


def _columns() -> dict[str, str]:
    return {"email": _("Email"), "status": _("Status"), "invited": _("Invited"), "expires": _("Expires")}


def _tabs(address: Address, current: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "status": status,
            "label": label,
            "count": count(counts[status]),
            "url": address(
                status="" if status == Status.PENDING else status, page=None, after=None, before=None
            ),
            "current": status == current,
        }
        for status, label in _labels().items()
        # Requests are rare: their tab is there while there are any.
        if status != ASKED or counts[ASKED] or current == ASKED
    ]


def invitation_row(visit: Visit, row: Invitation) -> dict[str, Any]:
    """What a row of the list shows. Load it with `for_display`."""
    slug = visit.organization.slug
    label, tone, detail = _delivery(row)
    # What has ended otherwise will not expire any more.
    expires = row.expires_at if row.status_now in (Status.PENDING, Status.EXPIRED) else None
    return {
        "id": str(row.pk),
        "email": row.email,
        "status": row.status_now,
        "status_label": _labels()[row.status_now],
        "invited_by": row.invited_by_name,
        "invited": day(row.invited_at),
        "invited_iso": row.invited_at.isoformat(),
        "invited_title": moment(row.invited_at),
        "expires": until(expires, timezone.now()) if expires else "–",
        "expires_iso": expires.isoformat() if expires and expires != NEVER else None,
        "delivery_label": label,
        "delivery_tone": tone,
        "delivery_title": detail,
        "details_url": reverse("guestlist:invitation", args=[slug, row.pk]),
        "revoke_url": reverse("guestlist:revoke_invitation", args=[slug, row.pk]),
        "resend_url": reverse("guestlist:resend_invitation", args=[slug, row.pk]),
        "can_revoke": row.status_now == Status.PENDING,
        "can_resend": is_resendable(row),
        "link_url": reverse("guestlist:hand_over_link", args=[slug, row.pk]),
        "can_hand_over": row.status_now == Status.PENDING and conf().email_sending == "off",
        "asked": day(row.asked_at) if row.asking and row.asked_at else None,
        "dismiss_url": reverse("guestlist:dismiss_request", args=[slug, row.pk]),
        "note": row.decline_note,
    }


def _delivery(row: Invitation) -> tuple[str | None, str, str]:
    """What a row says of its mail: nothing while all is well."""
    delivery = row.delivery
    if delivery is None:
        return None, "", ""
    match delivery.state:
        case State.QUEUED if timezone.now() - delivery.created_at > QUEUED_TOO_LONG:
            return _("Email queued"), "warn", ""
        case State.CANCELED if row.status_now == Status.PENDING:
            return _("Not mailed"), "warn", _("This address asked not to be invited.")
        case State.DEFERRED:
            return _("Email deferred"), "warn", delivery.detail
        case State.FAILED:
            return _("Email failed"), "danger", delivery.detail
        case State.BOUNCED:
            return _("Email bounced"), "danger", delivery.detail
        case State.COMPLAINED:
            return _("Marked as spam"), "danger", delivery.detail
    return None, "", ""
