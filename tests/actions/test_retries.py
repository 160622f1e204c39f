"""Trying messages again: which, by whom, and what is written down."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions.members import change_role
from guestlist.actions.retries import preview_retry, retry_delivery, retry_failed
from guestlist.actors import Actor
from guestlist.models import Delivery, Event, Invitation, Membership, Suppression
from guestlist.models.delivery import HISTORY, State
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of

OWED = {State.QUEUED, State.DEFERRED}


def set_state(delivery, state, **values):
    """Bring a message into a state, as the worker would."""
    next_at = Now() if state in OWED else None
    Delivery.objects.filter(pk=delivery.pk).update(state=state, next_at=next_at, **values)


@pytest.fixture
def failed(organization, alice):
    """A message to Jane that the mail server refused."""
    send(organization, alice, "jane@example.com")
    delivery = Delivery.objects.get()
    entry = {
        "at": "2026-01-01T00:00:00Z",
        "state": "failed",
        "detail": "550 No",
        "attempt": 1,
        "seconds": 0.1,
    }
    set_state(delivery, State.FAILED, detail="550 No", hard=True, attempts=1, history=[entry])
    delivery.refresh_from_db()
    return delivery


def retry(actor, organization, delivery):
    return retry_delivery(actor=actor_of(actor), organization=organization, delivery_id=delivery.pk)


@pytest.mark.parametrize(
    ("who", "error"),
    [("charlie", errors.NotAllowed), ("mallory", errors.NotFound), ("dora", errors.NotFound)],
)
def test_only_who_manages_members_tries_again(request, organization, beta, failed, who, error):
    actor = request.getfixturevalue(who)
    with pytest.raises(error):
        retry(actor, organization, failed)
    with pytest.raises(error):
        retry_failed(actor=actor_of(actor), organization=organization)
    with pytest.raises(error):
        preview_retry(actor=actor_of(actor), organization=organization)
    assert Delivery.objects.get().state == State.FAILED


def test_a_message_of_another_organization_looks_like_none(organization, beta, dora, failed):
    for delivery_id in (failed.pk, uuid4()):
        with pytest.raises(errors.NotFound):
            retry_delivery(actor=actor_of(dora), organization=beta, delivery_id=delivery_id)


@pytest.mark.parametrize("state", [State.FAILED, State.DEFERRED])
def test_a_message_that_did_not_get_through_is_due_at_once_under_its_old_id(
    organization, alice, bob, failed, state
):
    set_state(failed, state)
    Delivery.objects.filter(state=State.DEFERRED).update(next_at=Now() + timedelta(hours=1))
    before = Delivery.objects.get()
    again = retry(bob, organization, failed)
    assert (again.state, again.detail, again.hard, again.message_id) == (
        "queued",
        "",
        False,
        before.message_id,
    )
    assert Delivery.objects.due().get() == again
    assert [entry["state"] for entry in again.history] == ["failed", "queued"]
    assert again.history[-1]["by"] == "Bob Baker"
    event = Event.objects.get(type="invitation.retried")
    assert (event.subject_name, event.actor_name) == ("jane@example.com", "Bob Baker")
    assert event.changes == {"delivery": [state, "queued"]}


@pytest.mark.parametrize("state", sorted(set(State.values) - {State.FAILED, State.DEFERRED}))
def test_any_other_message_is_left_as_it_is(organization, alice, failed, state):
    set_state(failed, state)
    with pytest.raises(errors.NotRetryable) as refused:
        retry(alice, organization, failed)
    assert refused.value.as_problem()["delivery_state"] == state
    assert Delivery.objects.get().state == state
    assert not Event.objects.filter(type="invitation.retried").exists()


def test_a_message_that_a_worker_is_at_is_left_to_it(organization, alice, failed):
    set_state(failed, State.DEFERRED, leased_by=uuid4(), leased_until=Now() + timedelta(seconds=30))
    with pytest.raises(errors.NotRetryable, match="being sent right now"):
        retry(alice, organization, failed)
    Delivery.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert retry(alice, organization, failed).state == State.QUEUED


def test_an_ended_invitation_is_not_mailed_again(organization, alice, failed):
    Invitation.objects.update(status="revoked", ended_at=Now())
    with pytest.raises(errors.NotRetryable, match="for an invitation that is revoked") as refused:
        retry(alice, organization, failed)
    assert refused.value.as_problem()["invitation_status"] == "revoked"


def test_a_lapsed_invitation_is_not_mailed_again(organization, alice, failed):
    Invitation.objects.update(invited_at=Now() - timedelta(days=9), expires_at=Now() - timedelta(days=2))
    with pytest.raises(errors.NotRetryable, match="for an invitation that is expired"):
        retry(alice, organization, failed)


@pytest.mark.parametrize("everywhere", [True, False])
def test_an_address_that_asked_for_no_mail_gets_none(organization, alice, failed, everywhere):
    Suppression.objects.create(key="jane@example.com", organization=None if everywhere else organization)
    with pytest.raises(errors.NotRetryable, match="asked not to be invited"):
        retry(alice, organization, failed)


def test_a_message_that_went_out_anew_is_not_sent_a_second_time(organization, alice, failed):
    newer = Delivery.objects.get(pk=failed.pk)
    newer.pk, newer.message_id, newer._state.adding = None, "<newer@test>", True
    newer.pk = Delivery._meta.pk.get_default()
    newer.state, newer.next_at = State.SENT, None
    newer.save()
    with pytest.raises(errors.NotRetryable, match="replaced by a newer one"):
        retry(alice, organization, failed)
    assert retry_failed(actor=actor_of(alice), organization=organization).as_resource() == {
        "retried": 0,
        "skipped": 1,
    }


def notice(organization, kind, recipient, **values):
    return Delivery.objects.create(
        organization=organization,
        kind=kind,
        recipient=recipient,
        key=recipient,
        state=State.FAILED,
        next_at=None,
        message_id=f"<{kind}-{recipient}>",
        **values,
    )


def test_word_to_somebody_goes_again_while_it_concerns_them(organization, alice, bob, charlie):
    digest = notice(organization, "digest", bob.email)
    assert retry(alice, organization, digest).state == State.QUEUED
    assert not Event.objects.filter(type="invitation.retried").exists()
    Delivery.objects.update(state=State.FAILED, next_at=None)
    member = Membership.objects.active().get(organization=organization, user=bob)
    change_role(actor=Actor.operator(), organization=organization, member_id=member.pk, role_id=None)
    with pytest.raises(errors.NotRetryable, match="does not manage the members"):
        retry(alice, organization, digest)
    assert retry(alice, organization, notice(organization, "test", charlie.email)).state == State.QUEUED
    with pytest.raises(errors.NotRetryable):
        retry(alice, organization, notice(organization, "test", "gone@northwind.test"))


def test_all_failed_ones_that_are_wanted_are_tried_again(organization, alice, beta, dora):
    send(organization, alice, "a@x.test b@x.test c@x.test d@x.test e@x.test".replace(" ", "\n"))
    send(beta, dora, "z@x.test")
    Delivery.objects.exclude(key="e@x.test").update(state=State.FAILED, next_at=None)
    Delivery.objects.filter(key="e@x.test").update(state=State.SENT, next_at=None)
    Invitation.objects.filter(key="b@x.test").update(status="revoked", ended_at=Now())
    Suppression.objects.create(key="c@x.test", organization=organization)
    actor = actor_of(alice)
    assert preview_retry(actor=actor, organization=organization).as_resource() == {"retried": 2, "skipped": 2}
    result = retry_failed(actor=actor, organization=organization)
    assert result.as_resource() == {"retried": 2, "skipped": 2}
    assert str(result) == "2 messages are tried again. 2 skipped, not wanted any more."
    found = dict(Delivery.objects.values_list("key", "state"))
    assert [found[f"{name}@x.test"] for name in "abcdez"] == [
        "queued",
        "failed",
        "failed",
        "queued",
        "sent",
        "failed",
    ]
    events = Event.objects.filter(type="invitation.retried").order_by("number")
    assert list(events.values_list("subject_name", flat=True)) == ["a@x.test", "d@x.test"]


@pytest.mark.parametrize("number", [1, 60])
def test_trying_many_takes_as_many_statements_as_trying_one(
    organization, alice, number, django_assert_num_queries
):
    send(organization, alice, "\n".join(f"p{n}@x.test" for n in range(number)))
    Delivery.objects.update(state=State.FAILED, next_at=None)
    with django_assert_num_queries(14 + connection.features.has_select_for_update):
        result = retry_failed(actor=actor_of(alice), organization=organization)
    assert result.retried == number


def test_the_history_keeps_the_newest_twenty(organization, alice, failed):
    Delivery.objects.update(
        history=[{"at": "2026-01-01T00:00:00Z", "state": "deferred", "attempt": n} for n in range(20)]
    )
    history = retry(alice, organization, failed).history
    assert len(history) == HISTORY
    assert (history[0]["attempt"], history[-1]["state"]) == (1, "queued")


def test_the_name_of_who_tried_cannot_break_the_history(organization, alice, failed):
    alice.name = "Al \"'%s ’ice\\ é"
    assert retry(alice, organization, failed).history[-1]["by"] == alice.name


def test_what_is_tried_again_is_brought_to_mind_again(organization, alice, failed):
    Invitation.objects.update(remind_at=None)
    retry(alice, organization, failed)
    invitation = Invitation.objects.get()
    assert invitation.remind_at == invitation.last_sent_at + timedelta(days=3)
