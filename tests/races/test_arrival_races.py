"""Races of the invited person, on real threads."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, decline_invitation, find_invitation
from guestlist.actions.asking import Answer, ask_for_invitation
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.invitations import resend_invitation, send_invitations
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_addresses
from guestlist.links import invitation_token
from guestlist.models import Delivery, Invitation, Membership
from guestlist_server.accounts.models import User
from tests.conftest import PASSWORD, actor_of, make_user
from tests.races.test_races import ROUNDS, assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ANYBODY = Actor("invitee", origin=Origin("web"))


def invite(organization, user, email):
    batch = send_invitations(actor=actor_of(user), organization=organization, parsed=parse_addresses(email))
    return batch.outcomes[0].invitation


def opened(row):
    return find_invitation(token=invitation_token(row.nonce, row.pk))


def test_of_two_people_with_a_link_that_was_handed_over_one_joins(organization, alice, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    for i in range(ROUNDS):
        row = invite(organization, alice, f"h{i}@acme.test")
        link = create_hand_over_link(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
        path = "/i/" + link.rpartition("/")[2]
        forms = [{"name": f"Sam {n}", "password": PASSWORD} for n in range(2)]
        answers = at_once(*[lambda f=form, p=path: Client().post(p, f).status_code for form in forms])
        assert sorted(answers)[0] == 302, answers
        assert answers.count(302) == 1, answers
        assert set(answers) <= {302, 409, 410}
        assert User.objects.filter(email=row.key).count() == 1
        assert Membership.objects.active().filter(email_key=row.key).count() == 1
    assert_log_has_no_gaps(organization)


def test_accept_against_decline_has_one_winner(organization, alice):
    for i in range(ROUNDS):
        user = make_user(f"d{i}@acme.test", f"D {i}")
        row = opened(invite(organization, alice, user.email))
        accepted, declined = at_once(
            lambda row=row, user=user: accept_invitation(actor=actor_of(user), invitation=row),
            lambda row=row, user=user: decline_invitation(
                actor=ANYBODY, invitation=row, typed_address=user.email, note="No", suppress="organization"
            ),
        )
        assert isinstance(accepted, errors.NotPending) != isinstance(declined, errors.NotPending)
        joined = Membership.objects.active().filter(user=user).exists()
        assert joined == isinstance(declined, errors.NotPending)


def test_asking_from_many_tabs_mails_the_inviter_once(organization, alice):
    for i in range(10):
        row = invite(organization, alice, f"a{i}@acme.test")
        Invitation.objects.filter(pk=row.pk).update(status="expired", ended_at=Now())
        answers = at_once(*[lambda row=row: ask_for_invitation(actor=ANYBODY, invitation=opened(row))] * 6)
        assert answers.count(Answer.TOLD) == 1
        assert answers.count(Answer.TOLD_BEFORE) == 5
        assert Delivery.objects.filter(invitation=row, kind="asked").count() == 1


def test_asking_while_it_is_granted_leaves_no_request_behind(organization, alice):
    for i in range(ROUNDS):
        row = invite(organization, alice, f"g{i}@acme.test")
        Invitation.objects.filter(pk=row.pk).update(status="expired", ended_at=Now())
        answer, again = at_once(
            lambda row=row: ask_for_invitation(actor=ANYBODY, invitation=opened(row)),
            lambda row=row: resend_invitation(
                actor=actor_of(alice), organization=organization, invitation_id=row.pk
            ),
        )
        assert answer in (Answer.TOLD, Answer.NEWER_PENDING)
        assert again.status_now == "pending"
        assert not Invitation.objects.asked().exists()
        assert Invitation.objects.pending().filter(key=row.key).count() == 1
