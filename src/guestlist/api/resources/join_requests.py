"""Requests to join as REST shows them."""

from typing import Literal

from guestlist.api.resources import Resource


class JoinRequest(Resource):
    """Somebody with an address at a domain of the organization asks to be let in. `name` is empty of whoever
    was not signed in; `domain` is null where it has been removed.
    """

    id: str
    email: str
    name: str
    domain: str | None
    status: Literal["pending", "granted", "dismissed"]
    created_at: str
    ended_at: str | None


class JoinRequestList(Resource):
    """`total` is null beyond 10,000."""

    items: list[JoinRequest]
    next_cursor: str | None
    total: int | None


class Granted(Resource):
    """How many got an invitation, and how many can't be invited and wait on."""

    granted: int
    left: int


class Dismissed(Resource):
    """How many were taken off the list."""

    dismissed: int
