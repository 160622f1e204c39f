"""Join links over REST."""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from guestlist.actions import access
from guestlist.actions import join_links as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Each, answer
from guestlist.api.changes import Change
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import join_links as resources
from guestlist.models import JoinLink
from guestlist.models.fields import id_of
from guestlist.permissions import Permission

router = Router(tags=["Join links"])


class JoinLinkQuery(ListQuery):
    """How to list join links."""

    sort: str = sorting(JoinLink.COLUMNS, "-created")


class JoinLinkChange(Change):
    """What can be set of a join link; what is not given stays."""

    name: str = Field(default_factory=str, description="For those who manage it.", examples=["Summer camp"])
    expires: str | None = Field(
        default_factory=lambda: None,
        description="`7d`, or the last day like `2026-12-31`; null or `never` is never.",
        examples=["7d"],
    )
    max_uses: int | None = Field(
        default_factory=lambda: None,
        description="How many people can join by it; null is any number.",
        examples=[20],
    )
    domains: Each[str] = Field(
        default_factory=list,
        description="Only for addresses there; none is any.",
        examples=[["acme.com", "*.acme.com"]],
    )

    def typed(self) -> dict[str, str]:
        """What is given, as the actions take it."""
        written = {
            "name": self.name,
            "expires": self.expires or "",
            "max_uses": "" if self.max_uses is None else str(self.max_uses),
            "domains": "\n".join(self.domains),
        }
        return {name: text for name, text in written.items() if name in self.model_fields_set}


class NewJoinLink(JoinLinkChange):
    """A join link to create."""

    name: str = Field(description="For those who manage it.", examples=["Summer camp"])


@router.get("", response=resources.JoinLinkList, summary="List join links")
def list_join_links(
    request: HttpRequest, slug: Path[str], query: Annotated[JoinLinkQuery, Query()]
) -> HttpResponse:
    """Newest first unless told otherwise, without what opens them; `q` looks in the name. Needs
    `member.manage`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    rows = JoinLink.objects.for_display().filter(organization=organization).matching(query.q)
    return list_page(request, rows, JoinLink.COLUMNS, query.sort, query)


@router.post("", response={201: resources.OpenJoinLink}, summary="Create a join link")
def create_join_link(request: HttpRequest, slug: Path[str], payload: NewJoinLink) -> HttpResponse:
    """Answers with its `url`: pass it on, whoever has it can join. Needs `member.manage`. 409
    `too_many_join_links` beyond 100 that are on; 422 `name_empty`, `name_has_link`, `expiry_invalid`,
    `max_uses_invalid`, `domain_invalid`, `too_many_domains`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    row = actions.create_join_link(actor=actor, organization=organization, **payload.typed())
    return answer(_with_url(row), status=201)


@router.get("/{join_link_id}", response=resources.OpenJoinLink, summary="Show a join link")
def get_join_link(request: HttpRequest, slug: Path[str], join_link_id: str) -> HttpResponse:
    """With its `url`, by which people join. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    return answer(
        _with_url(actions.find_own_join_link(organization=organization, join_link_id=id_of(join_link_id)))
    )


@router.patch("/{join_link_id}", response=resources.JoinLink, summary="Change a join link")
def patch_join_link(
    request: HttpRequest, slug: Path[str], join_link_id: str, payload: JoinLinkChange
) -> HttpResponse:
    """What opens it stays the same, and what was used counts on. Needs `member.manage`. 422 `name_empty`,
    `name_has_link`, `expiry_invalid`, `max_uses_invalid`, `domain_invalid`, `too_many_domains`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    row = actions.update_join_link(
        actor=actor, organization=organization, join_link_id=id_of(join_link_id), **payload.typed()
    )
    return answer(row.as_resource())


@router.post("/{join_link_id}/turn-off", response=resources.JoinLink, summary="Turn a join link off")
def turn_off_join_link(request: HttpRequest, slug: Path[str], join_link_id: str) -> HttpResponse:
    """Nobody can join by it any more, and invitations that people had mailed to themselves by it are revoked.
    Whoever has joined stays. Needs `member.manage`.
    """
    return _switch(actions.turn_off_join_link, request, slug, join_link_id)


@router.post("/{join_link_id}/turn-on", response=resources.JoinLink, summary="Turn a join link on")
def turn_on_join_link(request: HttpRequest, slug: Path[str], join_link_id: str) -> HttpResponse:
    """People can join by it again. Needs `member.manage`. 409 `too_many_join_links` beyond 100 that are
    on.
    """
    return _switch(actions.turn_on_join_link, request, slug, join_link_id)


def _switch(
    action: Callable[..., JoinLink], request: HttpRequest, slug: str, join_link_id: str
) -> HttpResponse:
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    row = action(actor=actor, organization=organization, join_link_id=id_of(join_link_id))
    return answer(row.as_resource())


def _with_url(row: JoinLink) -> dict[str, Any]:
    return row.as_resource() | {"url": actions.url_of(row)}
