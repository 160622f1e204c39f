"""Messages over REST: what became of each, and trying again."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from guestlist import errors
from guestlist.actions import access, retries
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import answer
from guestlist.api.paging import ListQuery, choosing, list_page, sorting
from guestlist.api.resources import deliveries as resources
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import State
from guestlist.models.fields import id_of
from guestlist.permissions import Permission

router = Router(tags=["Deliveries"])


class DeliveryQuery(ListQuery):
    """How to list messages."""

    state: str = choosing(State.values, "What became of them")
    sort: str = sorting(Delivery.COLUMNS, "-created")


@router.get("/deliveries", response=resources.MessageList, summary="List messages")
def list_deliveries(
    request: HttpRequest, slug: Path[str], query: Annotated[DeliveryQuery, Query()]
) -> HttpResponse:
    """All of them, newest first, unless told otherwise; `q` looks in the address. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    shelf = Delivery.objects.filter(organization=organization).in_state(query.state)
    rows, total = shelf.matching(query.q).select_related("invitation"), shelf.count_matching(query.q)
    return list_page(
        request, rows, Delivery.COLUMNS, query.sort, query, Delivery.as_own_resource, total=total
    )


@router.get(
    "/invitations/{invitation_id}/deliveries",
    response=resources.MessageList,
    summary="List messages of an invitation",
)
def list_invitation_deliveries(
    request: HttpRequest, slug: Path[str], invitation_id: str, query: Annotated[DeliveryQuery, Query()]
) -> HttpResponse:
    """Those to the invited person and those about it. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = Invitation.objects.filter(organization=organization, pk=id_of(invitation_id))
    invitation = rows.first()
    if invitation is None:
        raise errors.NotFound
    found = Delivery.objects.filter(organization=organization, invitation=invitation)
    found = found.in_state(query.state).matching(query.q).select_related("invitation")
    return list_page(request, found, Delivery.COLUMNS, query.sort, query, Delivery.as_own_resource)


@router.post("/deliveries/retry", response=resources.Retried, summary="Retry all failed messages")
def retry_failed(request: HttpRequest, slug: Path[str]) -> HttpResponse:
    """Tries those again that failed and are still wanted, under the same Message-ID. Needs
    `member.manage`.
    """
    actor = actor_of(request)
    result = retries.retry_failed(actor=actor, organization=organization_of(actor, slug))
    return answer(result.as_resource())


@router.get("/deliveries/{delivery_id}", response=resources.Message, summary="Show a message")
def get_delivery(request: HttpRequest, slug: Path[str], delivery_id: str) -> HttpResponse:
    """What became of it, attempt by attempt; never what it says. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = Delivery.objects.filter(organization=organization, pk=id_of(delivery_id))
    delivery = rows.select_related("invitation").first()
    if delivery is None:
        raise errors.NotFound
    return answer(delivery.as_own_resource())


@router.post("/deliveries/{delivery_id}/retry", response=resources.Message, summary="Retry a message")
def retry_delivery(request: HttpRequest, slug: Path[str], delivery_id: str) -> HttpResponse:
    """Tries a failed or deferred one again at once, under the same Message-ID. 409 `not_retryable` where it
    has left or is not wanted any more.
    """
    actor = actor_of(request)
    delivery = retries.retry_delivery(
        actor=actor, organization=organization_of(actor, slug), delivery_id=id_of(delivery_id)
    )
    return answer(delivery.as_own_resource())
