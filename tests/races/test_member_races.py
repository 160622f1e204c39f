"""Races between owners, and between a removal and what would undo it."""

from functools import partial
from itertools import product

import pytest

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.invitations import send_invitations
from guestlist.actions.member_batches import MemberSelection
from guestlist.actions.members import (
    change_role,
    leave_organization,
    remove_member,
    remove_members,
    transfer_ownership,
)
from guestlist.addresses import parse_addresses
from guestlist.links import invitation_token
from guestlist.models import Event, Invitation, Membership, Role
from tests.conftest import actor_of, join, make_user
from tests.races.test_races import ROUNDS, assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
DEEDS = ("demote", "remove", "leave")


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


def membership(organization, user):
    return Membership.objects.get(organization=organization, user=user, state="active")


def owners_again(organization, *users):
    """Each is an owner, whatever they were."""
    active = Membership.objects.active().filter(organization=organization)
    active.filter(user__in=users).update(role=role(organization, "Owner"))
    for user in users:
        if not active.filter(user=user).exists():
            join(organization, user, "Owner")


def deed(name, organization, user, other):
    """What `user` does about `other`, or about their own membership."""
    about = {"actor": actor_of(user), "organization": organization}
    if name == "leave":
        return partial(leave_organization, **about)
    about["member_id"] = membership(organization, other).pk
    if name == "remove":
        return partial(remove_member, **about)
    return partial(change_role, **about, role_id=role(organization, "Admin").pk)


@pytest.mark.parametrize(("first", "second"), list(product(DEEDS, DEEDS)))
def test_two_owners_never_leave_none(organization, alice, first, second):
    other = make_user("other@northwind.test", "Other Owner")
    owners = Membership.objects.active().filter(organization=organization, role__fixed=True)
    for _ in range(ROUNDS):
        owners_again(organization, alice, other)
        results = at_once(deed(first, organization, alice, other), deed(second, organization, other, alice))
        # Whoever comes second acts for somebody who may no more, or would be the last to go.
        refusals = [result for result in results if isinstance(result, errors.GuestlistError)]
        assert {type(error) for error in refusals} <= {
            errors.NotFound,
            errors.NotAllowed,
            errors.AboveOwnRole,
            errors.LastOwner,
        }
        # Leaving and being removed come to the same; every other pair is one deed and one refusal.
        assert owners.count() == 1
    assert_log_has_no_gaps(organization)


def test_a_transfer_against_a_removal_of_the_heir_leaves_an_owner(organization, alice):
    second = make_user("second@northwind.test", "Second Owner")
    heir = make_user("heir@northwind.test", "Heir")
    for _ in range(ROUNDS):
        owners_again(organization, alice, second)
        if not Membership.objects.active().filter(user=heir).exists():
            join(organization, heir, "Member")
        pk = membership(organization, heir).pk
        Membership.objects.filter(pk=pk).update(role=role(organization, "Member"))
        at_once(
            partial(
                transfer_ownership,
                actor=actor_of(alice),
                organization=organization,
                member_id=pk,
                role_id=role(organization, "Admin").pk,
            ),
            partial(remove_member, actor=actor_of(second), organization=organization, member_id=pk),
        )
        mine = membership(organization, alice).role.name
        # Either the heir was there to become an owner, or nothing was passed on.
        became = Event.objects.filter(subject_id=str(pk), type="member.role_changed").exists()
        assert mine == ("Admin" if became else "Owner")
        assert membership(organization, second).role.name == "Owner"
    assert_log_has_no_gaps(organization)


@pytest.mark.parametrize("many", [False, True])
def test_a_role_change_raises_nobody_from_the_removed(organization, alice, many):
    """R10"""
    admin = role(organization, "Admin")
    for i in range(ROUNDS):
        member = join(organization, make_user(f"m{i}@acme.test", f"M {i}"), "Member")
        about = {"actor": actor_of(alice), "organization": organization}
        selection = MemberSelection(ids=[str(member.pk)])
        gone = (
            partial(remove_members, **about, selection=selection)
            if many
            else partial(remove_member, **about, member_id=member.pk)
        )
        changed, _ = at_once(partial(change_role, **about, member_id=member.pk, role_id=admin.pk), gone)
        rows = list(Membership.objects.filter(email=f"m{i}@acme.test").values_list("state", "role__name"))
        assert rows == [("removed", "Member" if isinstance(changed, errors.NotFound) else "Admin")]
    assert_log_has_no_gaps(organization)


def test_removing_against_accepting_a_second_invitation_has_an_order(organization, alice):
    """R09"""
    for i in range(ROUNDS):
        user = make_user(f"v{i}@acme.test", f"V {i}")
        parsed = parse_addresses(user.email)
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row = batch.outcomes[0].invitation
        # In by other means; the invitation is still open.
        member = join(organization, user, "Member")
        token = invitation_token(row.nonce, row.pk)
        accepted, removed = at_once(
            lambda user=user, token=token: accept_invitation(
                actor=actor_of(user), invitation=find_invitation(token=token)
            ),
            partial(remove_member, actor=actor_of(alice), organization=organization, member_id=member.pk),
        )
        assert isinstance(removed, Membership)
        status = Invitation.objects.get(pk=row.pk).status
        joined = Membership.objects.active().filter(user=user).exists()
        # Removed first, it is revoked with them; accepted first, it is used up and they go all the same.
        if isinstance(accepted, errors.NotPending):
            assert (status, joined) == ("revoked", False)
        else:
            assert (status, joined, accepted.joined) == ("accepted", False, False)
    assert_log_has_no_gaps(organization)
