"""Members over REST."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Path, Query, Router, Status
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.actions import access
from guestlist.actions import members as actions
from guestlist.actions.member_batches import MemberSelection
from guestlist.actions.member_export import HEADER, export_members
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Each, Search, answer, ids_or
from guestlist.api.downloads import CSV, csv_answer
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import members as resources
from guestlist.models import Membership
from guestlist.models.fields import as_uuid, id_of, searchable
from guestlist.models.headcount import Headcounts
from guestlist.models.membership import NEEDS_ROLE, role_filter
from guestlist.permissions import Permission

router = Router(tags=["Members"])
downloads = Router(tags=["Members"])


_ROLE = "Only members with the role of this id; `none` for those without one."


class MemberQuery(ListQuery):
    """How to list members."""

    role: str = Field("", description=_ROLE)
    sort: str = sorting(Membership.COLUMNS, "name")


class MemberFilter(BaseModel):
    """Which members. Of a parameter given twice the last one counts."""

    model_config = ConfigDict(extra="forbid")

    q: Search = Field("", description="Only with this text in the name or address.")
    role: str = Field("", description=_ROLE)
    sort: str = sorting(Membership.COLUMNS, "name")


class RoleChange(Body):
    """What can be changed of a member."""

    role: str | None = Field(description="Id of the role to give; null takes the role away.")


class Chosen(Body):
    """Which members: their ids, or a filter that is not empty."""

    model_config = ids_or("with_role", "q")

    ids: Each[str] = Field(default_factory=list, description="At most 10,000.")
    with_role: str = Field("", description=_ROLE)
    q: Search = Field("", description="Only with this text in the name or address.")

    @model_validator(mode="after")
    def ids_or_filter(self) -> "Chosen":
        """Ids and a filter together would leave open which one counts."""
        if "ids" in self.model_fields_set and self.model_fields_set & {"with_role", "q"}:
            raise PydanticCustomError("exactly_one", "Give either ids or a filter")
        return self

    def selection(self) -> MemberSelection:
        """What the action takes: nobody where the filter is empty. Raises InvalidFilter."""
        matching = bool(self.with_role or searchable(self.q))
        return MemberSelection(self.ids, matching, _checked(self.with_role, "with_role"), self.q)


class ChosenForRole(Chosen):
    """Which members, and what they get."""

    role: str | None = Field(description="Id of the role to give; null takes the role away.")


@router.get("", response=resources.MemberList, summary="List members")
def list_members(
    request: HttpRequest, slug: Path[str], query: Annotated[MemberQuery, Query()]
) -> HttpResponse:
    """By name unless told otherwise. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    members = Membership.objects.active().filter(organization=organization)
    shelf = members.with_role(_checked(query.role))
    if searchable(query.q):
        total = shelf.count_matching(query.q)
    else:
        total = Headcounts.of(organization).members[role_filter(query.role)]
    rows = shelf.matching(query.q).select_related("role")
    return list_page(request, rows, Membership.columns(query.role), query.sort, query, total=total)


@downloads.get("/members.csv", summary="Download members", openapi_extra=CSV)
def download_members(
    request: HttpRequest, slug: Path[str], query: Annotated[MemberFilter, Query()]
) -> StreamingHttpResponse:
    """All that the filters choose, as CSV, one member to a line, with how each came in and by whose
    invitation. Needs `member.manage`. 422 `invalid_filter`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    rows = export_members(
        actor=actor, organization=organization, role=_checked(query.role), q=query.q, sort=query.sort
    )
    return csv_answer(f"{organization.slug}-members.csv", HEADER, rows)


@router.post("/change-role", response=resources.Changed, summary="Change the role of several members")
def change_roles(request: HttpRequest, slug: Path[str], payload: ChosenForRole) -> HttpResponse:
    """Of `ids`, or of all that `with_role` and `q` choose. Each is answered by itself: who may not be changed
    is skipped with the reason, and hinders nobody. Needs `member.manage`, and of each every permission of the
    old and of the new role. 422 `nothing_chosen`, `too_many_ids`, `unknown_role`, `invalid_filter`.
    """
    actor = actor_of(request)
    result = actions.change_roles(
        actor=actor,
        organization=organization_of(actor, slug),
        selection=payload.selection(),
        role_id=_role_id(payload.role),
    )
    return answer(result.as_resource())


@router.post("/remove", response=resources.Removed, summary="Remove several members")
def remove_members(request: HttpRequest, slug: Path[str], payload: Chosen) -> HttpResponse:
    """Of `ids`, or all that `with_role` and `q` choose; each as if it were removed alone, and answered by
    itself. Needs `member.manage`. 422 `nothing_chosen`, `too_many_ids`, `invalid_filter`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    result = actions.remove_members(actor=actor, organization=organization, selection=payload.selection())
    return answer(result.as_resource())


@router.get("/{member_id}", response=resources.Member, summary="Show a member")
def get_member(request: HttpRequest, slug: Path[str], member_id: str) -> HttpResponse:
    """Needs `member.manage`. 404 for whoever has left or was removed."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    members = Membership.objects.active().filter(organization=organization, pk=id_of(member_id))
    member = members.select_related("role").first()
    if member is None:
        raise errors.NotFound
    return answer(member.as_resource())


@router.patch("/{member_id}", response=resources.Member, summary="Change a member’s role")
def patch_member(request: HttpRequest, slug: Path[str], member_id: str, payload: RoleChange) -> HttpResponse:
    """Needs `member.manage`, and every permission of the old and of the new role: 403 `above_own_role`
    otherwise, and `own_role` for whoever made the key. 409 `last_owner` where the organization would be left
    without an owner; 422 `unknown_role`.
    """
    actor = actor_of(request)
    member = actions.change_role(
        actor=actor,
        organization=organization_of(actor, slug),
        member_id=id_of(member_id),
        role_id=_role_id(payload.role),
    )
    return answer(member.as_resource())


@router.delete("/{member_id}", response={204: None}, summary="Remove a member")
def delete_member(request: HttpRequest, slug: Path[str], member_id: str) -> Status[None]:
    """Ends the membership, and revokes the API keys that the person made and pending invitations to any of
    their addresses. Needs `member.manage`, and every permission of the member: 403 `above_own_role`
    otherwise, and `own_membership` for whoever made the key. 409 `last_owner` where the organization would be
    left without an owner.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    actions.remove_member(actor=actor, organization=organization, member_id=id_of(member_id))
    return Status(204, None)


def _role_id(text: str | None) -> UUID | None:
    return None if text is None else id_of(text)


def _checked(role: str, field: str = "role") -> str:
    if role not in ("", NEEDS_ROLE) and as_uuid(role) is None:
        choices = f"the id of a role, {NEEDS_ROLE}"
        raise errors.InvalidFilter(field=field, value=role[:100], choices=choices)
    return role
