"""Invitations over REST."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.actions import access
from guestlist.actions import invitations as actions
from guestlist.actions.batches import BulkResult, Selection
from guestlist.addresses import ParsedAddresses, parse_addresses, parse_items
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Search, answer
from guestlist.api.limits import with_limits
from guestlist.api.paging import ListQuery, list_page
from guestlist.api.resources import invitations as resources
from guestlist.models import Invitation
from guestlist.models.fields import as_uuid
from guestlist.models.invitation import FILTERS
from guestlist.permissions import Permission

router = Router(tags=["Invitations"])


class Recipients(Body):
    """Whom to invite: either addresses or text."""

    emails: list[str] = Field(
        default_factory=list, description="One address each.", examples=[["jane@example.com"]]
    )
    text: str = Field("", description="Raw text as somebody would paste it; at most 1,000,000 characters.")
    language: str = Field("", description="Of the mail; the organization's unless told.", examples=["de"])
    lifetime: str = Field(
        "",
        description="How long they can be accepted, from 1 hour to `never`; the organization's unless told.",
        examples=["36h"],
    )

    @model_validator(mode="after")
    def exactly_one(self) -> "Recipients":
        """Two sources would leave open which one counts."""
        if len(self.model_fields_set & {"emails", "text"}) != 1:
            raise PydanticCustomError("exactly_one", "Give either emails or text")
        return self

    def parsed(self) -> ParsedAddresses:
        """What was typed, understood. Raises addresses.InputTooLarge, TooManyAddresses."""
        if "text" in self.model_fields_set:
            return parse_addresses(self.text)
        if len(self.emails) > (limit := actions.MAX_ADDRESSES):
            # Before a million of them are looked at one by one.
            raise errors.TooManyAddresses(count=f"{len(self.emails):,}", limit=f"{limit:,}")
        return parse_items(self.emails)


class Choice(Body):
    """Which invitations: their ids, or a filter."""

    ids: list[str] = Field(default_factory=list, description="At most 10,000.")
    status: str = Field("", description=", ".join(FILTERS))
    q: Search = Field("", description="Only addresses that hold this text.")

    @model_validator(mode="after")
    def ids_or_filter(self) -> "Choice":
        """Ids and a filter together would leave open which one counts."""
        if "ids" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise PydanticCustomError("exactly_one", "Give either ids or a filter")
        return self

    def selection(self) -> Selection:
        """What the action takes. Raises InvalidFilter."""
        return Selection(self.ids if "ids" in self.model_fields_set else None, self.status, self.q)


class InvitationQuery(ListQuery):
    """How to list invitations."""

    status: str = Field("", description=f"{', '.join(FILTERS)}; all unless told")
    sort: str = Field("-invited", description="email, status, invited or expires; `-` in front reverses")


@router.post("", response={201: resources.Batch, 200: resources.Batch}, summary="Send invitations")
def send_invitations(request: HttpRequest, slug: Path[str], payload: Recipients) -> HttpResponse:
    """201, or 200 when nothing new was sent. Every address gets its own answer, in the order given: a bad
    one hinders no good one. Beyond a limit nothing is sent: 429 with Retry-After. Needs `member.manage`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    batch = actions.send_invitations(
        actor=actor,
        organization=organization,
        parsed=payload.parsed(),
        language=payload.language,
        lifetime=payload.lifetime,
    )
    response = answer(batch.as_resource(), status=201 if batch.sent else 200)
    return with_limits(response, actor, organization)


@router.post("/preview", response=resources.Batch, summary="Preview sending")
def preview_invitations(request: HttpRequest, slug: Path[str], payload: Recipients) -> HttpResponse:
    """What sending would answer now, with `would_send` in place of `sent`; nothing happens."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    batch = actions.preview_invitations(
        actor=actor,
        organization=organization,
        parsed=payload.parsed(),
        language=payload.language,
        lifetime=payload.lifetime,
    )
    return answer(batch.as_resource())


@router.get("", response=resources.InvitationList, summary="List invitations")
def list_invitations(
    request: HttpRequest, slug: Path[str], query: Annotated[InvitationQuery, Query()]
) -> HttpResponse:
    """All of them, newest first, unless told otherwise. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = Selection(status=query.status, q=query.q).rows(organization)
    columns = Invitation.columns(query.status) if query.status else Invitation.COLUMNS
    return list_page(request, rows, columns, query.sort, query)


@router.post("/revoke", response=resources.Revoked, summary="Revoke several invitations")
def revoke_invitations(request: HttpRequest, slug: Path[str], payload: Choice) -> HttpResponse:
    """Revokes those that are pending; the others are skipped. With `ids`, `results` are in their order; by
    filter, they are the first 100 that were skipped.
    """
    return _to_chosen(actions.revoke_invitations, request, slug, payload)


@router.post("/resend", response=resources.Resent, summary="Resend several invitations")
def resend_invitations(request: HttpRequest, slug: Path[str], payload: Choice) -> HttpResponse:
    """Sends those that are pending or expired again; the others are skipped, as are expired ones at a domain
    that is not allowed any more.
    """
    return _to_chosen(actions.resend_invitations, request, slug, payload)


@router.get("/{invitation_id}", response=resources.Invitation, summary="Show an invitation")
def get_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = Invitation.objects.for_display().filter(organization=organization)
    invitation = rows.filter(pk=_id(invitation_id)).first()
    if invitation is None:
        raise errors.NotFound
    return answer(invitation.as_resource())


@router.post("/{invitation_id}/revoke", response=resources.Invitation, summary="Revoke an invitation")
def revoke_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """From then on nobody can join with it. 409 `not_pending` where it has ended already."""
    return _to_one(actions.revoke_invitation, request, slug, invitation_id)


@router.post("/{invitation_id}/resend", response=resources.Invitation, summary="Resend an invitation")
def resend_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """Sends it again and starts its lifetime anew. An expired one is answered with a new invitation, which
    has a new id and link. 409 `not_pending` where it has ended otherwise.
    """
    return _to_one(actions.resend_invitation, request, slug, invitation_id)


def _to_one(
    action: Callable[..., Invitation], request: HttpRequest, slug: str, invitation_id: str
) -> HttpResponse:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    invitation = action(actor=actor, organization=organization, invitation_id=_id(invitation_id))
    return answer(invitation.as_resource())


def _to_chosen(
    action: Callable[..., BulkResult], request: HttpRequest, slug: str, choice: Choice
) -> HttpResponse:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    result = action(actor=actor, organization=organization, selection=choice.selection())
    return answer(result.as_resource())


def _id(text: str) -> UUID:
    """An id that is none is the id of nothing."""
    return as_uuid(text) or UUID(int=0)
