"""Requests to join over REST."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from guestlist import errors
from guestlist.actions import access
from guestlist.actions import join_requests as actions
from guestlist.actors import Actor
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Each, answer
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import join_requests as resources
from guestlist.models import JoinRequest, Organization
from guestlist.models.fields import id_of
from guestlist.permissions import Permission

router = Router(tags=["Join requests"])


class JoinRequestQuery(ListQuery):
    """How to list requests."""

    status: str = Field("", description=f"{', '.join(JoinRequest.State.values)}; all unless told")
    sort: str = sorting(JoinRequest.COLUMNS, "asked")


class ChosenRequests(Body):
    """Which requests."""

    ids: Each[str] = Field(description="At most 1,000.")


@router.get("", response=resources.JoinRequestList, summary="List requests")
def list_join_requests(
    request: HttpRequest, slug: Path[str], query: Annotated[JoinRequestQuery, Query()]
) -> HttpResponse:
    """Who asks, or asked, to be let in, the oldest first unless told otherwise; `q` looks in the address.
    Needs `member.manage`.
    """
    organization = _manageable(actor_of(request), slug)
    rows = JoinRequest.objects.filter(organization=organization).in_state(query.status).matching(query.q)
    return list_page(request, rows.select_related("domain"), JoinRequest.COLUMNS, query.sort, query)


@router.post("/grant", response=resources.Granted, summary="Grant requests")
def grant_join_requests(request: HttpRequest, slug: Path[str], payload: ChosenRequests) -> HttpResponse:
    """Sends an invitation to each that waits; `left` counts those that can't be invited and wait on. Needs
    `member.manage`. 404 where none of them waits; 409 `suppressed` or `domain_not_allowed` where it is one
    alone that can't be invited; 422 `no_requests_chosen`, `too_many_ids`; 429 `inviter_limit`,
    `organization_limit`, and nothing is sent.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    done = actions.grant_requests(actor=actor, organization=organization, request_ids=payload.ids)
    return answer({"granted": done.granted, "left": done.left})


@router.post("/dismiss", response=resources.Dismissed, summary="Dismiss requests")
def dismiss_join_requests(request: HttpRequest, slug: Path[str], payload: ChosenRequests) -> HttpResponse:
    """Takes them off the list; nobody is told. Needs `member.manage`. 404 where none of them waits; 422
    `no_requests_chosen`, `too_many_ids`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    gone = actions.dismiss_requests(actor=actor, organization=organization, request_ids=payload.ids)
    return answer({"dismissed": len(gone)})


@router.get("/{request_id}", response=resources.JoinRequest, summary="Show a request")
def get_join_request(request: HttpRequest, slug: Path[str], request_id: str) -> HttpResponse:
    """Needs `member.manage`."""
    return _shown(_manageable(actor_of(request), slug), request_id)


@router.post("/{request_id}/grant", response=resources.JoinRequest, summary="Grant a request")
def grant_join_request(request: HttpRequest, slug: Path[str], request_id: str) -> HttpResponse:
    """Sends an invitation to whoever asked. Needs `member.manage`. 404 where it does not wait any more; 409
    `suppressed` or `domain_not_allowed` where the address can't be invited; 429 `inviter_limit`,
    `organization_limit`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    actions.grant_requests(actor=actor, organization=organization, request_ids=[request_id])
    return _shown(organization, request_id)


@router.post("/{request_id}/dismiss", response=resources.JoinRequest, summary="Dismiss a request")
def dismiss_join_request(request: HttpRequest, slug: Path[str], request_id: str) -> HttpResponse:
    """Takes it off the list; nobody is told. Needs `member.manage`. 404 where it does not wait any more."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    actions.dismiss_requests(actor=actor, organization=organization, request_ids=[request_id])
    return _shown(organization, request_id)


def _manageable(actor: Actor, slug: str) -> Organization:
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    return organization


def _shown(organization: Organization, request_id: str) -> HttpResponse:
    rows = JoinRequest.objects.filter(organization=organization, pk=id_of(request_id))
    row = rows.select_related("domain").first()
    if row is None:
        raise errors.NotFound
    return answer(row.as_resource())
