"""Roles and permissions as REST shows them."""

from guestlist.api.resources import Resource


class Role(Resource):
    """A named set of permissions. `fixed` marks Owner, which cannot be changed or deleted; `member_count` is
    null beyond 10,000.
    """

    id: str
    name: str
    permissions: list[str]
    fixed: bool
    member_count: int | None


class RoleList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Role]
    next_cursor: str | None
    total: int | None


class Permission(Resource):
    """What a role or a key can allow."""

    code: str
    label: str
    sentence: str


class PermissionList(Resource):
    """All of them at once."""

    items: list[Permission]
    next_cursor: str | None
    total: int | None
