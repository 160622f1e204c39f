"""Invitations over REST."""

from collections.abc import Callable
from typing import Annotated

from django.db.models import UUIDField
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.actions import access, reconciliation
from guestlist.actions import invitations as actions
from guestlist.actions.batches import BulkResult, Selection, check_status
from guestlist.actions.sending import MAX_ADDRESSES
from guestlist.addresses import ParsedAddresses, parse_addresses, parse_items
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Each, Search, answer, either, ids_or
from guestlist.api.limits import with_limits
from guestlist.api.paging import ListQuery, choosing, list_page, plain_page, sorting
from guestlist.api.resources import invitations as resources
from guestlist.models import Invitation
from guestlist.models.fields import id_of, searchable
from guestlist.models.headcount import Headcounts
from guestlist.models.invitation import FILTERS
from guestlist.models.invitation_resource import SELECTED, invitation_resource
from guestlist.models.listing import Listing
from guestlist.models.prepared import Bind
from guestlist.permissions import Permission

router = Router(tags=["Invitations"])


class Recipients(Body):
    """Whom to invite: either addresses or text."""

    model_config = either("emails", "text")

    emails: Each[str] = Field(
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
        if len(self.emails) > (limit := MAX_ADDRESSES):
            # Before a million of them are looked at one by one.
            raise errors.TooManyAddresses(count=f"{len(self.emails):,}", limit=f"{limit:,}")
        return parse_items(self.emails)


class ReconcileQuery(BaseModel):
    """How a set is brought about."""

    dry_run: bool = Field(default=False, description="Only say what would happen.")
    prune: bool = Field(default=False, description="Revoke what is pending and not in the set.")


class Choice(Body):
    """Which invitations: their ids, or a filter."""

    model_config = ids_or("status", "q")

    ids: Each[str] = Field(default_factory=list, description="At most 10,000.")
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

    status: str = choosing(FILTERS, "How they stand")
    sort: str = sorting(Invitation.COLUMNS, "-invited")


@router.post("", response={201: resources.Batch, 200: resources.Batch}, summary="Send invitations")
def send_invitations(request: HttpRequest, slug: Path[str], payload: Recipients) -> HttpResponse:
    """201, or 200 when nothing new was sent. Every address gets its own answer, in the order given: a bad
    one hinders no good one. Beyond a limit nothing is sent: 429 `inviter_limit` or `organization_limit`, with
    Retry-After. 422 `no_addresses`, `too_many_addresses`, `language_unknown` and `lifetime_invalid` refuse
    the whole call. Needs `member.manage`.
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
    """What sending would answer now, with `would_send` in place of `sent`; nothing happens. Refused like
    sending, but for limits: 422 `no_addresses`, `too_many_addresses`, `language_unknown`, `lifetime_invalid`.
    Needs `member.manage`.
    """
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


@router.put("", response=resources.Reconciled, summary="Reconcile invitations with a set of addresses")
def reconcile_invitations(
    request: HttpRequest, slug: Path[str], payload: Recipients, query: Annotated[ReconcileQuery, Query()]
) -> HttpResponse:
    """Invites every address of the set that is neither a member's nor pending, and leaves the others alone;
    with `prune`, revokes pending invitations to addresses that are not in it. The same set again changes
    nothing. Unlike sending, it leaves those alone who declined their newest invitation, and takes the empty
    set where it is an empty list, `{"emails": []}`. Invitations that people asked for themselves, by a join
    link or a domain, are never revoked. Where something in the set is no address, nothing is revoked and
    `warnings` says `not_pruned`.

    Beyond a limit nothing is sent and nothing revoked: 429 `inviter_limit` or `organization_limit`, with
    Retry-After. Text without any address: 422 `no_addresses`. More than 10,000 addresses:
    422 `too_many_addresses`; `language_unknown` and `lifetime_invalid` as for sending. Needs
    `member.manage`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    plan = reconciliation.reconcile_invitations(
        actor=actor,
        organization=organization,
        parsed=payload.parsed(),
        may_be_empty="emails" in payload.model_fields_set,
        prune=query.prune,
        dry_run=query.dry_run,
        language=payload.language,
        lifetime=payload.lifetime,
    )
    return with_limits(answer(plan.as_resource()), actor, organization)


@router.get("", response=resources.InvitationList, summary="List invitations")
def list_invitations(
    request: HttpRequest, slug: Path[str], query: Annotated[InvitationQuery, Query()]
) -> HttpResponse:
    """All of them, newest first, unless told otherwise. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    check_status(query.status)
    counts = Headcounts.of(organization)
    if not searchable(query.q):
        total, shape = counts.invitations[query.status], (query.status, counts.swept, query.sort)
        return plain_page(
            _listing, shape, SELECTED, invitation_resource, query, total, organization=organization.pk
        )
    rows = Selection(status=query.status, q=query.q).rows(organization, swept=counts.swept)
    columns = Invitation.columns(query.status, swept=counts.swept)
    total = Selection(status=query.status).rows(organization, swept=counts.swept).count_matching(query.q)
    return list_page(request, rows, columns, query.sort, query, total=total)


def _listing(status: str, swept: bool, sort: str) -> Listing[Invitation]:
    rows = Invitation.objects.filter(organization=Bind("organization", UUIDField())).for_display()
    rows = rows.with_status(status, swept=swept) if status else rows
    return Listing.of(rows, Invitation.columns(status, swept=swept), sort)


@router.post("/revoke", response=resources.Revoked, summary="Revoke several invitations")
def revoke_invitations(request: HttpRequest, slug: Path[str], payload: Choice) -> HttpResponse:
    """Revokes those that are pending; the others are skipped. With `ids`, `results` are in their order; by
    filter, they are the first 100 that were skipped. 422 `nothing_chosen`, `too_many_ids` or `invalid_filter`
    where the choice is none. Needs `member.manage`.
    """
    return _to_chosen(actions.revoke_invitations, request, slug, payload)


@router.post("/resend", response=resources.Resent, summary="Resend several invitations")
def resend_invitations(request: HttpRequest, slug: Path[str], payload: Choice) -> HttpResponse:
    """Sends those that are pending or expired again; the others are skipped, as are expired ones at a domain
    that is not allowed any more. 422 `nothing_chosen`, `too_many_ids` or `invalid_filter` where the choice is
    none; 429 `inviter_limit` or `organization_limit` where they are more than a limit leaves. Needs
    `member.manage`.
    """
    response = _to_chosen(actions.resend_invitations, request, slug, payload)
    return _with_limits(response, request, slug)


@router.get("/{invitation_id}", response=resources.Invitation, summary="Show an invitation")
def get_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """How it stands now, and what became of its mail. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = Invitation.objects.for_display().filter(organization=organization)
    invitation = rows.filter(pk=id_of(invitation_id)).first()
    if invitation is None:
        raise errors.NotFound
    return answer(invitation.as_resource())


@router.post("/{invitation_id}/revoke", response=resources.Invitation, summary="Revoke an invitation")
def revoke_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """From then on nobody can join with it. 409 `not_pending` where it has ended already. Needs
    `member.manage`.
    """
    return _to_one(actions.revoke_invitation, request, slug, invitation_id)


@router.post("/{invitation_id}/resend", response=resources.Invitation, summary="Resend an invitation")
def resend_invitation(request: HttpRequest, slug: Path[str], invitation_id: str) -> HttpResponse:
    """Sends it again and starts its lifetime anew. An expired one is answered with a new invitation, which
    has a new id and link. 409 `not_pending` where it has ended otherwise, `suppressed` where the person
    asked for no more, `domain_not_allowed` where the settings keep it out meanwhile; 429 `resend_limit`,
    `inviter_limit` or `organization_limit`. Needs `member.manage`.
    """
    response = _to_one(actions.resend_invitation, request, slug, invitation_id)
    return _with_limits(response, request, slug)


def _with_limits(response: HttpResponse, request: HttpRequest, slug: str) -> HttpResponse:
    actor = actor_of(request)
    return with_limits(response, actor, organization_of(actor, slug))


def _to_one(
    action: Callable[..., Invitation], request: HttpRequest, slug: str, invitation_id: str
) -> HttpResponse:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    invitation = action(actor=actor, organization=organization, invitation_id=id_of(invitation_id))
    return answer(invitation.as_resource())


def _to_chosen(
    action: Callable[..., BulkResult], request: HttpRequest, slug: str, choice: Choice
) -> HttpResponse:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    result = action(actor=actor, organization=organization, selection=choice.selection())
    return answer(result.as_resource())
