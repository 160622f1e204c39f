"""Mail domains as REST shows them."""

from typing import Literal

from guestlist.api.resources import Resource


class Domain(Resource):
    """`verified_at` is null until it is verified; `email` is where the code went, `mode` what people with an
    address there may do.
    """

    id: str
    domain: str
    mode: Literal["off", "request", "join"]
    email: str
    verified_at: str | None
    created_at: str


class DomainList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Domain]
    next_cursor: str | None
    total: int | None
