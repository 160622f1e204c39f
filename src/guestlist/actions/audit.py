"""The audit log, read: any part of it, however long it is, a bounded number of rows at a time.

Each index of the table ends in `number`, so what one of them answers (everything, one type, what one actor
did, what happened to one subject) is a *trail* that is walked in order from any number on, and reading a page
of it costs a page. A person has several trails; they are walked side by side.

What no index answers (a text; the type of what a person did) is sifted out of the trails. Then nobody knows
how far away the next match is, so one page looks at no more than 50,000 rows: it says how far it came, and
its `next` goes on from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from typing import Any, TypeAlias

from django.db import connections, router
from django.db.models import Q, QuerySet

from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.models import ApiKey, Event, Invitation, JoinRequest, Membership, Organization
from guestlist.models.event import EventQuerySet
from guestlist.models.fields import searchable
from guestlist.models.listing import capped_counts

PAGE_SIZE = 50
BATCH = 1000
# Rows that one page looks at where matches must be searched for.
SEARCHED = 50_000
# Who shares a name, and what one person has left behind in an organization: more is left out.
PEOPLE = 20
TRAILS = 100
# Actors that are nobody in particular, and what the log calls them.
UNNAMED = {actor.type: actor.name for actor in (Actor.operator(), Actor.system())}
# Actors without an id.
NAMELESS = (*UNNAMED, "invitee")
Trail: TypeAlias = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is wanted: from `since` to before `until`, of `type`, by `actor`, by or about `person`, with `q`
    in it.

    `actor` is the id of a user or of an API key, or one of NAMELESS. `person` is the name of somebody who
    belongs or belonged to the organization, an address, the name of an API key, Operator, or Guestlist for
    what nobody did.
    """

    type: str = ""
    actor: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Found:
    """Some events, and the number to go on from; None at the end.

    `searched_to` is the last event that was looked at, where the page is not full and the end not reached.
    """

    events: Sequence[Event]
    next: int | None
    searched_to: Event | None = None


@dataclass(frozen=True)
class Log:
    """The part of an organization's audit log that `filters` choose. Whoever asks has `audit.read`."""

    organization: Organization
    filters: Filters = Filters()

    def events(
        self, behind: int | None = None, *, oldest_first: bool = False, size: int = PAGE_SIZE
    ) -> Found:
        """Up to `size` events behind the number `behind`, the newest first unless `oldest_first`."""
        first, end = self._days
        if behind is not None:
            # One bound on each side: of two, SQLite may walk up to the wrong one.
            first, end = (max(first, behind + 1), end) if oldest_first else (first, min(end, behind))
        trails = self._between(first, end, oldest_first=oldest_first)
        edge = _edge(trails, oldest_first=oldest_first) if trails and self._is_sifted else None
        if edge is not None:
            first, end = (first, edge + 1) if oldest_first else (edge, end)
            trails = self._between(first, end, oldest_first=oldest_first)
        found = self._merged([self._sift(rows) for rows in trails], size + 1, oldest_first=oldest_first)
        if len(found) > size:
            return Found(found[:size], found[size - 1].number)
        if edge is None:
            return Found(found, None)
        return Found(found, edge, self._events.get(number=edge))

    def all(self, *, oldest_first: bool = False) -> Iterator[Event]:
        """Every event, read a batch at a time while it is taken."""
        behind: int | None = None
        while True:
            found = self.events(behind, oldest_first=oldest_first, size=BATCH)
            yield from found.events
            if (behind := found.next) is None:
                return

    def count(self) -> int | None:
        """How many there are, where that is known without counting: numbers have no gaps."""
        if self.filters.type or self.filters.actor or self.filters.person or searchable(self.filters.q):
            return None
        first, end = self._days
        return max(0, end - first)

    def capped_count(self) -> int | None:
        """How many there are, counted up to 10,001; None where not one index alone knows."""
        if self.filters.person or self._is_sifted:
            return None
        total = self.count()
        if total is None:
            first, end = self._days
            total = sum(capped_counts(self._between(first, end, oldest_first=True)))
        return total

    @property
    def _events(self) -> EventQuerySet:
        return Event.objects.filter(organization=self.organization)

    @property
    def _is_sifted(self) -> bool:
        indexed = (self.filters.person, self.filters.actor, self.filters.type)
        return bool(searchable(self.filters.q)) or sum(map(bool, indexed)) > 1

    @cached_property
    def _actors(self) -> list[Trail]:
        """Where the events stand that `actor` made."""
        actor = self.filters.actor
        if actor in NAMELESS:
            return [{"actor_type": actor, "actor_id": None}]
        return [{"actor_type": kind, "actor_id": actor} for kind in ("user", "api_key")] if actor else []

    @property
    def _people(self) -> list[Trail]:
        """Those of the person, which are then sifted for the actor; else those of the actor."""
        person = self.filters.person
        return _trails_of(self.organization, person) if person else self._actors

    def _sift(self, rows: EventQuerySet) -> EventQuerySet:
        if self._actors and self.filters.person:
            rows = rows.filter(reduce(or_, (Q(**trail) for trail in self._actors)))
        if self.filters.type:
            rows = rows.filter(type=self.filters.type)
        return rows.matching(self.filters.q)

    @cached_property
    def _days(self) -> tuple[int, int]:
        """The numbers that the times stand for, the second one excluded: numbers rise with time."""
        first, end = 1, self.organization.event_number + 1
        if self.filters.since:
            first = self._first_since(self.filters.since, end)
        if self.filters.until:
            end = self._first_since(self.filters.until, end)
        return first, end

    def _first_since(self, moment: datetime, end: int) -> int:
        later = self._events.filter(at__gte=moment).order_by("at", "number")
        return later.values_list("number", flat=True).first() or end

    @cached_property
    def _trails(self) -> list[tuple[EventQuerySet, Sequence[str]]]:
        """Rows, and the columns in whose order an index holds them, which is that of `number`."""
        rows = self._events
        if self.filters.actor or self.filters.person:
            # An actor without an id has null there, which PostgreSQL does not take for one value among
            # ordered ones unless it is asked for that order.
            return [
                (rows.filter(**trail), ("actor_id", "number") if "actor_id" in trail else ("number",))
                for trail in self._people
            ]
        return [(rows.filter(type=self.filters.type) if self.filters.type else rows, ("number",))]

    def _between(self, first: int, end: int, *, oldest_first: bool) -> list[EventQuerySet]:
        """The trails from the number `first` to before `end`, in their order."""
        sign = "" if oldest_first else "-"
        return [
            rows.filter(number__gte=first, number__lt=end).order_by(*(sign + name for name in names))
            for rows, names in self._trails
        ]

    def _merged(self, trails: Sequence[EventQuerySet], size: int, *, oldest_first: bool) -> list[Event]:
        """The first `size` events of the trails together, each of which is read no further than that."""
        if len(trails) < 2:
            return [event for rows in trails for event in rows[:size]]
        parts, params = _compiled([rows.values("number")[:size] for rows in trails])
        # Within a query of its own a trail may end early, on every database.
        union = " UNION ".join(f"SELECT number FROM ({part}) AS trail" for part in parts)  # noqa: S608
        sql = f"{union} ORDER BY number {'ASC' if oldest_first else 'DESC'} LIMIT {size:d}"
        numbers = [number for (number,) in _rows(sql, params)]
        return list(self._events.filter(number__in=numbers).order_by("number" if oldest_first else "-number"))


def _edge(trails: Sequence[EventQuerySet], *, oldest_first: bool) -> int | None:
    """Where the rows that may be looked at end, shared among the trails; None where they suffice.

    What lies past the nearest end is not looked at, so that no trail is read further than another.
    """
    share = SEARCHED // len(trails)
    parts, params = _compiled([rows.values("number")[share - 1 : share] for rows in trails])
    ends = _rows(f"SELECT {', '.join(f'({part})' for part in parts)}", params)[0]
    return (min if oldest_first else max)((end for end in ends if end is not None), default=None)


def _trails_of(organization: Organization, person: str) -> list[Trail]:
    """Where the events by and about everybody of that name or address stand."""
    person = searchable(person)
    key = comparison_key(person)
    users = _users(organization, person, key)
    memberships = Membership.objects.filter(organization=organization, user__in=users).order_by("-pk")
    members = list(memberships.values_list("pk", "email_key")[:PEOPLE])
    keys = {email_key for _, email_key in members} | ({key} if key else set())
    named = ApiKey.objects.filter(organization=organization, name__iexact=person)
    programs = list(named.values_list("pk", flat=True)[:PEOPLE])
    trails: list[Trail] = [
        *(
            {"actor_type": kind, "actor_id": None}
            for kind, name in UNNAMED.items()
            if name.casefold() == person.casefold()
        ),
        *({"actor_type": "user", "actor_id": str(user)} for user in users),
        *({"actor_type": "api_key", "actor_id": str(pk)} for pk in programs),
        *({"subject_type": "api_key", "subject_id": str(pk)} for pk in programs),
        *({"subject_type": "member", "subject_id": str(pk)} for pk, _ in members),
        *_trails_to("invitation", Invitation.objects.filter(organization=organization, key__in=keys)),
        *_trails_to("join_request", JoinRequest.objects.filter(organization=organization, key__in=keys)),
    ]
    return trails[:TRAILS]


def _users(organization: Organization, person: str, key: str | None) -> list[Any]:
    """Members of now and then who are called `person`, and whoever owns the address."""
    everyone = Membership.objects.filter(organization=organization)
    called = everyone.matching(person).filter(name__iexact=person) if person else everyone.none()
    found = set(called.values_list("user", flat=True)[:PEOPLE])
    if key:
        found.update(everyone.filter(email_key=key).values_list("user", flat=True)[:PEOPLE])
        found.update(conf().addresses.owners([key]).values())
    return sorted(found, key=str)[:PEOPLE]


def _trails_to(kind: str, subjects: "QuerySet[Any]") -> list[Trail]:
    newest = subjects.order_by("-pk").values_list("pk", flat=True)[:PEOPLE]
    return [{"subject_type": kind, "subject_id": str(pk)} for pk in newest]


def _compiled(querysets: "Sequence[QuerySet[Any, Any]]") -> tuple[list[str], list[Any]]:
    parts, params = [], []
    for rows in querysets:
        sql, values = rows.query.get_compiler(rows.db).as_sql()
        parts.append(sql)
        params.extend(values)
    return parts, params


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[router.db_for_read(Event)].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
