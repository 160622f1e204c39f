"""What an organization sets for its invitations: how long they last, where they may go, what people get."""

from collections.abc import Collection
from typing import Any, Final

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.lifetimes import clean_lifetime
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.mail_domains import matches, parse_patterns
from guestlist.models import Organization, Role
from guestlist.models.fields import as_uuid
from guestlist.permissions import Permission

# The role for new members stays what it is; None says that there is none.
AS_IT_IS: Final = object()


def update_invitation_settings(
    *,
    actor: Actor,
    organization: Organization,
    lifetime: str | None = None,
    allowed_domains: str | None = None,
    denied_domains: str | None = None,
    new_member_role_id: Any = AS_IT_IS,
) -> Organization:
    """Set how long invitations can be accepted, where they may go, and the role of whoever joins; invitations
    that are pending stay as they are. What is None stays; an empty lifetime is the server's, no role id is no
    role.

    Raises NotAllowed, LifetimeInvalid, DomainInvalid, TooManyDomains, UnknownRole, OwnerNotForNewMembers,
    AboveOwnRole.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        typed = {
            "invitation_lifetime": None if lifetime is None else clean_lifetime(lifetime),
            "allowed_domains": None if allowed_domains is None else parse_patterns(allowed_domains),
            "denied_domains": None if denied_domains is None else parse_patterns(denied_domains),
        }
        wanted: dict[str, Any] = {name: value for name, value in typed.items() if value is not None}
        if new_member_role_id is not AS_IT_IS:
            wanted["new_member_role"] = _role(actor, organization, new_member_role_id)
        before = {name: getattr(organization, name) for name in wanted}
        changed = {name: value for name, value in wanted.items() if value != before[name]}
        if changed:
            for name, value in changed.items():
                setattr(organization, name, value)
            organization.save(update_fields=list(changed))
            changes = {name: (_told(before[name]), _told(value)) for name, value in changed.items()}
            record(actor, organization, Happening("organization.updated", organization, changes))
    return organization


def is_allowed(organization: Organization, key: str) -> bool:
    """Whether the organization lets the address with this comparison key be invited. What is denied stays
    denied, also where it is allowed.
    """
    allowed = organization.allowed_domains
    return not matches(organization.denied_domains, key) and (not allowed or matches(allowed, key))


def not_allowed(organization: Organization, keys: Collection[str]) -> set[str]:
    """Those of `keys` that the organization does not let be invited; each domain is looked at once."""
    domains = {key.rpartition("@")[2] for key in keys}
    kept_out = {domain for domain in domains if not is_allowed(organization, f"@{domain}")}
    return {key for key in keys if key.rpartition("@")[2] in kept_out}


def _role(actor: Actor, organization: Organization, role_id: Any) -> Role | None:
    if not role_id:
        return None
    rows, pk = Role.objects.filter(organization=organization), as_uuid(str(role_id))
    role = rows.filter(pk=pk).first() if pk else None
    if role is None:
        raise errors.UnknownRole
    if role.pk != organization.new_member_role_id:
        _check_new_member_role(actor, organization, role)
    return role


def _check_new_member_role(actor: Actor, organization: Organization, role: Role) -> None:
    # Only choosing one is bounded: to choose none takes nothing from anybody.
    if role.fixed:
        raise errors.OwnerNotForNewMembers
    if not role.permission_set <= (access.permissions_of(actor, organization) or frozenset()):
        raise errors.AboveOwnRole


def _told(value: Any) -> Any:
    """As the audit log tells it: a role by its name."""
    return value.name if isinstance(value, Role) else value
