"""Messages as REST shows them."""

from typing import Literal

from guestlist.api.resources import Resource


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
    """A message by itself. What is not about one invitation belongs to none."""

    id: str
    kind: Literal[
        "invitation",
        "reminder",
        "asked",
        "declined",
        "digest",
        "test",
        "domain_code",
        "join_request",
        "webhook_off",
    ]
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
