"""What the answers of the invited must not leave behind: stuck requests, stale choices, word to strangers."""

import sqlite3
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from guestlist import errors
from guestlist.actions.acceptance import decline_invitation, find_invitation
from guestlist.actions.asking import Answer, ask_for_invitation, dismiss_request
from guestlist.actions.batches import Selection
from guestlist.actions.deliveries import begin_deliveries, claim_deliveries
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.invitations import resend_invitation, resend_invitations, revoke_invitation
from guestlist.actions.members import change_role, find_member, remove_member, update_profile
from guestlist.actions.suppressions import allow_invitations, own_suppressions, suppress_invitations
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership, Role, Suppression
from tests.actions.test_answers import ANYBODY, VERA, decline, expire, hand_over, told
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user


@pytest.fixture
def vera(db):
    return make_user(VERA, "Vera Vance")


@pytest.fixture
def invitation(organization, alice):
    row = send(organization, alice, VERA).outcomes[0].invitation
    return find_invitation(token=invitation_token(row.nonce, row.pk))


@pytest.fixture
def no_mail(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}


def choose(invitation, scope):
    suppress_invitations(actor=ANYBODY, invitation=invitation, scope=scope, typed_address=VERA)


def test_only_a_manager_dismisses_a_request_and_the_day_goes_on(
    organization, alice, charlie, mallory, invitation
):
    expired = expire(invitation)
    ask_for_invitation(actor=ANYBODY, invitation=expired)
    for user, refusal in ((charlie, errors.NotAllowed), (mallory, errors.NotFound)):
        with pytest.raises(refusal):
            dismiss_request(actor=actor_of(user), organization=organization, invitation_id=expired.pk)
    assert Invitation.objects.asked().count() == 1
    dismiss_request(actor=actor_of(alice), organization=organization, invitation_id=expired.pk)
    assert not Invitation.objects.asked().exists()
    assert Event.objects.latest("number").type == "invitation.request_dismissed"
    with pytest.raises(errors.NotFound):
        dismiss_request(actor=actor_of(alice), organization=organization, invitation_id=expired.pk)
    assert ask_for_invitation(actor=ANYBODY, invitation=expired) == Answer.TOLD_BEFORE


@pytest.mark.parametrize("scope", ["organization", "server"])
def test_asking_not_to_be_invited_takes_the_request_back(invitation, scope):
    expired = expire(invitation)
    ask_for_invitation(actor=ANYBODY, invitation=expired)
    choose(expired, scope)
    assert not Invitation.objects.asked().exists()


def test_joining_in_another_way_takes_the_request_back(organization, invitation):
    ask_for_invitation(actor=ANYBODY, invitation=expire(invitation))
    user = make_user("vera@home.test", "Vera Vance")
    EmailAddress.objects.create(user=user, email=VERA, verified=True)
    join(organization, user, None)
    assert not Invitation.objects.asked().exists()


def test_an_address_with_two_old_links_asks_once(organization, alice, invitation):
    first = expire(invitation)
    second = expire(
        resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=first.pk)
    )
    assert ask_for_invitation(actor=ANYBODY, invitation=second) == Answer.TOLD
    assert ask_for_invitation(actor=ANYBODY, invitation=first) == Answer.TOLD_BEFORE
    assert len(told("asked")) == 1
    assert Invitation.objects.asked().count() == 1


def test_a_choice_replaces_the_one_before(organization, alice, beta, dora, invitation):
    choose(invitation, "server")
    choose(invitation, "organization")
    assert [row.organization for row in Suppression.objects.all()] == [organization]
    assert send(beta, dora, VERA).sent == 1
    choose(invitation, "server")
    assert [row.organization for row in Suppression.objects.all()] == [None]


def test_allowing_again_is_in_the_log_either_way(invitation, vera):
    choose(invitation, "organization")
    allow_invitations(actor=actor_of(vera), suppression_id=own_suppressions(actor=actor_of(vera)).get().pk)
    assert Event.objects.latest("number").type == "invitation.allowed"


def test_mail_of_whoever_asked_not_to_be_invited_does_not_leave(organization, alice, beta, dora, invitation):
    theirs = send(beta, dora, VERA).outcomes[0].invitation
    choose(invitation, "server")
    worker = uuid4()
    held = {d.invitation_id: d for d in claim_deliveries(worker=worker, limit=10)}
    for delivery in held.values():
        assert not begin_deliveries(deliveries=[delivery], worker=worker)
    states = Delivery.objects.values_list("state", flat=True)
    assert set(states) == {"canceled"}
    theirs.refresh_from_db()
    assert theirs.status == "pending"


def test_no_word_goes_to_a_manager_who_was_removed(organization, alice, bob):
    row = send(organization, bob, VERA).outcomes[0].invitation
    decline(find_invitation(token=invitation_token(row.nonce, row.pk)), note="No")
    assert told("declined") == [bob.email]
    member = Membership.objects.active().get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    assert Delivery.objects.get(kind="declined").state == "canceled"


def test_resending_what_has_ended_says_how_it_ended(organization, alice, invitation):
    choose(invitation, "organization")
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    with pytest.raises(errors.NotPending):
        resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)


def test_mail_names_only_an_address_that_the_inviter_has_proved(organization, alice, bob):
    EmailAddress.objects.filter(user=bob).update(verified=False)
    assert send(organization, bob, VERA).outcomes[0].invitation.invited_by_email == ""
    assert send(organization, alice, "w@acme.test").outcomes[0].invitation.invited_by_email == alice.email


def test_a_claimed_address_is_no_members(organization, alice, charlie):
    EmailAddress.objects.filter(user=charlie).update(email="ceo@northwind.test", verified=False)
    charlie.email = "ceo@northwind.test"
    charlie.save()
    update_profile(user=charlie)
    assert find_member(organization, "ceo@northwind.test") is None
    assert find_member(organization, str(Membership.objects.get(user=charlie).pk)).user_id == charlie.pk
    assert send(organization, alice, "ceo@northwind.test").sent == 1


def test_whoever_manages_no_more_has_no_links_out(no_mail, organization, alice, bob, invitation):
    token = hand_over(organization, bob, invitation)
    role = Role.objects.get(organization=organization, name="Member")
    member = Membership.objects.active().get(user=bob)
    change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=role.pk)
    with pytest.raises(errors.NotFound):
        find_invitation(token=token)


def test_a_decline_through_a_handed_link_can_still_be_made(no_mail, organization, alice, invitation):
    link = create_hand_over_link(
        actor=actor_of(alice), organization=organization, invitation_id=invitation.pk
    )
    found = find_invitation(token=link.rpartition("/")[2])
    assert decline_invitation(actor=ANYBODY, invitation=found, typed_address=VERA).status == "declined"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a limit of SQLite as others build it")
def test_resending_by_filter_stays_below_the_limit_of_bound_values(organization, alice, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"LIMITS": {"inviter": "none"}}
    for start in range(3):
        send(organization, alice, "\n".join(f"p{start}-{i}@acme.test" for i in range(7_000)))
    connection.ensure_connection()
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 20_500)
    try:
        result = resend_invitations(
            actor=actor_of(alice), organization=organization, selection=Selection(status="pending")
        )
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)
    assert (result.done, result.skipped) == (21_000, 0)
