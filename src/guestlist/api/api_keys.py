"""API keys over REST."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from guestlist.actions import access
from guestlist.actions import api_keys as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Each, PermissionCode, answer, shown_once
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import api_keys as resources
from guestlist.models import ApiKey
from guestlist.models.api_key import State
from guestlist.models.fields import id_of
from guestlist.permissions import Permission

router = Router(tags=["API keys"])


class ApiKeyQuery(ListQuery):
    """How to list keys."""

    status: str = Field("", description=f"{', '.join(State.values)}; all unless told")
    sort: str = sorting(ApiKey.COLUMNS, "-created")


class NewKey(Body):
    """A key to make."""

    name: str = Field(description="What it is for.", examples=["Backend"])
    permissions: Each[PermissionCode] = Field(description="What it may do: no more than the key that asks.")
    expires: str = Field(
        "never", description="`90d`, the last day like `2026-12-31`, or `never`.", examples=["90d"]
    )


class Rotation(Body):
    """How to rotate a key."""

    overlap: str = Field(
        actions.OVERLAP,
        description="How long the old key goes on: `24h`, `7d`, or `0`; at most 30 days.",
        examples=["24h"],
    )


@router.get("", response=resources.ApiKeyList, summary="List API keys")
def list_api_keys(
    request: HttpRequest, slug: Path[str], query: Annotated[ApiKeyQuery, Query()]
) -> HttpResponse:
    """All of them, newest first, unless told otherwise; `q` looks in the name and in the part that is kept in
    clear. Needs `api_key.manage`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.API_KEY_MANAGE)
    rows = ApiKey.objects.for_display().filter(organization=organization)
    rows = rows.in_state(query.status).matching(query.q)
    return list_page(request, rows, ApiKey.COLUMNS, query.sort, query)


@router.post("", response={201: resources.NewApiKey}, summary="Create an API key")
def create_api_key(request: HttpRequest, slug: Path[str], payload: NewKey) -> HttpResponse:
    """Answers with the key, this one time. It can do no more than the key that asks, `above_own_role`
    otherwise, and ends with the membership of the same person. Typical refusals: `unknown_permission`,
    `name_empty`, `name_has_link`, `expiry_invalid`. Needs `api_key.manage`.
    """
    actor = actor_of(request)
    new = actions.create_api_key(
        actor=actor,
        organization=organization_of(actor, slug),
        name=payload.name,
        permissions=payload.permissions,
        expires=payload.expires,
    )
    return shown_once(new.as_resource(), 201)


@router.get("/{api_key_id}", response=resources.ApiKey, summary="Show an API key")
def get_api_key(request: HttpRequest, slug: Path[str], api_key_id: str) -> HttpResponse:
    """One key, without its secret. Needs `api_key.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.API_KEY_MANAGE)
    return answer(actions.find_api_key(organization=organization, api_key_id=id_of(api_key_id)).as_resource())


@router.post("/{api_key_id}/rotate", response={201: resources.NewApiKey}, summary="Rotate an API key")
def rotate_api_key(
    request: HttpRequest, slug: Path[str], api_key_id: str, payload: Rotation | None = None
) -> HttpResponse:
    """Answers with a new key of the same name and permissions that lasts as long, anew, and shows it this one
    time. The old key goes on for `overlap`, 24 hours unless told, and never longer than it would have. A key
    can rotate itself.

    409 `key_ended` where it was revoked or has expired, 409 `key_replaced` where it was rotated before, 403
    `above_own_role` where it may do more than the key that asks, `overlap_invalid`. Needs `api_key.manage`.
    """
    actor = actor_of(request)
    new = actions.rotate_api_key(
        actor=actor,
        organization=organization_of(actor, slug),
        api_key_id=id_of(api_key_id),
        overlap=payload.overlap if payload else actions.OVERLAP,
    )
    return shown_once(new.as_resource(), 201)


@router.post("/{api_key_id}/revoke", response=resources.ApiKey, summary="Revoke an API key")
def revoke_api_key(request: HttpRequest, slug: Path[str], api_key_id: str) -> HttpResponse:
    """Ends it at once: its next request is answered 401. 409 `key_ended` where it was revoked before or has
    expired. Needs `api_key.manage`.
    """
    actor = actor_of(request)
    key = actions.revoke_api_key(
        actor=actor, organization=organization_of(actor, slug), api_key_id=id_of(api_key_id)
    )
    return answer(key.as_resource())
