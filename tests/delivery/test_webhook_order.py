"""In which order webhooks are called, whatever fails, and by how many workers."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from guestlist.actions.invitations import send_invitations
from guestlist.actions.webhook_calls import begin_call, claim_webhook, release_webhook
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.models import Webhook, WebhookDelivery
from tests.delivery.conftest import workers
from tests.delivery.test_worker import wait_until
from tests.delivery.webhook_script import call_due, make_webhook, pass_time, revoke, secret_of, states, told
from tests.races.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_calls_leave_in_the_order_of_the_events(receiver, organization, alice, webhook, invite):
    invite("a@acme.test", "b@acme.test")
    revoke(organization, alice, "a@acme.test")
    invite("c@acme.test")
    call_due()
    sent = ("sent", "a@acme.test"), ("sent", "b@acme.test")
    assert told(receiver) == [*sent, ("revoked", "a@acme.test"), ("sent", "c@acme.test")]


def test_a_receiver_that_was_down_for_an_hour_gets_everything_in_order(
    receiver, organization, alice, webhook, invite
):
    port = receiver.port
    receiver.close()
    emails = [f"p{n:02}@acme.test" for n in range(6)]
    tried = 0
    for minute in range(60):
        if minute % 10 == 0:
            invite(emails[minute // 10])
        if minute == 35:
            revoke(organization, alice, emails[0])
        tried += call_due()
        pass_time(MINUTE)
    assert 8 <= tried <= 14
    row = Webhook.objects.get()
    assert row.failures == tried
    assert set(states()) <= {"queued", "deferred"}
    back = type(receiver)(port=port)
    back.secret = secret_of(webhook)
    try:
        pass_time(11 * MINUTE)
        assert call_due() == 7
        expected = [("sent", email) for email in emails]
        expected.insert(4, ("revoked", emails[0]))
        assert told(back) == expected
        assert len({call.id for call in back.calls}) == 7
    finally:
        back.close()
    assert set(states()) == {"delivered"}
    row.refresh_from_db()
    assert (row.failures, row.failing_since, row.paused_until) == (0, None, None)


@pytest.mark.parametrize("status", [500, 503])
def test_a_receiver_that_failed_everything_for_an_hour_gets_everything_in_order_of_each(
    receiver, organization, alice, webhook, invite, status
):
    receiver.secret = secret_of(webhook)
    receiver.answer = lambda call, wire: status
    emails = [f"p{n:02}@acme.test" for n in range(6)]
    invite(*emails)
    for _ in range(60):
        call_due()
        pass_time(MINUTE)
    revoke(organization, alice, *emails)
    assert not receiver.taken
    receiver.answer = lambda call, wire: 200
    pass_time(11 * MINUTE)
    call_due()
    for email in emails:
        assert [kind for kind, address in told(receiver) if address == email] == ["sent", "revoked"]
    if status == 503:
        assert [address for kind, address in told(receiver) if kind == "sent"] == emails
    assert set(states()) == {"delivered"}


@pytest.mark.parametrize("status", [400, 404, 500, 302])
def test_one_poisoned_call_holds_up_only_what_is_about_the_same_invitation(
    receiver, organization, alice, webhook, invite, status
):
    receiver.answer = lambda call, wire: status if call.email == "poison@acme.test" else 200
    invite("poison@acme.test", "jane@acme.test")
    revoke(organization, alice, "poison@acme.test", "jane@acme.test")
    call_due()
    assert told(receiver) == [("sent", "jane@acme.test"), ("revoked", "jane@acme.test")]
    for number in range(10):
        pass_time(11 * MINUTE)
        invite(f"p{number}@acme.test")
        call_due()
        assert told(receiver)[-1] == ("sent", f"p{number}@acme.test")
    assert (
        WebhookDelivery.objects.get(type="invitation.revoked", subject_name="poison@acme.test").attempts == 0
    )
    receiver.answer = lambda call, wire: 200
    pass_time(11 * MINUTE)
    call_due()
    assert told(receiver)[-2:] == [("sent", "poison@acme.test"), ("revoked", "poison@acme.test")]


def test_a_call_that_hangs_up_on_the_receiver_holds_up_others_for_some_hours_at_most(
    receiver, webhook, invite
):
    def answer(call, wire):
        return None if call.email == "poison@acme.test" else 200

    receiver.answer = answer
    invite("poison@acme.test")
    call_due()
    invite("jane@acme.test")
    for _ in range(24):
        pass_time(11 * MINUTE)
        call_due()
    assert told(receiver) == [("sent", "jane@acme.test")]


def test_two_workers_keep_the_order_of_each_invitation_around_a_poisoned_one(
    receiver, organization, alice, webhook, invite, monkeypatch
):
    refused = set()

    def answer(call, wire):
        if call.email.startswith("p0") and call.id not in refused:
            refused.add(call.id)
            return 500
        return 200

    receiver.answer = answer
    emails = [f"p{n:02}@acme.test" for n in range(40)]
    monkeypatch.setattr("guestlist.actions.deliveries.SHORTEST_WAIT", timedelta(milliseconds=200))
    with workers(2, poll=0.05):
        invite(*emails)
        revoke(organization, alice, *emails)
        wait_until(lambda: set(states()) == {"delivered"}, seconds=30)
    assert len(told(receiver)) == 80
    for email in emails:
        assert [kind for kind, address in told(receiver) if address == email] == ["sent", "revoked"]


def test_only_one_worker_holds_a_webhook(receiver, webhook, invite):
    invite("jane@acme.test")
    one, other = uuid4(), uuid4()
    assert claim_webhook(worker=one) == webhook.pk
    assert claim_webhook(worker=other) is None
    assert begin_call(webhook_id=webhook.pk, worker=other) is None
    Webhook.objects.update(leased_until=Now())
    assert begin_call(webhook_id=webhook.pk, worker=one) is None
    assert claim_webhook(worker=other) == webhook.pk
    release_webhook(webhook_id=webhook.pk, worker=one)
    assert claim_webhook(worker=one) is None


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the whole database is one lock")
def test_nobody_waits_for_a_webhook_that_somebody_changes(receiver, organization, webhook, invite):
    other = make_webhook(organization, receiver.url)
    Webhook.objects.filter(pk=other.pk).update(leased_until=Now())  # its turn comes last
    invite("jane@acme.test")
    with transaction.atomic():
        assert Webhook.objects.select_for_update().get(pk=webhook.pk)
        [found] = at_once(lambda: claim_webhook(worker=uuid4()))
    assert found == other.pk


def test_what_a_worker_says_that_lost_its_webhook_counts_for_nothing(receiver, webhook, invite):
    from guestlist.actions.webhook_calls import Answer, fail_call, finish_call

    invite("jane@acme.test")
    late = uuid4()
    claim_webhook(worker=late)
    call = begin_call(webhook_id=webhook.pk, worker=late)
    Webhook.objects.update(leased_by=uuid4())
    finish_call(call=call, answer=Answer(1.0, 200))
    fail_call(call=call, answer=Answer(1.0, 500, detail="No."))
    row = WebhookDelivery.objects.get()
    assert (row.state, row.history, row.webhook.failures) == ("queued", [], 0)


def test_of_workers_that_look_at_the_same_moment_one_gets_the_webhook(receiver, webhook, invite):
    invite("jane@acme.test")
    for _ in range(20):
        found = at_once(*(lambda: claim_webhook(worker=uuid4()) for _ in range(6)))
        assert sorted(map(str, found)) == sorted([str(webhook.pk), *["None"] * 5])
        Webhook.objects.update(leased_by=None, leased_until=None)


def test_slow_receivers_of_one_organization_leave_room_for_others(receiver, organization, beta, invite):
    for _ in range(4):
        make_webhook(organization, receiver.url)
    invite("jane@acme.test")
    held = [claim_webhook(worker=uuid4()) for _ in range(4)]
    assert [bool(pk) for pk in held] == [True, True, False, False]
    theirs = make_webhook(beta, receiver.url)
    send_invitations(actor=Actor.operator(), organization=beta, parsed=parse_items(["bob@acme.test"]))
    assert claim_webhook(worker=uuid4()) == theirs.pk
