"""Who may do what, asked anew each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import BooleanField, F, FilteredRelation, Q, QuerySet, UUIDField, Value

from guestlist import errors
from guestlist.actors import Actor
from guestlist.models import ApiKey, Membership, Organization
from guestlist.models.prepared import Bind, Prepared
from guestlist.models.role import role_permissions
from guestlist.permissions import all_permissions, permission_label


def permissions_of(actor: Actor, organization: Organization) -> frozenset[str] | None:
    """What `actor` may do in `organization` now; None for somebody who does not belong to it, and for
    everybody where it is deleted.
    """
    return None if organization.deleted_at else _held(actor, organization)


def held_in_deleted(actor: Actor, organization: Organization) -> frozenset[str]:
    """Part of restoring: what `actor` could do there when it was deleted, a key nothing."""
    return frozenset() if actor.type == "api_key" else _held(actor, organization) or frozenset()


def _held(actor: Actor, organization: Organization) -> frozenset[str] | None:
    match actor.type:
        case "operator":
            return all_permissions()
        case "user":
            membership = _membership(actor.subject.pk, organization)
            return membership.permissions if membership else None
        case "api_key":
            return _key_permissions(actor, organization)
    return None


def require(actor: Actor, organization: Organization, permission: str) -> frozenset[str]:
    """What `actor` may do, if `permission` is part of it. Raises NotAllowed for a member, and NotFound for
    everybody else: an organization that is not yours looks like one that does not exist.
    """
    held = permissions_of(actor, organization)
    if held is None:
        raise errors.NotFound
    if permission not in held:
        raise errors.NotAllowed(permission=permission_label(permission), organization=organization.name)
    return held


@contextmanager
def locked(actor: Actor, organization: Organization, permission: str) -> Iterator[Organization]:
    """The transaction of an action: the organization's row is locked, `permission` is asked under that lock,
    and `organization.now` is the database's time. Raises NotAllowed, NotFound.
    """
    with transaction.atomic():
        fresh = _lock(organization)
        require(actor, fresh, permission)
        yield fresh


@contextmanager
def locked_by_holder(organization: Organization) -> Iterator[Organization]:
    """The transaction of what needs no permission: accepting, declining and leaving, which ask for
    something else, and what the system itself does.
    """
    with transaction.atomic():
        yield _lock(organization)


def find_organization(actor: Actor, slug: str, permission: str) -> Organization:
    """The organization for reading. Raises NotFound, NotAllowed."""
    organization = Organization.objects.present().filter(slug=slug).first()
    if organization is None:
        raise errors.NotFound
    require(actor, organization, permission)
    return organization


def _lock(organization: Organization) -> Organization:
    try:
        fresh = Organization.objects.lock(organization.pk)
    except Organization.DoesNotExist as error:
        raise errors.NotFound from error
    if fresh.deleted_at:
        raise errors.NotFound
    return fresh


def _membership(user_id: Any, organization: Organization) -> Membership | None:
    """None too for a user whose account is switched off: not every user model can, but all say so."""
    for member in _OF_USER.instances(user=user_id, organization=organization.pk):
        return member if member.user.is_active else None
    return None


_OF_USER = Prepared(
    lambda: (
        Membership.objects.active()
        .filter(
            user=Bind("user", Membership._meta.get_field("user").target_field),
            organization=Bind("organization", UUIDField()),
        )
        .select_related("role", "user")
    )
)


def _key_permissions(actor: Actor, organization: Organization) -> frozenset[str] | None:
    for asked, creator, is_on, member, fixed, granted in _OF_KEY.rows(
        key=actor.subject.pk, organization=organization.pk
    ):
        if creator is None:
            return frozenset(asked)
        if member is None or not (actor.subject.created_by.is_active if is_on is None else is_on):
            return None
        return frozenset(asked) & role_permissions(fixed=fixed, granted=granted or ())
    return None


def _usable_key() -> "QuerySet[ApiKey, Any]":
    """One key that works, with the role of who made it."""
    own = "organization__memberships"
    made_by_member = Q(**{f"{own}__user": F("created_by"), f"{own}__state": Membership.State.ACTIVE})
    in_column = any(field.name == "is_active" for field in get_user_model()._meta.get_fields())
    keys = ApiKey.objects.usable().filter(
        pk=Bind("key", UUIDField()), organization=Bind("organization", UUIDField())
    )
    return keys.annotate(
        maker=FilteredRelation(own, condition=made_by_member),
        is_on=F("created_by__is_active") if in_column else Value(None, BooleanField()),
    ).values_list(
        "permissions", "created_by", "is_on", "maker", "maker__role__fixed", "maker__role__permissions"
    )


_OF_KEY = Prepared(_usable_key)
