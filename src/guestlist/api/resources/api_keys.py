"""API keys as REST shows them."""

from typing import Literal

from pydantic import Field

from guestlist.api.resources import Actor, Resource


class ApiKey(Resource):
    """A credential of an organization for programs, cut to the permissions that `created_by` has at each
    request. `prefix` is the part of it that is kept in clear. `expires_at` is null when it never expires;
    `last_used_at` is true to the minute. `replaced_by` is the key that rotating it made.
    """

    id: str
    name: str = Field(examples=["Backend"])
    prefix: str = Field(examples=["glk_ab12cd34"])
    permissions: list[str]
    status: Literal["active", "expired", "revoked", "creator_gone"]
    created_by: Actor
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    replaces: str | None
    replaced_by: str | None


class NewApiKey(ApiKey):
    """A key that was just made. `key` is shown this one time."""

    key: str = Field(examples=["glk_ab12cd34…"])


class ApiKeyList(Resource):
    """`total` is null beyond 10,000."""

    items: list[ApiKey]
    next_cursor: str | None
    total: int | None
