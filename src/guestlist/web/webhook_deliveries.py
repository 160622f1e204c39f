"""One webhook and the calls that were made to it: what became of each, a test, making some again."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist.actions import webhook_log
from guestlist.actions.webhooks import find_webhook
from guestlist.models import Webhook, WebhookDelivery
from guestlist.models.listing import Listing, capped_counts
from guestlist.models.webhook_delivery import OWED_CALLS, CallState
from guestlist.web.access import Visit, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import moment
from guestlist.web.mail import time_of
from guestlist.web.tables import Address, count, shown
from guestlist.web.toasts import done
from guestlist.web.webhook_words import TONES, call_states, in_words, type_names
from guestlist.web.webhooks import webhook_row, webhooks_page

NEWEST = "-created"
# The list looks again for so long after a call became due: without a worker, for ever would be long.
FRESH = timedelta(minutes=1)


@require_safe
@webhooks_page
def index(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """The webhook and the log of its calls, or only what changes of that for htmx."""
    log = _log(request, visit, webhook_id)
    # Read last: where a call has ended, so has what it meant for the webhook.
    webhook = find_webhook(organization=visit.organization, webhook_id=webhook_id)
    context = log | {
        "webhook": webhook_row(visit, webhook),
        "facts": _facts(webhook),
        "shell": shell(visit),
        "current": "webhooks",
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_webhook_answer.html", context)
    return render(request, "guestlist/webhook.html", context)


@require_safe
@webhooks_page
def show(request: HttpRequest, visit: Visit, webhook_id: UUID, webhook_delivery_id: UUID) -> HttpResponse:
    """What was sent, what was answered, and every attempt."""
    row = webhook_log.find_call(**_which(visit, webhook_id), delivery_id=webhook_delivery_id)
    whole = webhook_log.whole_call(row)
    context = {
        "webhook": webhook_row(visit, find_webhook(organization=visit.organization, webhook_id=webhook_id)),
        "row": _row(visit, row, type_names()),
        "message_id": row.message_id,
        "created": time_of(row.created_at),
        "request_line": f"POST {whole['request']['url']}",
        "headers": whole["request"]["headers"],
        "body": _readable_body(row.body),
        "answer": whole["answer"],
        "history": [_entry(each) for each in reversed(whole["history"])],
        "shell": shell(visit),
    }
    return render(request, "guestlist/webhook_delivery.html", context)


@require_POST
@webhooks_page
def send_test(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Call it with an event that says that this is a test."""
    webhook_log.send_test(**_which(visit, webhook_id))
    item = {"kind": "ok", "text": _("A test is on its way."), "detail": _("The log shows what comes of it.")}
    return done(request, _url(visit, "webhook", webhook_id), item)


@require_POST
@webhooks_page
def redeliver(
    request: HttpRequest, visit: Visit, webhook_id: UUID, webhook_delivery_id: UUID
) -> HttpResponse:
    """Make one call again."""
    row = webhook_log.redeliver(**_which(visit, webhook_id), delivery_id=webhook_delivery_id)
    item = {"kind": "ok", "text": _("The call is made again."), "detail": row.subject_name}
    return done(request, _url(visit, "webhook", webhook_id), item)


@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def redeliver_since(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Say how many calls that would be, then make them again."""
    find_webhook(organization=visit.organization, webhook_id=webhook_id)
    which, back = _which(visit, webhook_id), _url(visit, "webhook", webhook_id)
    typed = request.POST if request.method == "POST" else request.GET
    state = CallState.FAILED if typed.get("only") == "failed" else ""
    since = _moment(typed.get("since", ""))
    if since is None:
        text = _("Say from which day and time on calls are to be made again.")
        return done(request, back, {"kind": "danger", "text": text})
    if request.method == "POST":
        result = webhook_log.redeliver_since(**which, since=since, state=state)
        return done(request, back, {"kind": "ok", "text": str(result)})
    number = capped_counts([webhook_log.calls_of(**which, state=state).of_events_since(since)])[0]
    if not number:
        text = _("There is no such call since %(time)s.") % {"time": moment(since)}
        return done(request, back, {"kind": "warn", "text": text})
    return confirm(request, visit, _question(request, since, state, number, back))


def _url(visit: Visit, name: str, *ids: UUID) -> str:
    return reverse(f"guestlist:{name}", args=[visit.organization.slug, *ids])


def _which(visit: Visit, webhook_id: UUID) -> dict[str, Any]:
    return {"actor": visit.actor, "organization": visit.organization, "webhook_id": webhook_id}


def _moment(text: str) -> datetime | None:
    """A day and time as a form sends it, in the viewer's zone."""
    try:
        value = parse_datetime(text.strip())
        if value is None or timezone.is_aware(value):
            return value
        return timezone.make_aware(value)
    except (ValueError, OverflowError):
        return None


def _question(request: HttpRequest, since: datetime, state: str, number: int, back: str) -> dict[str, Any]:
    title = ngettext("Make %(total)s call again?", "Make %(total)s calls again?", number)
    told = _("All since %(time)s, in their order, with the same bodies and message ids.")
    if state:
        told = _("All that failed since %(time)s, in their order, with the same bodies and message ids.")
    return {
        "title": title % {"total": count(number)},
        "body": told % {"time": moment(since)},
        "action": request.path,
        "fields": [("since", since.isoformat()), ("only", "failed" if state else "")],
        "button": _("Redeliver %(total)s") % {"total": count(number)},
        "cancel_url": back,
        "danger": False,
        "current": "webhooks",
    }


def _log(request: HttpRequest, visit: Visit, webhook_id: UUID) -> dict[str, Any]:
    address = Address.of(
        request, _url(visit, "webhook", webhook_id), ("state", "q", "page", "after", "before")
    )
    state, q = request.GET.get("state", ""), request.GET.get("q", "")
    state, which = state if state in CallState.values else "", _which(visit, webhook_id)
    ours = webhook_log.calls_of(**which)
    chosen = webhook_log.calls_of(**which, state=state, q=q)
    total, *counts = capped_counts([chosen, *[ours.in_state(each) for each in _labels()]])
    page = shown(request, Listing.of(chosen, WebhookDelivery.COLUMNS, NEWEST), address, total)
    names = type_names()
    return {
        "tabs": _tabs(address, state, counts),
        "tabs_label": _("Filter by state"),
        "rows": [_row(visit, row, names) for row in page.rows],
        "pager": page.pager,
        "pending": any(_is_fresh(row) for row in page.rows),
        "filter_state": state,
        "q": q,
        "search_url": address.path,
        "self_url": address(),
        "match_total": total,
        "state": "rows" if page.rows else "no_match" if q else "empty_tab" if counts[0] else "empty",
    }


def _labels() -> dict[str, str]:
    return {"": _("All"), **call_states()}


def _tabs(address: Address, current: str, counts: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "count": count(number),
            "url": address(state=state, page=None, after=None, before=None),
            "current": state == current,
        }
        for (state, label), number in zip(_labels().items(), counts, strict=True)
    ]


def _is_fresh(row: WebhookDelivery) -> bool:
    """Whether something is about to become of it."""
    return row.next_at is not None and abs(timezone.now() - row.next_at) < FRESH


def _row(visit: Visit, row: WebhookDelivery, names: Mapping[str, str]) -> dict[str, Any]:
    owed = row.state in OWED_CALLS
    at = (row.next_at if owed else row.at) or row.created_at
    tried = ngettext("%(total)s attempt", "%(total)s attempts", row.attempts) % {"total": row.attempts}
    return {
        "id": str(row.pk),
        "type": row.type,
        "label": names.get(row.type, row.type),
        "about": row.subject_name,
        "state": call_states()[row.state],
        "tone": TONES.get(CallState(row.state), ""),
        "detail": in_words(row.detail),
        "status": row.status,
        "attempts": tried if row.attempts else "",
        "owed": owed,
        "due": owed and at <= timezone.now(),
        "url": _url(visit, "webhook_delivery", row.webhook_id, row.pk),
        "redeliver_url": _url(visit, "redeliver_webhook_delivery", row.webhook_id, row.pk),
        **time_of(at),
    }


def _facts(webhook: Webhook) -> list[tuple[str, str]]:
    arrived, former = webhook.delivered_at, webhook.former_until
    facts = [
        (_("Last delivered"), moment(arrived) if arrived else _("Never")),
        (_("Created by"), webhook.created_by_name),
        (_("Created"), moment(webhook.created_at)),
    ]
    if former and former > timezone.now():
        facts.append((_("Former secret signs until"), moment(former)))
    if webhook.off_since:
        facts.append((_("Off since"), moment(webhook.off_since)))
    return facts


def _readable_body(body: str) -> str:
    """With a line for each value, and letters as they are."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One thing that happened to a call."""
    at = parse_datetime(entry["at"] or "")
    told = [_("Attempt %(number)s") % {"number": entry["attempt"]}] if entry["attempt"] else []
    if entry["seconds"] is not None:
        told.append(_("%(seconds)s seconds") % {"seconds": entry["seconds"]})
    if entry["status"] is not None:
        told.append(_("answered %(status)s") % {"status": entry["status"]})
    if entry["by"]:
        told.append(_("asked for by %(name)s") % {"name": entry["by"]})
    note = _("The process that made it ended, so nobody knows whether it arrived.")
    return {
        "label": call_states().get(entry["state"] or "", entry["state"]),
        "detail": in_words(entry["detail"] or ""),
        "told": " · ".join(told),
        "note": note if entry["interrupted"] or entry["unclear"] else "",
        **(time_of(at) if at else {"at": "", "at_iso": "", "at_title": ""}),
    }
