"""Members as REST shows them."""

from guestlist.api.resources import Resource


class RoleReference(Resource):
    """The role of a member."""

    id: str
    name: str


class Member(Resource):
    """A user of an organization; `role` is null until one is assigned."""

    id: str
    name: str
    email: str
    email_verified: bool
    role: RoleReference | None
    joined_at: str


class MemberList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Member]
    next_cursor: str | None
    total: int | None
