"""Webhooks and their calls over REST."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from guestlist.actions import access, webhook_log
from guestlist.actions import webhooks as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import AT_LEAST_ONE, Body, Each, answer, shown_once
from guestlist.api.changes import Change
from guestlist.api.events import Moment
from guestlist.api.idempotency import first
from guestlist.api.paging import ListQuery, choosing, list_page
from guestlist.api.resources import webhooks as resources
from guestlist.delivery.targets import checked_url
from guestlist.models import Organization, Webhook, WebhookDelivery
from guestlist.models.fields import id_of
from guestlist.models.webhook_delivery import CallState
from guestlist.permissions import Permission
from guestlist.webhook_messages import TYPES

router = Router(tags=["Webhooks"])
NEWEST = "-created"
URL = "Where calls go: https, on the public network."
ABOUT_TYPES = "The types of events that it is told of."
DESCRIPTION = "For those who manage webhooks; at most 80 characters."
EACH_TYPE: dict[str, Any] = {"items": {"type": "string", "enum": list(TYPES)}}


class WebhookQuery(ListQuery):
    """How to list webhooks."""


class CallQuery(ListQuery):
    """How to list calls."""

    state: str = choosing(CallState.values, "What became of them")


class NewWebhook(Body):
    """A webhook to create."""

    url: str = Field(description=URL, examples=["https://hooks.example.com/guestlist"])
    types: Each[str] = Field(
        default_factory=list,
        description=f"{ABOUT_TYPES} Every one that the key may read, unless told.",
        examples=[["invitation.accepted", "member.joined"]],
        json_schema_extra=EACH_TYPE,
    )
    description: str = Field("", description=DESCRIPTION, examples=["CRM"])


class WebhookChange(Change):
    """What can be changed of a webhook; what is not given stays."""

    model_config = AT_LEAST_ONE

    url: str = Field(default_factory=str, description=URL, examples=["https://hooks.example.com/guestlist"])
    types: Each[str] = Field(
        default_factory=list,
        description=ABOUT_TYPES,
        examples=[["invitation.accepted", "member.joined"]],
        json_schema_extra=EACH_TYPE,
    )
    description: str = Field(default_factory=str, description=DESCRIPTION, examples=["CRM"])
    enabled: bool = Field(default_factory=bool, description="Whether it is on.", examples=[True])


class SecretRotation(Body):
    """How to change the secret."""

    overlap: str = Field(
        actions.OVERLAP,
        description="How long the former secret signs too: `24h`, `7d` at most, or `0`.",
        examples=["24h"],
    )


def _given(moment: datetime | None) -> datetime:
    if moment is None:
        raise PydanticCustomError("required", "This field is required")
    return moment


class Redelivery(Body):
    """Which calls to make again."""

    since: Annotated[
        Moment, AfterValidator(_given), WithJsonSchema({"type": "string", "format": "date-time"})
    ] = Field(description="Those of events from this time on.", examples=["2026-03-01T09:30:00Z"])
    state: str = choosing(CallState.values, "Only those that are")


@router.get("", response=resources.WebhookList, summary="List webhooks")
def list_webhooks(
    request: HttpRequest, slug: Path[str], query: Annotated[WebhookQuery, Query()]
) -> HttpResponse:
    """Newest first; `q` looks in the address and the description. Needs `webhook.manage`."""
    _actor, organization = _caller(request, slug)
    rows = Webhook.objects.filter(organization=organization).matching(query.q)
    return list_page(request, rows, Webhook.COLUMNS, NEWEST, query)


def _check_new(request: HttpRequest, slug: str, payload: NewWebhook) -> None:
    _caller(request, slug)
    checked_url(payload.url)


@router.post("", response={201: resources.DisclosedWebhook}, summary="Create a webhook")
@first(_check_new)
def create_webhook(request: HttpRequest, slug: Path[str], payload: NewWebhook) -> HttpResponse:
    """Answers with the `secret` that its calls are signed with, this one time. It is told of no more than the
    key, and whoever made that, may read at the time of each call. Needs `webhook.manage`, and for each type
    what one needs to read it: 403 `webhook_type_unreadable`.

    422 `webhook_url_invalid`, `webhook_url_insecure` without https, `webhook_target_unknown` for a name that
    leads nowhere, `webhook_target_forbidden` for an address that is not on the public network,
    `webhook_type_unknown`, `webhook_without_types`; 409 `too_many_webhooks` beyond 10; 503
    `webhook_target_busy` while too many addresses are being looked up.
    """
    actor, organization = _caller(request, slug)
    new = actions.create_webhook(
        actor=actor,
        organization=organization,
        url=payload.url,
        types=payload.types if "types" in payload.model_fields_set else None,
        description=payload.description,
    )
    return shown_once(new.as_resource(), 201)


@router.get("/{webhook_id}", response=resources.Webhook, summary="Show a webhook")
def get_webhook(request: HttpRequest, slug: Path[str], webhook_id: str) -> HttpResponse:
    """One webhook, without its secret. Needs `webhook.manage`."""
    _actor, organization = _caller(request, slug)
    row = actions.find_webhook(organization=organization, webhook_id=id_of(webhook_id))
    return answer(row.as_resource())


@router.patch("/{webhook_id}", response=resources.Webhook, summary="Change a webhook")
def patch_webhook(
    request: HttpRequest, slug: Path[str], webhook_id: str, payload: WebhookChange
) -> HttpResponse:
    """Its address, types, description, and whether it is on. Calls that are owed go to the new address;
    those of types that are taken away are canceled. Turning it off cancels them all, turning it on forgets
    that it failed. Needs `webhook.manage`, for each type that is added what one needs to read it, and for a
    new address that of every type that it was, is told of or is owed: 403 `webhook_type_unreadable`.

    422 `webhook_url_invalid`, `webhook_url_insecure`, `webhook_target_unknown`, `webhook_target_forbidden`,
    `webhook_type_unknown`, `webhook_without_types`; 409 `webhook_creator_may_not_read` for a type that
    whoever created it may not read; 503 `webhook_target_busy`.
    """
    actor, organization = _caller(request, slug)
    given = {name: getattr(payload, name) for name in payload.model_fields_set}
    if "url" in given:
        actions.find_webhook(organization=organization, webhook_id=id_of(webhook_id))
        checked_url(payload.url)
    row = actions.update_webhook(
        actor=actor, organization=organization, webhook_id=id_of(webhook_id), **given
    )
    return answer(row.as_resource())


@router.delete("/{webhook_id}", response={204: None}, summary="Delete a webhook")
def delete_webhook(request: HttpRequest, slug: Path[str], webhook_id: str) -> Status[None]:
    """The webhook, what it is owed and the log of its calls are gone. Needs `webhook.manage`."""
    actor, organization = _caller(request, slug)
    actions.delete_webhook(actor=actor, organization=organization, webhook_id=id_of(webhook_id))
    return Status(204, None)


@router.post(
    "/{webhook_id}/rotate-secret",
    response=resources.DisclosedWebhook,
    summary="Change the secret of a webhook",
)
def rotate_webhook_secret(
    request: HttpRequest, slug: Path[str], webhook_id: str, payload: SecretRotation | None = None
) -> HttpResponse:
    """Answers with the new `secret`, this one time. Until the overlap is over, 24 hours unless told, each
    call is signed with the new one and with the former one, and a receiver that knows either verifies it.
    Needs `webhook.manage`. 422 `overlap_invalid`.
    """
    actor, organization = _caller(request, slug)
    new = actions.rotate_secret(
        actor=actor,
        organization=organization,
        webhook_id=id_of(webhook_id),
        overlap=payload.overlap if payload else actions.OVERLAP,
    )
    return shown_once(new.as_resource())


@router.post("/{webhook_id}/test", response={201: resources.WebhookCall}, summary="Send a test event")
def send_test_event(request: HttpRequest, slug: Path[str], webhook_id: str) -> HttpResponse:
    """Owes the webhook a call of the type `webhook.test`, with the webhook as `data`. Show the call a moment
    later to see what became of it. An earlier test that is still owed is canceled. Needs `webhook.manage`.
    409 `webhook_off`.
    """
    actor, organization = _caller(request, slug)
    row = webhook_log.send_test(actor=actor, organization=organization, webhook_id=id_of(webhook_id))
    return answer(row.as_resource(), status=201)


@router.get("/{webhook_id}/deliveries", response=resources.WebhookCallList, summary="List calls of a webhook")
def list_webhook_deliveries(
    request: HttpRequest, slug: Path[str], webhook_id: str, query: Annotated[CallQuery, Query()]
) -> HttpResponse:
    """Newest first, for 30 days: those about which the key may read, and tests. `q` looks in the name of whom
    or what an event is about, or is a whole `message_id`. Needs `webhook.manage`.
    """
    rows = webhook_log.calls_of(**_which(request, slug, webhook_id), state=query.state, q=query.q)
    return list_page(request, rows, WebhookDelivery.COLUMNS, NEWEST, query)


@router.post(
    "/{webhook_id}/deliveries/redeliver",
    response=resources.Redelivered,
    summary="Make calls again since a time",
)
def redeliver_webhook_deliveries(
    request: HttpRequest, slug: Path[str], webhook_id: str, payload: Redelivery
) -> HttpResponse:
    """All of events from a time on, or those in one state, in the order of their events, with the same bodies
    and message ids. Needs `webhook.manage`. 409 `webhook_off`, 422 `invalid_filter`.
    """
    result = webhook_log.redeliver_since(
        **_which(request, slug, webhook_id), since=_given(payload.since), state=payload.state
    )
    return answer(result.as_resource())


@router.get(
    "/{webhook_id}/deliveries/{webhook_delivery_id}",
    response=resources.WholeWebhookCall,
    summary="Show a call of a webhook",
)
def get_webhook_delivery(
    request: HttpRequest, slug: Path[str], webhook_id: str, webhook_delivery_id: str
) -> HttpResponse:
    """With what is sent, what was answered last, and every attempt. Needs `webhook.manage`."""
    which = _which(request, slug, webhook_id)
    row = webhook_log.find_call(**which, delivery_id=id_of(webhook_delivery_id))
    return answer(webhook_log.whole_call(row))


@router.post(
    "/{webhook_id}/deliveries/{webhook_delivery_id}/redeliver",
    response=resources.WholeWebhookCall,
    summary="Make a call of a webhook again",
)
def redeliver_webhook_delivery(
    request: HttpRequest, slug: Path[str], webhook_id: str, webhook_delivery_id: str
) -> HttpResponse:
    """Whatever became of it, with the same body and the same message id. Needs `webhook.manage`. 409
    `webhook_off`, 409 `call_under_way` while it is being made.
    """
    which = _which(request, slug, webhook_id)
    row = webhook_log.redeliver(**which, delivery_id=id_of(webhook_delivery_id))
    return answer(webhook_log.whole_call(row))


def _caller(request: HttpRequest, slug: str) -> tuple[Any, Organization]:
    """Who calls, and the organization. Permission is asked before the network is, and by each action anew."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.WEBHOOK_MANAGE)
    return actor, organization


def _which(request: HttpRequest, slug: str, webhook_id: str) -> dict[str, Any]:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    return {"actor": actor, "organization": organization, "webhook_id": id_of(webhook_id)}
