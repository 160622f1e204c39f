"""Change any of an organization's settings at once: all of what is asked for, or nothing."""

from typing import Any

from guestlist.actions import access
from guestlist.actions.invitation_settings import AS_IT_IS, update_invitation_settings
from guestlist.actions.organizations import update_mail_settings, update_organization
from guestlist.actions.two_factor import require_two_factor
from guestlist.actors import Actor
from guestlist.models import Organization
from guestlist.permissions import Permission


def update_settings(
    *,
    actor: Actor,
    organization: Organization,
    accent: str | None = None,
    language: str | None = None,
    reminder_days: str | None = None,
    digests: bool | None = None,
    lifetime: str | None = None,
    allowed_domains: str | None = None,
    denied_domains: str | None = None,
    new_member_role_id: Any = AS_IT_IS,
    two_factor: bool | None = None,
) -> Organization:
    """Do what the pages of settings do one by one, in one transaction; what is None stays.

    Raises what `update_organization`, `update_mail_settings`, `update_invitation_settings` and
    `require_two_factor` raise.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        update_organization(actor=actor, organization=organization, accent=accent)
        update_mail_settings(
            actor=actor,
            organization=organization,
            language=language,
            reminder_days=reminder_days,
            digests=digests,
        )
        organization = update_invitation_settings(
            actor=actor,
            organization=organization,
            lifetime=lifetime,
            allowed_domains=allowed_domains,
            denied_domains=denied_domains,
            new_member_role_id=new_member_role_id,
        )
        if two_factor is not None:
            organization = require_two_factor(actor=actor, organization=organization, required=two_factor)
    return organization
