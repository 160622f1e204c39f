"""Who may do what, asked anew each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from guestlist import errors
from guestlist.actors import Actor
from guestlist.models import Membership, Organization
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
    rows = Membership.objects.active().filter(user=user_id, organization=organization)
    member = rows.select_related("role", "user").first()
    return member if member and member.user.is_active else None


def _key_permissions(actor: Actor, organization: Organization) -> frozenset[str] | None:
    key = actor.subject
    if key.organization_id != organization.pk or not type(key).objects.usable().filter(pk=key.pk).exists():
        return None
    if key.created_by_id is None:
        return frozenset(key.permissions)
    creator = _membership(key.created_by_id, organization)
    return frozenset(key.permissions) & creator.permissions if creator else None
