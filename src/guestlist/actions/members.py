"""Change a role, remove, leave."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.hand_over import end_hand_over_links
from guestlist.actions.invitee import verified_keys
from guestlist.actions.mail import cancel_news
from guestlist.actions.revocation import revoke_rows
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.events import Happening, record
from guestlist.models import Invitation, JoinLink, Membership, Organization, Role
from guestlist.models.fields import as_uuid, chunks
from guestlist.permissions import Permission


def change_role(*, actor: Actor, organization: Organization, member_id: Any, role_id: Any) -> Membership:
    """Give a member another role; `role_id` None takes it away.

    Raises NotAllowed, NotFound, UnknownRole, OwnRole, AboveOwnRole, LastOwner.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        member = _active_member(organization, member_id)
        role = _role(organization, role_id)
        if _is(actor, member):
            raise errors.OwnRole
        before = member.role
        if before == role:
            return member
        _check_ceiling(actor, organization, before, role)
        if not (role and role.fixed):
            _check_last_owner(organization, member)
        member.role = role
        member.save(update_fields=["role"])
        if Permission.MEMBER_MANAGE not in member.permissions:
            end_management(organization, [member])
        change = {"role": (before and before.name, role and role.name)}
        record(actor, organization, Happening("member.role_changed", member, change))
    return member


def remove_member(*, actor: Actor, organization: Organization, member_id: Any) -> Membership:
    """End somebody's membership, and revoke pending invitations to any of that person's addresses.

    Raises NotAllowed, NotFound, OwnMembership, AboveOwnRole, LastOwner.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        member = _active_member(organization, member_id)
        if _is(actor, member):
            raise errors.OwnMembership
        _check_ceiling(actor, organization, member.role)
        _check_last_owner(organization, member)
        _end(actor, organization, member, Membership.State.REMOVED)
    return member


def leave_organization(*, actor: Actor, organization: Organization) -> Membership:
    """End one's own membership. Raises NotFound, LastOwner."""
    with access.locked_by_holder(organization) as organization:
        own = Membership.objects.active().filter(organization=organization, user=actor.subject)
        member = own.select_related("role").first() if actor.type == "user" else None
        if member is None:
            raise errors.NotFound
        _check_last_owner(organization, member)
        _end(actor, organization, member, Membership.State.LEFT)
    return member


def add_member(
    actor: Actor,
    organization: Organization,
    *,
    user: Any,
    via: Membership.Via,
    role: Role | None = None,
    invitation: Invitation | None = None,
    join_link: JoinLink | None = None,
) -> Membership:
    """Part of the actions that let somebody in: a membership in the locked `organization`, and its event.
    Without `role` it has the one for new members, if there is one.
    """
    role = role or organization.new_member_role
    member = Membership(
        organization=organization,
        user=user,
        role=role,
        via=via,
        invitation=invitation,
        join_link=join_link,
        joined_at=organization.now,
        **_profile(user),
    )
    member.save(force_insert=True)
    changes = {"role": (None, role and role.name), "via": (None, via.value)}
    record(actor, organization, Happening("member.joined", member, changes))
    # Whoever is in needs no new invitation.
    keys = verified_keys(Actor.user(user, origin=actor.origin)) | {member.email_key}
    Invitation.objects.asked().filter(organization=organization, key__in=keys).update(asking=False)
    return member


def end_management(organization: Organization, members: Collection[Membership]) -> None:
    """Part of the actions after which `members` do not manage members any more: the links that they handed
    over stop working, and no more word goes to them.
    """
    end_hand_over_links(organization, [member.user_id for member in members])
    cancel_news(organization, [member.email for member in members])


def update_profile(*, user: Any) -> None:
    """Copy the account's name and address to the user's memberships. Call it whenever they change."""
    Membership.objects.active().filter(user=user).update(**_profile(user))


def _profile(user: Any) -> dict[str, Any]:
    actor = Actor.user(user, origin=Actor.system().origin)
    key = comparison_key(actor.email) or actor.email.lower()
    return {
        "name": actor.name[:150],
        "email": actor.email,
        "email_key": key,
        "email_verified": key in verified_keys(actor),
    }


def members_by_key(organization: Organization, keys: Iterable[str]) -> dict[str, Any]:
    """Comparison key → membership id, for those of `keys` that are an address of a member: any verified one
    counts; one that nobody has proved is a mere claim. Two queries for every 10,000.
    """
    found: dict[str, Any] = {}
    for chunk in chunks(list(keys)):
        owners = conf().addresses.owners(chunk)
        theirs = Q(user__in=set(owners.values())) | Q(email_key__in=chunk, email_verified=True)
        rows = Membership.objects.active().filter(theirs, organization=organization)
        by_user: dict[Any, Any] = {}
        by_key: dict[str, Any] = {}
        for pk, user_id, email_key in rows.values_list("pk", "user_id", "email_key"):
            by_user[user_id], by_key[email_key] = pk, pk
        ids = {key: by_user.get(owners.get(key)) or by_key.get(key) for key in chunk}
        found |= {key: pk for key, pk in ids.items() if pk}
    return found


def find_member(organization: Organization, text: str) -> Membership | None:
    """The member with this id or verified address, if there is one."""
    rows = Membership.objects.active().filter(organization=organization).select_related("role")
    if member_id := as_uuid(text):
        return rows.filter(pk=member_id).first()
    key = comparison_key(text)
    ids = members_by_key(organization, [key] if key else [])
    return rows.filter(pk__in=ids.values()).first()


def _active_member(organization: Organization, member_id: Any) -> Membership:
    rows = Membership.objects.active().filter(organization=organization, pk=member_id)
    member = rows.select_related("role", "user").first()
    if member is None:
        raise errors.NotFound
    return member


def _role(organization: Organization, role_id: Any) -> Role | None:
    if role_id is None:
        return None
    role = Role.objects.filter(organization=organization, pk=role_id).first()
    if role is None:
        raise errors.UnknownRole
    return role


def _is(actor: Actor, member: Membership) -> bool:
    return actor.type == "user" and actor.subject.pk == member.user_id


def _check_ceiling(actor: Actor, organization: Organization, *roles: Role | None) -> None:
    held = access.permissions_of(actor, organization) or frozenset()
    if any(role and not role.permission_set <= held for role in roles):
        raise errors.AboveOwnRole


def is_last_owner(member: Membership) -> bool:
    """Whether the organization would be without an owner if this member were none."""
    if not (member.role and member.role.fixed):
        return False
    owners = Membership.objects.active().filter(organization=member.organization_id, role=member.role)
    return not owners.exclude(pk=member.pk).exists()


def _check_last_owner(organization: Organization, member: Membership) -> None:
    if is_last_owner(member):
        raise errors.LastOwner(organization=organization.name)


def _end(actor: Actor, organization: Organization, member: Membership, state: Membership.State) -> None:
    member.state, member.ended_at = state, organization.now
    member.save(update_fields=["state", "ended_at"])
    record(actor, organization, Happening(f"member.{state}", member))
    end_management(organization, [member])
    if state == Membership.State.REMOVED:
        keys = verified_keys(Actor.user(member.user, origin=actor.origin)) | {member.email_key}
        addressed = Invitation.objects.pending().filter(organization=organization, key__in=keys)
        revoke_rows(actor, organization, addressed)
