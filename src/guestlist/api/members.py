"""Members over REST."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import Field

from guestlist import errors
from guestlist.actions import access
from guestlist.actions import members as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, answer
from guestlist.api.paging import ListQuery, list_page
from guestlist.api.resources import members as resources
from guestlist.models import Membership
from guestlist.models.fields import as_uuid
from guestlist.models.membership import NEEDS_ROLE
from guestlist.permissions import Permission

router = Router(tags=["Members"])
NOTHING = UUID(int=0)


class MemberQuery(ListQuery):
    """How to list members."""

    role: str = Field("", description="Only members with the role of this id; `none` for those without one.")
    sort: str = Field("name", description="name, email, role or joined; `-` in front reverses")


class RoleChange(Body):
    """What can be changed of a member."""

    role: str | None = Field(description="Id of the role to give; null takes the role away.")


@router.get("", response=resources.MemberList, summary="List members")
def list_members(
    request: HttpRequest, slug: Path[str], query: Annotated[MemberQuery, Query()]
) -> HttpResponse:
    """By name unless told otherwise. Needs `member.manage`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    members = Membership.objects.active().filter(organization=organization).select_related("role")
    rows = members.with_role(_checked(query.role)).matching(query.q)
    return list_page(request, rows, Membership.columns(query.role), query.sort, query)


@router.patch("/{member_id}", response=resources.Member, summary="Change a member’s role")
def patch_member(request: HttpRequest, slug: Path[str], member_id: str, payload: RoleChange) -> HttpResponse:
    """Needs `member.manage`, and every permission of the old and of the new role. 409 `last_owner` where
    the organization would be left without an owner.
    """
    actor = actor_of(request)
    role_id = None if payload.role is None else as_uuid(payload.role) or NOTHING
    member = actions.change_role(
        actor=actor,
        organization=organization_of(actor, slug),
        member_id=as_uuid(member_id) or NOTHING,
        role_id=role_id,
    )
    return answer(member.as_resource())


@router.delete("/{member_id}", response={204: None}, summary="Remove a member")
def delete_member(request: HttpRequest, slug: Path[str], member_id: str) -> Status[None]:
    """Ends the membership, and revokes the API keys that the person made and pending invitations to any of
    their addresses.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    actions.remove_member(actor=actor, organization=organization, member_id=as_uuid(member_id) or NOTHING)
    return Status(204, None)


def _checked(role: str) -> str:
    if role not in ("", NEEDS_ROLE) and as_uuid(role) is None:
        raise errors.InvalidFilter(value=role[:100], choices=f"the id of a role, {NEEDS_ROLE}")
    return role
