"""Two-factor authentication as an organization can require it of its members."""

from typing import Any

from guestlist import errors
from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.conf import conf
from guestlist.events import Happening, record
from guestlist.models import Organization
from guestlist.permissions import Permission


def require_two_factor(*, actor: Actor, organization: Organization, required: bool) -> Organization:
    """Let in, from the next request on, only members with two-factor authentication; or everybody again.
    Whoever requires it has it. Raises NotAllowed, TwoFactorUnknown, TwoFactorFirst.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        before = organization.require_two_factor
        if before == required:
            return organization
        if required and conf().two_factor is None:
            raise errors.TwoFactorUnknown
        if required and actor.type == "user" and not has_two_factor(actor.subject):
            raise errors.TwoFactorFirst
        organization.require_two_factor = required
        organization.save(update_fields=["require_two_factor"])
        change = {"require_two_factor": (before, required)}
        record(actor, organization, Happening("organization.updated", organization, change))
    return organization


def lacks_two_factor(user: Any, organization: Organization) -> bool:
    """Whether the organization requires what `user` does not have. Asks nothing where it does not."""
    return organization.require_two_factor and not has_two_factor(user)


def has_two_factor(user: Any) -> bool:
    """As the project says; a project that says nothing of it keeps nobody out."""
    two_factor = conf().two_factor
    return two_factor is None or two_factor.is_on(user)
