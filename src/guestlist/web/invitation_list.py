"""The list of invitations as the page shows it: tabs, columns, rows, and what each says of its mail."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from guestlist.actions.invitations import is_resendable
from guestlist.conf import conf
from guestlist.models import Invitation
from guestlist.models.delivery import State
from guestlist.models.fields import searchable
from guestlist.models.invitation import ASKED, NEVER, Status
from guestlist.models.listing import Listing
from guestlist.templating import mail
from guestlist.web.access import Visit
from guestlist.web.dates import Reader
from guestlist.web.tables import Address, columns, count, row_addresses, shown

# A message leaves within a second or so; only one that waits longer is worth a word.
QUEUED_TOO_LONG = timedelta(seconds=30)
# What `invitation_rows` reads.
SHOWN = (
    "email",
    "status",
    "invited_at",
    "expires_at",
    "invited_by_name",
    "asking",
    "asked_at",
    "decline_note",
    "delivery__state",
    "delivery__detail",
    "delivery__created_at",
)


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
    listing: Listing[Invitation] = Listing.of(shelf.matching(q).for_display().only(*SHOWN), sorts, sort)
    page = shown(request, listing, address, total)
    return {
        "tabs": _tabs(address, status, counts),
        "asked_count": counts[ASKED] if status != ASKED else 0,
        "asked_url": address(status=ASKED, q=None, page=None, after=None, before=None),
        "columns": columns(address, sort, _columns(), ("expires",)),
        "rows": invitation_rows(visit, page.rows),
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


def invitation_rows(visit: Visit, rows: Iterable[Invitation]) -> list[dict[str, Any]]:
    """What each row of the list shows. Load them with `for_display`."""
    slug, reader, labels = visit.organization.slug, Reader.here(), _labels()
    addresses = row_addresses(
        slug,
        details_url="guestlist:invitation",
        revoke_url="guestlist:revoke_invitation",
        resend_url="guestlist:resend_invitation",
        link_url="guestlist:hand_over_link",
        dismiss_url="guestlist:dismiss_request",
    )
    can_hand_over = conf().email_sending == "off"
    return [{**addresses(row.pk), **_row(row, reader, labels, can_hand_over=can_hand_over)} for row in rows]


def _row(
    row: Invitation, reader: Reader, labels: Mapping[str, str], *, can_hand_over: bool
) -> dict[str, Any]:
    label, tone, detail = _delivery(row, reader.now)
    is_pending = row.status_now == Status.PENDING
    # What has ended otherwise will not expire any more.
    expires = row.expires_at if is_pending or row.status_now == Status.EXPIRED else None
    return {
        "id": str(row.pk),
        "email": row.email,
        "email_shown": mail(row.email),
        "status": row.status_now,
        "status_label": labels[row.status_now],
        "invited_by": row.invited_by_name,
        "invited": reader.day(row.invited_at),
        "invited_iso": row.invited_at.isoformat(),
        "invited_title": reader.moment(row.invited_at),
        "expires": reader.until(expires) if expires else "–",
        "expires_iso": expires.isoformat() if expires and expires != NEVER else None,
        "delivery_label": label,
        "delivery_tone": tone,
        "delivery_title": detail,
        "can_revoke": is_pending,
        "can_resend": is_resendable(row),
        "can_hand_over": is_pending and can_hand_over,
        "asked": reader.day(row.asked_at) if row.asking and row.asked_at else None,
        "note": row.decline_note,
    }


def _delivery(row: Invitation, now: datetime) -> tuple[str | None, str, str]:
    """What a row says of its mail: nothing while all is well."""
    delivery = row.delivery
    if delivery is None:
        return None, "", ""
    match delivery.state:
        case State.QUEUED if now - delivery.created_at > QUEUED_TOO_LONG:
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
