"""Create, change, duplicate and delete roles, and ask what somebody's role allows."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.members import end_management
from guestlist.actions.two_factor import lacks_two_factor
from guestlist.actors import Actor, Origin
from guestlist.events import Happening, record, record_all
from guestlist.models import Membership, Organization, Role
from guestlist.models.headcount import Headcounts
from guestlist.models.listing import capped_counts
from guestlist.names import MAX_NAME, clean_name
from guestlist.permissions import Permission, all_permissions

MOST_ROLES = 100
# Nobody said what the members of a deleted role get; None says that they get no role.
UNDECIDED: Final = object()


def create_role(*, actor: Actor, organization: Organization, name: str, permissions: Iterable[str]) -> Role:
    """A new role with no more than the actor's own permissions.

    Raises NotAllowed, NameEmpty, NameHasLink, RoleNameTaken, UnknownPermission, AboveOwnRole, TooManyRoles.
    """
    with access.locked(actor, organization, Permission.ROLE_CREATE) as organization:
        return _insert(actor, organization, clean_name(name), _known(permissions))


def duplicate_role(
    *, actor: Actor, organization: Organization, role_id: Any, name: str | None = None
) -> Role:
    """A new role with the same permissions; unless told, it is named after the first.

    Raises NotAllowed, NotFound, NameEmpty, NameHasLink, RoleNameTaken, AboveOwnRole, TooManyRoles.
    """
    with access.locked(actor, organization, Permission.ROLE_CREATE) as organization:
        role = find_role(organization, role_id)
        copy = _name_of_copy(organization, role) if name is None else clean_name(name)
        return _insert(actor, organization, copy, role.permission_set)


def update_role(
    *,
    actor: Actor,
    organization: Organization,
    role_id: Any,
    name: str | None = None,
    permissions: Iterable[str] | None = None,
) -> Role:
    """Rename a role or change what it allows, for every holder at once; what is None stays.

    Raises NotAllowed, NotFound, FixedRole, AboveOwnRole, NameEmpty, NameHasLink, RoleNameTaken,
    UnknownPermission.
    """
    with access.locked(actor, organization, Permission.ROLE_UPDATE) as organization:
        role = _changeable(organization, role_id)
        before = role.permission_set
        after = before if permissions is None else _known(permissions)
        _check_ceiling(actor, organization, before | after)
        changes: dict[str, tuple[Any, Any]] = {}
        if name is not None and (clean := clean_name(name)) != role.name:
            _check_name(organization, clean, besides=role)
            changes["name"], role.name = (role.name, clean), clean
        if before != after:
            role.permissions = sorted(after)
            changes["permissions"] = (sorted(before), role.permissions)
        if changes:
            role.save(update_fields=list(changes))
            record(actor, organization, Happening("role.updated", role, changes))
        if Permission.MEMBER_MANAGE in before - after:
            end_management(organization, list(_holders(role)))
    return role


def delete_role(
    *, actor: Actor, organization: Organization, role_id: Any, successor_id: Any = UNDECIDED
) -> Role:
    """Delete a role; its members, and whoever joins, get the successor or, with None, no role. Nobody becomes
    an owner by joining.

    Raises NotAllowed, NotFound, FixedRole, AboveOwnRole, RoleHasMembers, UnknownRole.
    """
    with access.locked(actor, organization, Permission.ROLE_DELETE) as organization:
        role = _changeable(organization, role_id)
        successor = _successor(organization, role, successor_id)
        gained = successor.permission_set if successor else frozenset()
        _check_ceiling(actor, organization, role.permission_set | gained)
        holders = list(_holders(role))
        if holders and successor_id is UNDECIDED:
            raise errors.RoleHasMembers(role=role.name)
        _move(actor, organization, role, holders, successor)
        _replace_for_new_members(actor, organization, role, successor)
        record(actor, organization, Happening("role.deleted", role, _described(role, gone=True)))
        Role.objects.filter(pk=role.pk).delete()
    return role


def may(*, user: Any, slug: str, permission: str) -> bool:
    """Whether `user` is a member of the organization with this short name whose role has `permission` now,
    with two-factor authentication where the organization requires it.

    Raises ValueError for a permission that does not exist.
    """
    if permission not in all_permissions():
        raise ValueError(f"there is no permission {permission!r}: add it to GUESTLIST['PERMISSIONS']")
    organization = Organization.objects.present().filter(slug=slug).first()
    if organization is None or not user.is_authenticated:
        return False
    held = access.permissions_of(Actor.user(user, origin=Origin("web")), organization)
    return held is not None and permission in held and not lacks_two_factor(user, organization)


def find_role(organization: Organization, role_id: Any) -> Role:
    """Raises NotFound."""
    role = Role.objects.filter(organization=organization, pk=role_id).first()
    if role is None:
        raise errors.NotFound
    return role


def list_roles(organization: Organization) -> list[tuple[Role, int]]:
    """The roles in the order they were made, each with how many members have it, counted up to 10,001."""
    roles = list(Role.objects.filter(organization=organization).order_by("pk"))
    members = Headcounts.of(organization).members
    return [(role, members[str(role.pk)]) for role in roles]


def count_members(role: Role) -> int:
    """How many members have the role, counted up to 10,001."""
    return capped_counts([_holders(role)])[0]


def _insert(actor: Actor, organization: Organization, name: str, permissions: Collection[str]) -> Role:
    _check_ceiling(actor, organization, permissions)
    _check_name(organization, name)
    role = Role(organization=organization, name=name, permissions=sorted(permissions))
    role.save(force_insert=True)
    record(actor, organization, Happening("role.created", role, _described(role)))
    return role


def _changeable(organization: Organization, role_id: Any) -> Role:
    role = find_role(organization, role_id)
    if role.fixed:
        raise errors.FixedRole(role=role.name)
    return role


def _known(permissions: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(permissions)
    if unknown := wanted - all_permissions():
        raise errors.UnknownPermission(permission=min(unknown))
    return wanted


def _check_ceiling(actor: Actor, organization: Organization, permissions: Collection[str]) -> None:
    held = access.permissions_of(actor, organization) or frozenset()
    if not held.issuperset(permissions):
        raise errors.AboveOwnRole


def _check_name(organization: Organization, name: str, besides: Role | None = None) -> None:
    names = _names(organization, besides)
    if name.casefold() in names:
        raise errors.RoleNameTaken(name=name)
    if besides is None and len(names) >= MOST_ROLES:
        raise errors.TooManyRoles(limit=MOST_ROLES)


def _names(organization: Organization, besides: Role | None = None) -> set[str]:
    """Names as they are compared. SQLite tells é from É, people do not."""
    named = Role.objects.filter(organization=organization).values_list("pk", "name")
    return {name.casefold() for pk, name in named if besides is None or pk != besides.pk}


def _name_of_copy(organization: Organization, role: Role) -> str:
    names = _names(organization)
    for number in range(1, MOST_ROLES + 2):
        end = f" {number}" if number > 1 else ""
        name = (_("Copy of %(name)s") % {"name": role.name})[: MAX_NAME - len(end)].rstrip() + end
        if name.casefold() not in names:
            return name
    raise errors.TooManyRoles(limit=MOST_ROLES)


def _holders(role: Role) -> Any:
    return Membership.objects.active().filter(role=role)


def _successor(organization: Organization, role: Role, successor_id: Any) -> Role | None:
    if successor_id is UNDECIDED or successor_id is None:
        return None
    successor = Role.objects.filter(organization=organization, pk=successor_id).exclude(pk=role.pk).first()
    if successor is None:
        raise errors.UnknownRole
    return successor


def _move(
    actor: Actor,
    organization: Organization,
    role: Role,
    holders: Sequence[Membership],
    successor: Role | None,
) -> None:
    if not holders:
        return
    _holders(role).update(role=successor)
    change = {"role": (role.name, successor and successor.name)}
    record_all(actor, organization, [Happening("member.role_changed", member, change) for member in holders])
    kept = successor.permission_set if successor else frozenset()
    if Permission.MEMBER_MANAGE in role.permission_set - kept:
        end_management(organization, holders)


def _replace_for_new_members(
    actor: Actor, organization: Organization, role: Role, successor: Role | None
) -> None:
    if organization.new_member_role_id != role.pk:
        return
    organization.new_member_role = None if successor and successor.fixed else successor
    organization.save(update_fields=["new_member_role"])
    after = organization.new_member_role
    change = {"new_member_role": (role.name, after and after.name)}
    record(actor, organization, Happening("organization.updated", organization, change))


def _described(role: Role, *, gone: bool = False) -> dict[str, tuple[Any, Any]]:
    told = {"name": role.name, "permissions": sorted(role.permission_set)}
    return {field: (value, None) if gone else (None, value) for field, value in told.items()}
