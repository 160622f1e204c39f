"""Audit log: every change, who made it, when and from where."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guestlist import errors
from guestlist.actions.audit import UNNAMED, Filters, Found, Log
from guestlist.events import TYPES
from guestlist.models import Event, Membership, Organization
from guestlist.models.fields import searchable, timestamp
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.audit_words import actor_kinds, changes_in_words, doors, types
from guestlist.web.csv_export import csv_answer
from guestlist.web.dates import clock, day, moment
from guestlist.web.tables import Address, columns, count

FILTERS = ("type", "person", "from", "to", "q")
# Names that the box for a person suggests.
SUGGESTED = 50
auditor_page = member_page(Permission.AUDIT_READ)


@require_safe
@auditor_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = _list(request, visit) | {"shell": shell(visit), "current": "audit_log"}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_audit_log_answer.html", context)
    members = Membership.objects.active().filter(organization=visit.organization).exclude(name="")
    names = members.order_by("name").values_list("name", flat=True)[:SUGGESTED]
    context["people"] = list(dict.fromkeys([*names, *UNNAMED.values()]))
    return render(request, "guestlist/audit_log.html", context)


@require_safe
@auditor_page
def export_csv(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Everything that the filters choose, for a spreadsheet."""
    rows = (event.as_row() for event in _everything(request, visit))
    return csv_answer(f"{visit.organization.slug}-audit-log.csv", Event.HEADER, rows)


@require_safe
@auditor_page
def export_jsonl(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Everything that the filters choose, one event to a line as REST shows it."""
    lines = (json.dumps(event.as_resource()) + "\n" for event in _everything(request, visit))
    answer = StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{visit.organization.slug}-audit-log.jsonl"'
    return answer


def _everything(request: HttpRequest, visit: Visit) -> Iterator[Event]:
    log = Log(visit.organization, _filters(request))
    return log.all(oldest_first=_is_oldest_first(request))


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    organization = visit.organization
    log, oldest_first = Log(organization, _filters(request)), _is_oldest_first(request)
    sort = "when" if oldest_first else "-when"
    address = Address.of(request, _url("audit_log", organization), (*FILTERS, "sort"))
    page = _page(request, log, address, oldest_first=oldest_first)
    total = log.count()
    return {
        "chosen": {name: request.GET.get(name, "") for name in FILTERS},
        "is_filtered": bool(log.filters),
        "types": types(),
        "columns": columns(address, sort, {"when": _("When")}, ()),
        "sort": sort,
        "rows": _rows(organization, page.events),
        "total": None if total is None else count(total),
        "page": page,
        "csv_url": _url("audit_csv", organization, address),
        "jsonl_url": _url("audit_jsonl", organization, address),
        "search_url": address.path,
        "self_url": address(after=request.GET.get("after"), before=request.GET.get("before")),
        "state": "rows" if page.events else "searching" if page.further_url else "no_match",
    }


@dataclass(frozen=True, slots=True)
class _Page:
    """Events in the order they are shown, and where to go from them.

    Where not all could be searched, `further_url` goes on, to `older` events or newer ones, from the day
    `searched_to`.
    """

    events: list[Event]
    previous_url: str | None
    next_url: str | None
    searched_to: str | None
    further_url: str | None
    older: bool


def _page(request: HttpRequest, log: Log, address: Address, *, oldest_first: bool) -> _Page:
    """What lies behind the number `after` of the request, or in front of `before`."""
    after, before = (_number(request.GET.get(name)) for name in ("after", "before"))
    back = 1 if oldest_first else -1
    if before is not None:
        found = log.events(before, oldest_first=not oldest_first)
        further = address(before=found.next) if found.next is not None else None
        # From the row in front of which this page ends.
        onward = address(after=before - back)
        ended = found.searched_to is not None
        return _Page(
            list(reversed(found.events)),
            None if ended else further,
            onward,
            *_end(found, further, oldest_first),
        )
    found = log.events(after, oldest_first=oldest_first)
    further = address(after=found.next) if found.next is not None else None
    first = found.events[0].number if found.events else after and after + back
    previous = address(before=first) if after is not None else None
    ended = found.searched_to is not None
    return _Page(
        list(found.events), previous, None if ended else further, *_end(found, further, not oldest_first)
    )


def _end(found: Found, further: str | None, older: bool) -> tuple[str | None, str | None, bool]:
    if found.searched_to is None:
        return None, None, older
    return day(found.searched_to.at), further, older


def _rows(organization: Organization, events: Iterable[Event]) -> list[dict[str, Any]]:
    names = _names(organization, events)
    words = {code: label for group in types().values() for code, label in group.items()}
    kinds, places = actor_kinds(), doors()
    return [
        {
            "id": str(event.pk),
            "number": event.number,
            "at": clock(event.at),
            "at_iso": timestamp(event.at),
            "at_title": moment(event.at),
            "who": event.actor_name or kinds.get(event.actor_type, ""),
            "kind": kinds.get(event.actor_type, ""),
            "person_url": _person_url(organization, event, names),
            "what": words.get(event.type, event.type),
            "subject": event.subject_name,
            "door": places.get(event.door, event.door),
            "ip": event.ip,
            "user_agent": event.user_agent,
            "changes": changes_in_words(event.changes),
        }
        for event in events
    ]


def _names(organization: Organization, events: Iterable[Event]) -> dict[str, str]:
    """What those of the actors who are users are called now; the log keeps what they were called then."""
    users: set[Any] = {event.actor_id for event in events if event.actor_type == "user"}
    # Asked for both, SQLite reads everybody in the organization.
    known = Membership.objects.filter(user__in=users).order_by("pk")
    rows = known.values_list("organization", "user", "name", "email")
    return {str(user): name or email for place, user, name, email in rows if place == organization.pk}


def _person_url(organization: Organization, event: Event, names: dict[str, str]) -> str | None:
    """The log of whoever did it; an invitee is known by the address."""
    name = names.get(event.actor_id or "") if event.actor_type == "user" else event.actor_name
    return Address(_url("audit_log", organization), {})(person=name) if name else None


def _filters(request: HttpRequest) -> Filters:
    """What the address asks for; what it cannot mean is left out."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    return Filters(
        type=chosen["type"] if chosen["type"] in TYPES else "",
        person=searchable(chosen["person"]),
        since=_midnight(chosen["from"], 0),
        until=_midnight(chosen["to"], 1),
        q=searchable(chosen["q"]),
    )


def _midnight(text: str, days: int) -> datetime | None:
    """The beginning of that day in the viewer's zone, or of one some days later."""
    try:
        chosen: date | None = parse_date(text)
    except ValueError:
        chosen = None
    if chosen is None or not 1900 < chosen.year < 9999:
        return None
    return datetime.combine(chosen + timedelta(days=days), time(), timezone.get_current_timezone())


def _is_oldest_first(request: HttpRequest) -> bool:
    sort = request.GET.get("sort") or "-when"
    if sort not in ("when", "-when"):
        raise errors.InvalidFilter(value=sort, choices="when")
    return sort == "when"


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise errors.InvalidCursor
    return int(text)


def _url(name: str, organization: Organization, address: Address | None = None) -> str:
    path = reverse(f"guestlist:{name}", args=[organization.slug])
    return Address(path, address.values)() if address else path
