"""Delete an organization; restore it within 30 days; after that it is gone for good."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.mail import cancel_all_mail
from guestlist.actions.two_factor import lacks_two_factor
from guestlist.actions.webhook_ends import cancel_all_calls
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Membership, Organization
from guestlist.models.fields import timestamp
from guestlist.permissions import Permission

KEPT = timedelta(days=30)
# Organizations that are removed in one go of the clock.
MOST_PURGED = 20
MOST_SHOWN = 50


def delete_organization(*, actor: Actor, organization: Organization, name: str) -> Organization:
    """Nobody gets into it any more, and nothing that it owes leaves; `name` is its name, typed once more. It
    can be restored for 30 days. Raises NotAllowed, NotFound, NameMismatch.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_DELETE) as organization:
        if name.strip() != organization.name:
            raise errors.NameMismatch(organization=organization.name)
        organization.deleted_at = organization.now
        organization.save(update_fields=["deleted_at"])
        cancel_all_mail(organization)
        cancel_all_calls(organization)
        change = {"deleted_at": (None, timestamp(organization.now))}
        record(actor, organization, Happening("organization.deleted", organization, change))
    return organization


def restore_organization(*, actor: Actor, organization_id: UUID) -> Organization:
    """Everything is as it was, but for the mail that was canceled. Whoever could delete it may, for 30 days.

    Raises NotFound for everybody else and for whatever is not deleted, TwoFactorRequired.
    """
    with transaction.atomic():
        try:
            organization = Organization.objects.lock(organization_id)
        except Organization.DoesNotExist as error:
            raise errors.NotFound from error
        deleted_at = organization.deleted_at
        held = access.held_in_deleted(actor, organization)
        if deleted_at is None or Permission.ORGANIZATION_DELETE not in held:
            raise errors.NotFound
        if gone_at(organization) <= organization.now:
            raise errors.NotFound
        if actor.type == "user" and lacks_two_factor(actor.subject, organization):
            raise errors.TwoFactorRequired(organization=organization.name)
        organization.deleted_at = None
        organization.save(update_fields=["deleted_at"])
        change = {"deleted_at": (timestamp(deleted_at), None)}
        record(actor, organization, Happening("organization.restored", organization, change))
    return organization


def gone_at(organization: Organization) -> datetime:
    """When a deleted organization goes for good."""
    if organization.deleted_at is None:
        raise ValueError("it is not deleted")
    return organization.deleted_at + KEPT


def restorable_organizations(*, user: Any) -> list[Organization]:
    """The deleted organizations that `user` may restore, the newest first, in one query for the last 50."""
    own = Membership.objects.active().filter(user=user, organization__deleted_at__gt=Now() - KEPT)
    rows = own.select_related("organization", "role").order_by("-organization__deleted_at", "pk")[:MOST_SHOWN]
    return [row.organization for row in rows if Permission.ORGANIZATION_DELETE in row.permissions]


def purge_deleted(*, limit: int = MOST_PURGED) -> int:
    """Remove whole what was deleted 30 days ago, up to `limit` organizations; how many. Users stay. What
    fails for one hinders no other: the first failure is raised once all had their turn.
    """
    due = Organization.objects.filter(deleted_at__lte=Now() - KEPT).order_by("deleted_at")
    done, failure = 0, None
    for pk in list(due.values_list("pk", flat=True)):
        if done == limit:
            break
        try:
            done += _purge(pk)
        except Exception as error:
            failure = failure or error
    if failure:
        raise failure
    return done


def _purge(pk: UUID) -> bool:
    """One statement for each table, so that no row is read. The organization goes first, for the database
    lets its events go only then; that nothing is left without it is checked when the transaction ends.
    """
    with transaction.atomic():
        due = Organization.objects.select_for_update().filter(pk=pk, deleted_at__lte=Now() - KEPT)
        organization = due.first()
        if organization is None:
            return False  # another clock was faster
        _remove(Organization.objects.filter(pk=pk))
        for relation in Organization._meta.related_objects:
            if relation.related_model._meta.app_label == Organization._meta.app_label:
                rows = relation.related_model._base_manager
                _remove(rows.filter(**{relation.field.name: pk}))
        # Rows of a project that belong to it go as their models say.
        organization.delete()
    return True


def _remove(rows: "models.QuerySet[Any]") -> None:
    """Without reading them, as `delete` does where other rows refer to them."""
    rows._raw_delete(rows.db)
