"""Roles and permissions over REST."""

from typing import Annotated, Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override
from ninja import Path, Query, Router, Status
from pydantic import Field

from guestlist import errors
from guestlist.actions import access
from guestlist.actions import roles as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, Each, PermissionCode, answer
from guestlist.api.changes import Change
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import roles as resources
from guestlist.models import Role
from guestlist.models.fields import as_uuid, id_of, searchable
from guestlist.models.listing import COUNT_LIMIT, Columns
from guestlist.permissions import Permission, english_label, permission_groups, permission_sentence

router = Router(tags=["Roles"])
permissions_router = Router(tags=["Permissions"])
NONE = "none"
COLUMNS: Columns = {"name": F("name"), "created": F("id")}


class RoleQuery(ListQuery):
    """How to list roles."""

    sort: str = sorting(COLUMNS, "created")


class NewRole(Body):
    """A role to create."""

    name: str = Field(description="Unique in the organization.", examples=["Editor"])
    permissions: Each[PermissionCode] = Field(
        default_factory=list, description="What it allows.", examples=[["member.manage"]]
    )


class RoleUpdate(Change):
    """What can be changed of a role; what is not given stays."""

    name: str = Field(default_factory=str, description="Its new name.", examples=["Author"])
    permissions: Each[PermissionCode] = Field(
        default_factory=list, description="All that it allows from now on.", examples=[["role.read"]]
    )


class Copy(Body):
    """How a copy is called."""

    name: str | None = Field(None, description="“Copy of …” unless told.", examples=["Editor"])


@permissions_router.get("", response=resources.PermissionList, summary="List permissions")
def list_permissions(request: HttpRequest) -> HttpResponse:
    """Whatever a role or a key can allow, that of the project too, with its label in English and a sentence
    about it. Needs no permission.
    """
    with override("en"):
        items = [
            {"code": code, "label": english_label(code), "sentence": permission_sentence(code)}
            for codes in permission_groups().values()
            for code in codes
        ]
    return answer({"items": items, "next_cursor": None, "total": len(items)})


@router.get("", response=resources.RoleList, summary="List roles")
def list_roles(request: HttpRequest, slug: Path[str], query: Annotated[RoleQuery, Query()]) -> HttpResponse:
    """In the order they were made unless told otherwise; `q` looks in the name. Needs `role.read`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.ROLE_READ)
    members = {role.pk: count for role, count in actions.list_roles(organization)}
    rows = Role.objects.filter(organization=organization)
    if text := searchable(query.q):
        rows = rows.filter(name__icontains=text)
    return list_page(
        request, rows, COLUMNS, query.sort, query, lambda role: _resource(role, members.get(role.pk, 0))
    )


@router.post("", response={201: resources.Role}, summary="Create a role")
def create_role(request: HttpRequest, slug: Path[str], payload: NewRole) -> HttpResponse:
    """Needs `role.create`, and every permission that the role gets: 403 `above_own_role` otherwise. 409
    `role_name_taken` where another role has the name, `too_many_roles` beyond 100; 422 `name_empty`,
    `name_has_link`, `unknown_permission`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    role = actions.create_role(
        actor=actor, organization=organization, name=payload.name, permissions=payload.permissions
    )
    return answer(_resource(role, 0), status=201)


@router.get("/{role_id}", response=resources.Role, summary="Show a role")
def get_role(request: HttpRequest, slug: Path[str], role_id: str) -> HttpResponse:
    """Needs `role.read`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.ROLE_READ)
    return _counted(actions.find_role(organization, id_of(role_id)))


@router.patch("/{role_id}", response=resources.Role, summary="Change a role")
def patch_role(request: HttpRequest, slug: Path[str], role_id: str, payload: RoleUpdate) -> HttpResponse:
    """Renames it or changes what it allows, for all its members at once. Needs `role.update`, and every
    permission that the role had or gets: 403 `above_own_role` otherwise. 409 `fixed_role` for Owner,
    `role_name_taken`; 422 `name_empty`, `name_has_link`, `unknown_permission`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    given = payload.model_dump(exclude_unset=True)
    return _counted(
        actions.update_role(actor=actor, organization=organization, role_id=id_of(role_id), **given)
    )


@router.delete("/{role_id}", response={204: None}, summary="Delete a role")
def delete_role(
    request: HttpRequest,
    slug: Path[str],
    role_id: str,
    successor: Annotated[
        str, Query(description="Id of the role that its members get instead; `none` is no role.")
    ] = "",
) -> Status[None]:
    """Needs `role.delete`, and every permission of the role and of its successor: 403 `above_own_role`
    otherwise. 409 `role_has_members` where it has some and no successor is named, `fixed_role` for Owner; 422
    `unknown_role` where the successor is none.
    """
    actor = actor_of(request)
    actions.delete_role(
        actor=actor,
        organization=organization_of(actor, slug),
        role_id=id_of(role_id),
        successor_id=_successor(successor),
    )
    return Status(204, None)


@router.post("/{role_id}/duplicate", response={201: resources.Role}, summary="Duplicate a role")
def duplicate_role(
    request: HttpRequest, slug: Path[str], role_id: str, payload: Copy | None = None
) -> HttpResponse:
    """Creates a role with the same permissions. Needs `role.create`, and every permission of the role: 403
    `above_own_role` otherwise. 409 `role_name_taken`, `too_many_roles`; 422 `name_empty`, `name_has_link`.
    """
    actor = actor_of(request)
    copy = actions.duplicate_role(
        actor=actor,
        organization=organization_of(actor, slug),
        role_id=id_of(role_id),
        name=payload.name if payload else None,
    )
    return answer(_resource(copy, 0), status=201)


def _successor(text: str) -> Any:
    if not text:
        return actions.UNDECIDED
    if text == NONE:
        return None
    if found := as_uuid(text):
        return found
    raise errors.UnknownRole


def _counted(role: Role) -> HttpResponse:
    return answer(_resource(role, actions.count_members(role)))


def _resource(role: Role, members: int) -> dict[str, Any]:
    return role.as_resource(members if members <= COUNT_LIMIT else None)
