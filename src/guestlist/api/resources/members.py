"""Members as REST shows them."""

from typing import Literal

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


class ChangeResult(Resource):
    """What became of one id."""

    id: str
    outcome: Literal["changed", "unchanged", "own_role", "above_own_role", "last_owner", "not_found"]


class Changed(Resource):
    """How many got the role, and how many did not. By filter, `results` names the first 100 that were
    skipped.
    """

    changed: int
    skipped: int
    results: list[ChangeResult]


class RemoveResult(Resource):
    """What became of one id."""

    id: str
    outcome: Literal["removed", "own_membership", "above_own_role", "last_owner", "not_found"]


class Removed(Resource):
    """How many were removed, and how many were not. By filter, `results` names the first 100 that were
    skipped.
    """

    removed: int
    skipped: int
    results: list[RemoveResult]
