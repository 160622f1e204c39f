"""What REST answers with, for the documentation at /api/docs: responses are built from plain dicts, and a
test holds them against these.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Resource(BaseModel):
    """Something REST answers with: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Organization(Resource):
    """The group that people belong to."""

    id: str
    slug: str
    name: str
    created_at: str


class Actor(Resource):
    """Who did it. The operator has no id."""

    type: Literal["user", "api_key", "operator", "system", "invitee"]
    id: str | None
    name: str


class Delivery(Resource):
    """What became of the mail."""

    state: Literal["queued", "deferred", "sent", "delivered", "bounced", "complained", "failed", "canceled"]
    detail: str | None
    attempts: int
    at: str | None
    next_at: str | None


class Happened(Resource):
    """One thing that happened to a message: an attempt with its number and seconds, or `by` whom it was
    tried again. `unclear` where nobody knows whether it arrived.
    """

    at: str | None
    state: str | None
    detail: str | None
    attempt: int | None
    seconds: float | None
    by: str | None
    unclear: bool
    interrupted: bool


class Message(Delivery):
    """A message by itself. A digest and a test belong to no invitation."""

    id: str
    kind: Literal["invitation", "reminder", "asked", "declined", "digest", "test"]
    to: str
    invitation_id: str | None
    message_id: str
    created_at: str
    history: list[Happened]


class MessageList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Message]
    next_cursor: str | None
    total: int | None


class Retried(Resource):
    """How many failed messages are tried again, and how many are not wanted any more."""

    retried: int
    skipped: int


class Invitation(Resource):
    """An offer to one address. `expires_at` is null when it never expires."""

    id: str
    email: str
    status: Literal["pending", "accepted", "declined", "revoked", "expired"]
    invited_at: str
    last_sent_at: str
    sent_count: int
    expires_at: str | None
    invited_by: Actor
    ended_at: str | None
    delivery: Delivery | None


class InvitationList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Invitation]
    next_cursor: str | None
    total: int | None


class Result(Resource):
    """What became of one address, or of text that is none or is not allowed (`input` and `reason` in place of
    `email`).
    """

    email: str | None = None
    input: str | None = None
    outcome: Literal[
        "sent", "would_send", "duplicate", "already_member", "already_invited", "suppressed", "invalid"
    ]
    reason: str | None = None
    invitation: Invitation | None = None
    warnings: list[str] | None = None


class Batch(Resource):
    """The four counts add up to the number of results."""

    sent: int
    skipped: int
    duplicates: int
    invalid: int
    ignored: list[str]
    results: list[Result]
    warnings: list[str] | None = None


class RevokeResult(Resource):
    """What became of one id."""

    id: str
    outcome: Literal["revoked", "not_pending", "not_found"]


class Revoked(Resource):
    """How many were revoked, and how many were not."""

    revoked: int
    skipped: int
    results: list[RevokeResult]


class ResendResult(Resource):
    """What became of one id."""

    id: str
    outcome: Literal["resent", "not_pending", "not_found", "suppressed", "too_soon", "domain_not_allowed"]


class Resent(Resource):
    """How many were sent again, and how many were not."""

    resent: int
    skipped: int
    results: list[ResendResult]


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
