"""Change a role, transfer the ownership, remove, leave."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.departure import Stopping, addressed_to, revoke_keys
from guestlist.actions.hand_over import end_hand_over_links
from guestlist.actions.invitee import verified_keys
from guestlist.actions.mail import cancel_news
from guestlist.actions.member_batches import MemberResult, MemberSelection
from guestlist.actions.request_ends import end_requests
from guestlist.actions.revocation import revoke_rows
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.events import Happening, record, record_all
from guestlist.models import Invitation, JoinLink, JoinRequest, Membership, Organization, Role
from guestlist.models.fields import as_uuid, chunks
from guestlist.permissions import Permission


def change_role(*, actor: Actor, organization: Organization, member_id: Any, role_id: Any) -> Membership:
    """Give a member another role; `role_id` None takes it away.

    Raises NotAllowed, NotFound, UnknownRole, OwnRole, AboveOwnRole, LastOwner.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        member = _active_member(organization, member_id)
        _given, refused = _give(actor, organization, [member], _role(organization, role_id))
        _raise_first(refused)
    return member


def change_roles(
    *, actor: Actor, organization: Organization, selection: MemberSelection, role_id: Any
) -> MemberResult:
    """Give those of a selection for whom it is allowed another role, with the same number of statements for
    1 and for 10,000; `role_id` None takes it away.

    Raises NotAllowed, NoMembersChosen, TooManyIds, UnknownRole.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        selection.check()
        role = _role(organization, role_id)
        chosen = list(selection.rows(organization))
        given, refused = _give(actor, organization, chosen, role)
    return MemberResult.of("changed", selection, chosen, given, refused, role)


def transfer_ownership(
    *, actor: Actor, organization: Organization, member_id: Any, role_id: Any
) -> Membership:
    """Make a member an owner in one's own place; oneself has the role `role_id` from then on, or none, but
    not that of owners.

    Raises NotAllowed, OwnersOnly, NotFound, OwnRole, UnknownRole.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        own, member = _passing_on(actor, organization, member_id)
        role = _role(organization, role_id)
        if role == own.role:
            raise errors.UnknownRole
        _write_role(actor, organization, [member], own.role)
        _write_role(actor, organization, [own], role)
    return member


def successor(*, actor: Actor, organization: Organization, member_id: Any) -> Membership:
    """The member to whom the ownership could be transferred. Raises as `transfer_ownership` does."""
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    return _passing_on(actor, organization, member_id)[1]


def remove_member(*, actor: Actor, organization: Organization, member_id: Any) -> Membership:
    """End somebody's membership, what they made for programs and to hand over, and pending invitations to any
    of that person's addresses.

    Raises NotAllowed, NotFound, OwnMembership, AboveOwnRole, LastOwner.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        member = _active_member(organization, member_id)
        _raise_first(_refusals(actor, organization, [member], None, errors.OwnMembership))
        _end(actor, organization, [member], Membership.State.REMOVED)
    return member


def remove_members(*, actor: Actor, organization: Organization, selection: MemberSelection) -> MemberResult:
    """Remove those of a selection for whom it is allowed, with the same number of statements for 2 and for
    10,000. Raises NotAllowed, NoMembersChosen, TooManyIds.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        selection.check()
        chosen = list(selection.rows(organization))
        refused = _refusals(actor, organization, chosen, None, errors.OwnMembership)
        leaving = [member for member in chosen if member.pk not in refused]
        _end(actor, organization, leaving, Membership.State.REMOVED)
    return MemberResult.of("removed", selection, chosen, leaving, refused)


def what_stops(*, actor: Actor, organization: Organization, selection: MemberSelection) -> Stopping:
    """What removing a selection would end; nothing happens. Where nobody of it can be removed, the reason of
    the first is raised.

    Raises NotAllowed, NoMembersChosen, TooManyIds, NotFound, OwnMembership, AboveOwnRole, LastOwner.
    """
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    selection.check()
    chosen = list(selection.rows(organization))
    refused = _refusals(actor, organization, chosen, None, errors.OwnMembership)
    leaving = [member for member in chosen if member.pk not in refused]
    if not leaving:
        _raise_first(refused)
        raise errors.NotFound
    return Stopping.of(organization, leaving)


def leave_organization(*, actor: Actor, organization: Organization) -> Membership:
    """End one's own membership, and what one made for programs and to hand over.

    Raises NotFound, LastOwner.
    """
    with access.locked_by_holder(organization) as organization:
        member = _own_membership(actor, organization)
        if member is None:
            raise errors.NotFound
        if is_last_owner(member):
            raise errors.LastOwner(organization=organization.name)
        _end(actor, organization, [member], Membership.State.LEFT)
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
    end_requests(actor, organization, JoinRequest.objects.filter(key__in=keys), JoinRequest.State.GRANTED)
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


def members_by_key(
    organization: Organization, keys: Iterable[str], owners: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Comparison key → membership id, for those of `keys` that are an address of a member: any verified one
    counts; one that nobody has proved is a mere claim. Two queries for every 10,000, one where it is known
    already who `owners` are.
    """
    found: dict[str, Any] = {}
    for chunk in chunks(list(keys)):
        owned = conf().addresses.owners(chunk) if owners is None else owners
        theirs = Q(user__in=set(owned.values())) | Q(email_key__in=chunk, email_verified=True)
        rows = Membership.objects.active().filter(theirs, organization=organization)
        by_user: dict[Any, Any] = {}
        by_key: dict[str, Any] = {}
        for pk, user_id, email_key in rows.values_list("pk", "user_id", "email_key"):
            by_user[user_id], by_key[email_key] = pk, pk
        ids = {key: by_user.get(owned.get(key)) or by_key.get(key) for key in chunk}
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
    """Whether the member acts, or a key that they made."""
    if actor.type == "api_key":
        return bool(actor.subject.created_by_id == member.user_id)
    return actor.type == "user" and actor.subject.pk == member.user_id


def is_last_owner(member: Membership) -> bool:
    """Whether the organization would be without an owner if this member were none."""
    if not (member.role and member.role.fixed):
        return False
    owners = Membership.objects.active().filter(organization=member.organization_id, role=member.role)
    return not owners.exclude(pk=member.pk).exists()


def _own_membership(actor: Actor, organization: Organization) -> Membership | None:
    if actor.type != "user":
        return None
    own = Membership.objects.active().filter(organization=organization, user=actor.subject)
    return own.select_related("role").first()


def _passing_on(actor: Actor, organization: Organization, member_id: Any) -> tuple[Membership, Membership]:
    """The owner who acts, and the member who is to be one."""
    own = _own_membership(actor, organization)
    if own is None or not (own.role and own.role.fixed):
        raise errors.OwnersOnly
    member = _active_member(organization, member_id)
    if member == own:
        raise errors.OwnRole
    return own, member


def _refusals(
    actor: Actor,
    organization: Organization,
    members: Sequence[Membership],
    role: Role | None,
    own: type[errors.GuestlistError],
) -> dict[Any, errors.GuestlistError]:
    """Membership id → why that member can't get `role`, or with None be removed or left without one. Of the
    owners that are chosen, one stays if there is no other.
    """
    held = access.permissions_of(actor, organization) or frozenset()
    owners = Membership.objects.active().filter(organization=organization, role__fixed=True).count()
    refused: dict[Any, errors.GuestlistError] = {}
    for member in members:
        if _is(actor, member):
            refused[member.pk] = own()
        elif any(each and not each.permission_set <= held for each in (member.role, role)):
            refused[member.pk] = errors.AboveOwnRole()
        elif member.role and member.role.fixed and not (role and role.fixed):
            if owners == 1:
                refused[member.pk] = errors.LastOwner(organization=organization.name)
            else:
                owners -= 1
    return refused


def _raise_first(refused: Mapping[Any, errors.GuestlistError]) -> None:
    for error in refused.values():
        raise error


def _give(
    actor: Actor, organization: Organization, chosen: Sequence[Membership], role: Role | None
) -> tuple[list[Membership], dict[Any, errors.GuestlistError]]:
    """Those who got `role`, and who may not get it. Who has it already is in neither."""
    changing = [member for member in chosen if _is(actor, member) or member.role != role]
    refused = _refusals(actor, organization, changing, role, errors.OwnRole)
    given = [member for member in changing if member.pk not in refused]
    _write_role(actor, organization, given, role)
    return given, refused


def _write_role(
    actor: Actor, organization: Organization, members: Sequence[Membership], role: Role | None
) -> None:
    happenings = []
    for member in members:
        change = {"role": (member.role and member.role.name, role and role.name)}
        if member.role != role:
            happenings.append(Happening("member.role_changed", member, change))
        member.role = role
    for ids in chunks([member.pk for member in members]):
        Membership.objects.filter(pk__in=ids).update(role=role)
    if not (role and Permission.MEMBER_MANAGE in role.permission_set):
        end_management(organization, members)
    record_all(actor, organization, happenings)


def _end(
    actor: Actor, organization: Organization, members: Sequence[Membership], state: Membership.State
) -> None:
    for member in members:
        member.state, member.ended_at = state, organization.now
    for ids in chunks([member.pk for member in members]):
        Membership.objects.filter(pk__in=ids).update(state=state, ended_at=organization.now)
    record_all(actor, organization, [Happening(f"member.{state}", member) for member in members])
    end_management(organization, members)
    revoke_keys(actor, organization, members)
    addressed = addressed_to(organization, members) if state == Membership.State.REMOVED else []
    for ids in chunks(addressed):
        revoke_rows(actor, organization, Invitation.objects.filter(pk__in=ids))
