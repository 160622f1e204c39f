"""Events as REST shows them."""

from typing import Any

from guestlist.api.resources import Actor, Resource


class Origin(Resource):
    """Where it came from: `door` is `web`, `api`, `cli` or `worker`."""

    door: str
    ip: str | None
    user_agent: str


class Subject(Resource):
    """What it happened to."""

    type: str
    id: str
    name: str


class Event(Resource):
    """Something that happened. `number` has no gaps within an organization; `changes` says of each field what
    it was before and after.
    """

    id: str
    number: int
    type: str
    at: str
    actor: Actor
    origin: Origin
    subject: Subject
    changes: dict[str, list[Any]]


class EventList(Resource):
    """`total` is null beyond 10,000, and where matches have to be searched for."""

    items: list[Event]
    next_cursor: str | None
    total: int | None
