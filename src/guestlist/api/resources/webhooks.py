"""Webhooks and their calls as REST shows them."""

from typing import Literal

from pydantic import Field

from guestlist.api.resources import Resource

CallStates = Literal["queued", "deferred", "delivered", "failed", "canceled"]


class Webhook(Resource):
    """An address that is told what happens. `disabled_reason` says why it is off: somebody turned it off, it
    answered 410 (`gone`), or every call failed for a day (`failing`). `failing_since` is when the first of
    the calls failed of which none has arrived since, `delivered_at` when the last one arrived.
    """

    id: str
    url: str
    description: str = Field(examples=["CRM"])
    types: list[str] = Field(examples=[["invitation.accepted", "member.joined"]])
    enabled: bool = Field(examples=[True])
    disabled_reason: Literal["turned_off", "gone", "failing"] | None = Field(examples=[None])
    disabled_at: str | None = Field(examples=[None])
    failing_since: str | None = Field(examples=[None])
    delivered_at: str | None
    created_at: str


class DisclosedWebhook(Webhook):
    """A webhook whose secret is new. `secret` is shown this one time."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="])


class WebhookList(Resource):
    """`total` is the number of them."""

    items: list[Webhook]
    next_cursor: str | None
    total: int | None


class CallSubject(Resource):
    """Whom or what an event is about."""

    id: str
    name: str


class WebhookCall(Resource):
    """One call that is owed to a webhook or was made. `message_id` is the header `webhook-id`, the same
    however often it is made; `status` is that of the last answer.
    """

    id: str
    webhook_id: str
    message_id: str = Field(examples=["msg_019a3b5c7d1e7f208a4b5c6d7e8f9a0b"])
    type: str = Field(examples=["member.joined"])
    subject: CallSubject
    state: CallStates = Field(examples=["delivered"])
    detail: str | None
    attempts: int
    status: int | None = Field(examples=[200])
    created_at: str
    at: str | None
    next_at: str | None


class CallRequest(Resource):
    """What is sent: `body` byte for byte. Each attempt has a `webhook-timestamp` of its own, here that of the
    last one, and a `webhook-signature`, which is not shown.
    """

    url: str
    headers: dict[str, str] = Field(
        examples=[
            {
                "content-type": "application/json",
                "webhook-id": "msg_019a3b5c7d1e7f208a4b5c6d7e8f9a0b",
                "webhook-timestamp": "1772357400",
            }
        ]
    )
    body: str = Field(
        examples=['{"type":"member.joined","timestamp":"2026-03-01T09:30:00.000000Z","data":{"id":"…"}}']
    )


class CallAnswer(Resource):
    """What the last attempt was answered: of the body the first 1,000 characters."""

    status: int = Field(examples=[200])
    body: str = Field(examples=["ok"])


class CallHappened(Resource):
    """One thing that happened to a call: an attempt with its number, seconds and the status of the answer, or
    `by` whom it was asked for again. `unclear` where nobody knows whether it arrived, `interrupted` where the
    process that made it ended.
    """

    at: str | None
    state: CallStates | None = Field(examples=["delivered"])
    detail: str | None
    attempt: int | None
    seconds: float | None
    status: int | None = Field(examples=[200])
    by: str | None = Field(examples=[None])
    unclear: bool
    interrupted: bool


class WholeWebhookCall(WebhookCall):
    """A call with what is sent, what was answered, and the newest 20 things that happened to it."""

    request: CallRequest
    answer: CallAnswer | None
    history: list[CallHappened]


class WebhookCallList(Resource):
    """`total` is null beyond 10,000."""

    items: list[WebhookCall]
    next_cursor: str | None
    total: int | None


class Redelivered(Resource):
    """How many calls are made again."""

    redelivered: int = Field(examples=[12])
