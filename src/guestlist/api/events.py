"""The audit log over REST."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.dateparse import parse_date, parse_datetime
from ninja import Path, Query, Router
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.audit import NAMELESS, Filters, Log
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Search, answer
from guestlist.api.downloads import CSV, csv_answer
from guestlist.api.paging import sorting
from guestlist.api.resources import events as resources
from guestlist.events import TYPES
from guestlist.models import Event, Organization
from guestlist.models.fields import id_of, searchable
from guestlist.models.listing import COUNT_LIMIT
from guestlist.permissions import Permission

router = Router(tags=["Events"])


def _moment(value: Any) -> datetime | None:
    """A time, or the beginning of a day, in UTC unless it says otherwise."""
    text = str(value or "")
    if not text:
        return None
    try:
        day = parse_date(text)
        at = parse_datetime(f"{day}T00:00:00") if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None or not 1900 < at.year < 9999:
        raise PydanticCustomError("invalid_time", "Write a time like 2026-03-01 or 2026-03-01T14:05:00Z")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Moment = Annotated[datetime | None, BeforeValidator(_moment), WithJsonSchema({"type": "string"})]


class EventFilter(BaseModel):
    """Which events. Of a parameter given twice the last one counts."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("", description="Only this type, such as `invitation.sent`.")
    actor: Search = Field(
        "", description=f"Only by the user or API key with this id, or by {', '.join(NAMELESS)}."
    )
    person: Search = Field("", description="Only by or about whoever has this name or address.")
    since: Moment = Field(None, description="Only from this time on: 2026-03-01, 2026-03-01T14:05:00Z.")
    until: Moment = Field(None, description="Only before this time.")
    q: Search = Field("", description="Only with this text in who, what, to whom or the IP address.")
    sort: str = sorting(["at"], "-at")

    def log(self, organization: Organization) -> Log:
        """The part of the log that is asked for. Raises InvalidFilter."""
        if self.type and self.type not in TYPES:
            raise errors.InvalidFilter(field="type", value=self.type[:100], choices=", ".join(sorted(TYPES)))
        filters = Filters(
            type=self.type,
            actor=searchable(self.actor),
            person=searchable(self.person),
            since=self.since,
            until=self.until,
            q=self.q,
        )
        return Log(organization, filters)

    @property
    def is_oldest_first(self) -> bool:
        """Raises InvalidFilter."""
        if self.sort not in ("at", "-at"):
            raise errors.InvalidFilter(value=self.sort[:100], choices="at, -at")
        return self.sort == "at"


class EventQuery(EventFilter):
    """How to list events."""

    limit: int = Field(50, ge=1, le=500, description="How many items to answer with, at most.")
    cursor: str | None = Field(None, description="The `next_cursor` of the page before.", max_length=2000)


@router.get("/events", response=resources.EventList, summary="List events")
def list_events(request: HttpRequest, slug: Path[str], query: Annotated[EventQuery, Query()]) -> HttpResponse:
    """The audit log, newest first unless told otherwise. Where matches have to be searched for, a page looks
    at 50,000 events at most: it can hold fewer than `limit`, even none, and still have a `next_cursor`.
    `total` is null beyond 10,000, and where matches have to be searched for. Needs `audit.read`.
    """
    log = query.log(_readable(request, slug))
    found = log.events(_number(query.cursor), oldest_first=query.is_oldest_first, size=query.limit)
    total = log.capped_count()
    return answer(
        {
            "items": [event.as_resource() for event in found.events],
            "next_cursor": None if found.next is None else str(found.next),
            "total": total if total is not None and total <= COUNT_LIMIT else None,
        }
    )


@router.get("/events.csv", summary="Download events", openapi_extra=CSV)
def download_events(
    request: HttpRequest, slug: Path[str], query: Annotated[EventFilter, Query()]
) -> StreamingHttpResponse:
    """All that the filters choose, as CSV, one event to a line. Needs `audit.read`. 422 `invalid_filter`."""
    organization = _readable(request, slug)
    events = query.log(organization).all(oldest_first=query.is_oldest_first)
    name = f"{organization.slug}-audit-log.csv"
    return csv_answer(name, Event.HEADER, (event.as_row() for event in events))


@router.get("/events/{event_id}", response=resources.Event, summary="Show an event")
def get_event(request: HttpRequest, slug: Path[str], event_id: str) -> HttpResponse:
    """Needs `audit.read`."""
    organization = _readable(request, slug)
    event = Event.objects.filter(organization=organization, pk=id_of(event_id)).first()
    if event is None:
        raise errors.NotFound
    return answer(event.as_resource())


def _readable(request: HttpRequest, slug: str) -> Organization:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.AUDIT_READ)
    return organization


def _number(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise errors.InvalidCursor
    return int(cursor)
