"""Roles, removal and leaving: the ceiling, the last owner, and what ends with a membership."""

import pytest

from guestlist import errors
from guestlist.actions.members import change_role, leave_organization, remove_member, update_profile
from guestlist.models import Event, Invitation, Membership, Role
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


def member(user):
    return Membership.objects.get(user=user, state="active")


def give(actor, organization, user, name):
    target = role(organization, name).pk if name else None
    return change_role(
        actor=actor_of(actor), organization=organization, member_id=member(user).pk, role_id=target
    )


def test_who_may_not_change_a_role(organization, alice, bob, charlie, mallory):
    with pytest.raises(errors.NotFound):
        give(mallory, organization, charlie, "Admin")
    with pytest.raises(errors.NotAllowed):
        give(charlie, organization, bob, "Member")


def test_an_admin_cannot_make_or_unmake_an_owner(organization, alice, bob, charlie):
    with pytest.raises(errors.AboveOwnRole):
        give(bob, organization, charlie, "Owner")
    with pytest.raises(errors.AboveOwnRole):
        give(bob, organization, alice, "Member")
    with pytest.raises(errors.AboveOwnRole):
        remove_member(actor=actor_of(bob), organization=organization, member_id=member(alice).pk)


def test_the_ceiling_is_about_permissions_not_names(organization, bob, charlie):
    Role.objects.create(organization=organization, name="Harmless", permissions=["organization.delete"])
    with pytest.raises(errors.AboveOwnRole):
        give(bob, organization, charlie, "Harmless")


def test_nobody_changes_their_own_role_or_removes_themselves(organization, alice, bob):
    with pytest.raises(errors.OwnRole):
        give(bob, organization, bob, "Member")
    with pytest.raises(errors.OwnMembership):
        remove_member(actor=actor_of(bob), organization=organization, member_id=member(bob).pk)


def test_the_last_owner_stays(organization, alice, bob):
    give(alice, organization, bob, "Owner")
    give(bob, organization, alice, "Admin")
    with pytest.raises(errors.LastOwner):
        leave_organization(actor=actor_of(bob), organization=organization)


def test_a_role_of_another_organization_is_unknown(organization, beta, alice, charlie):
    with pytest.raises(errors.UnknownRole):
        change_role(
            actor=actor_of(alice),
            organization=organization,
            member_id=member(charlie).pk,
            role_id=role(beta, "Admin").pk,
        )


def test_a_member_of_another_organization_is_not_found(organization, beta, alice, dora):
    with pytest.raises(errors.NotFound):
        remove_member(actor=actor_of(alice), organization=organization, member_id=member(dora).pk)


def test_a_role_is_given_and_taken_and_written_down(organization, alice, charlie):
    assert give(alice, organization, charlie, "Admin").role.name == "Admin"
    assert give(alice, organization, charlie, None).role is None
    changes = list(
        Event.objects.filter(type="member.role_changed").order_by("number").values_list("changes", flat=True)
    )
    assert changes == [{"role": ["Member", "Admin"]}, {"role": ["Admin", None]}]


def test_a_lower_role_takes_effect_with_the_next_action(organization, alice, bob):
    give(alice, organization, bob, "Member")
    with pytest.raises(errors.NotAllowed):
        send(organization, bob, "jane@acme.test")


def test_removing_revokes_invitations_to_any_of_their_addresses_only(organization, alice, bob):
    from allauth.account.models import EmailAddress

    send(organization, bob, "friend@acme.test, bobby@home.test")
    EmailAddress.objects.create(user=bob, email="bobby@home.test", verified=True)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member(bob).pk)
    statuses = dict(Invitation.objects.values_list("key", "status"))
    assert statuses == {"friend@acme.test": "pending", "bobby@home.test": "revoked"}


def test_a_removed_member_may_do_nothing_and_history_stays(organization, alice, bob):
    remove_member(actor=actor_of(alice), organization=organization, member_id=member(bob).pk)
    with pytest.raises(errors.NotFound):
        send(organization, bob, "jane@acme.test")
    assert Membership.objects.get(user=bob).state == "removed"


def test_leaving_ends_ones_own_membership(organization, bob):
    leave_organization(actor=actor_of(bob), organization=organization)
    assert Membership.objects.get(user=bob).state == "left"
    join(organization, bob, None)
    assert Membership.objects.filter(user=bob).count() == 2


def test_update_profile_copies_name_and_address(organization, db):
    user = make_user("old@acme.test", "Old")
    join(organization, user, None)
    user.name, user.email = "New", "New@acme.test"
    user.save()
    update_profile(user=user)
    assert (member(user).name, member(user).email_key) == ("New", "new@acme.test")
