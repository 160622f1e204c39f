"""Join links as REST shows them."""

from typing import Literal

from guestlist.api.resources import Resource


class JoinLink(Resource):
    """A link by which any number of people can join. `expires_at` is null when it never expires, `max_uses`
    when any number can use it.
    """

    id: str
    name: str
    status: Literal["on", "off", "used_up", "expired"]
    expires_at: str | None
    max_uses: int | None
    uses: int
    domains: list[str]
    created_at: str


class OpenJoinLink(JoinLink):
    """With what opens it."""

    url: str


class JoinLinkList(Resource):
    """`total` is null beyond 10,000."""

    items: list[JoinLink]
    next_cursor: str | None
    total: int | None
