"""Delivery: every message of an organization, what became of it, and trying again."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist.actions import retries
from guestlist.actions.mail_queue import resume_queue
from guestlist.models import Delivery
from guestlist.models.delivery import DeliveryQuerySet, State
from guestlist.models.fields import searchable
from guestlist.models.listing import Listing, capped_counts
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import age
from guestlist.web.mail import mail_row, states
from guestlist.web.tables import Address, columns, count, shown
from guestlist.web.toasts import done

# By then a message that can leave has left.
LATER = "guestlist:later"
manager_page = member_page(Permission.MEMBER_MANAGE)


@require_safe
@manager_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = _list(request, visit) | {"shell": shell(visit), "current": "delivery"}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_delivery_answer.html", context)
    return render(request, "guestlist/delivery.html", context)


@require_POST
@manager_page
def retry(request: HttpRequest, visit: Visit, delivery_id: UUID) -> HttpResponse:
    """Try one message again."""
    again = retries.retry_delivery(
        actor=visit.actor, organization=visit.organization, delivery_id=delivery_id
    )
    return done(request, _url(visit), {"kind": "ok", "text": _("Trying again."), "detail": again.to}, LATER)


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page
def retry_failed(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask, then try all failed ones again."""
    if request.method == "POST":
        result = retries.retry_failed(actor=visit.actor, organization=visit.organization)
        return done(request, _url(visit), {"kind": "ok", "text": str(result)}, LATER)
    plan = retries.preview_retry(actor=visit.actor, organization=visit.organization)
    if not plan.retried:
        item = {"kind": "warn", "text": _("None of the failed messages is wanted any more.")}
        return done(request, _url(visit), item)
    title = ngettext("Retry %d failed message?", "Retry %d failed messages?", plan.retried) % plan.retried
    body = _("The Message-ID stays the same, so that a repeat is recognised.")
    left_out = ngettext(
        "%d is left out: its invitation has ended or was sent again, or its address asked for no mail.",
        "%d are left out: their invitations have ended or were sent again, or their addresses asked for no "
        "mail.",
        plan.skipped,
    )
    context = {
        "title": title,
        "body": " ".join([body, *([left_out % plan.skipped] if plan.skipped else [])]),
        "action": request.path,
        "fields": [],
        "button": _("Retry %d") % plan.retried,
        "cancel_url": _url(visit),
        "danger": False,
        "current": "delivery",
    }
    return confirm(request, visit, context)


@require_POST
@manager_page
def try_again(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Use the mail server again now, not at the time that was set."""
    resume_queue(actor=visit.actor, organization=visit.organization)
    detail = _("It takes ten seconds at most; the list shows what comes of it.")
    item = {"kind": "ok", "text": _("Trying again now."), "detail": detail}
    return done(request, _url(visit), item, LATER)


def _url(visit: Visit) -> str:
    return reverse("guestlist:delivery", args=[visit.organization.slug])


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    address = Address.of(request, _url(visit), ("state", "q", "sort", "page", "after", "before"))
    state, q, sort = (request.GET.get(name, "") for name in ("state", "q", "sort"))
    state, sort = state if state in _labels() else "", sort or "-created"
    ours = Delivery.objects.filter(organization=visit.organization)
    due, *counts = capped_counts([ours.due(), *(ours.in_state(each) for each in _labels())])
    shelf = ours.in_state(state)
    total = shelf.count_matching(q) if searchable(q) else counts[list(_labels()).index(state)]
    rows = shelf.matching(q).select_related("invitation").defer("history", "content")
    listing: Listing[Delivery] = Listing.of(rows, Delivery.COLUMNS, sort)
    page = shown(request, listing, address, total)
    failed = counts[list(_labels()).index(State.FAILED)]
    return {
        "tabs": _tabs(address, state, counts),
        "tabs_label": _("Filter by state"),
        "due": _due(ours, due),
        "failed": failed,
        "retry_failed_url": reverse("guestlist:retry_deliveries", args=[visit.organization.slug]),
        "columns": columns(address, sort, _columns(), ()),
        "rows": [mail_row(visit, row) for row in page.rows],
        "pager": page.pager,
        "filter_state": state,
        "q": q,
        "sort": sort,
        "search_url": address.path,
        "self_url": address(),
        "match_total": total,
        "state": "rows" if page.rows else "no_match" if q else "empty_tab" if counts[0] else "empty",
    }


def _labels() -> dict[str, str]:
    return {"": _("All"), **states()}


def _columns() -> dict[str, str]:
    return {"to": _("To"), "state": _("State"), "created": _("When")}


def _due(ours: DeliveryQuerySet, number: int) -> str | None:
    """What should have left by now, and for how long the oldest of it has waited."""
    oldest = number and ours.due().order_by("next_at").values_list("next_at", flat=True).first()
    if not oldest:
        return None
    text = ngettext(
        "%(total)s message is due now; it has waited %(age)s.",
        "%(total)s messages are due now; the oldest has waited %(age)s.",
        number,
    )
    return text % {"total": count(number), "age": age(oldest)}


def _tabs(address: Address, current: str, counts: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "status": state,
            "label": label,
            "count": count(number),
            "url": address(state=state, page=None, after=None, before=None),
            "current": state == current,
        }
        for (state, label), number in zip(_labels().items(), counts, strict=True)
        # Complaints are rare, and their tab is a wide one.
        if state != State.COMPLAINED or number or current == state
    ]
