"""Webhooks that are turned off because they fail: when, who is told, and how they go on."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from guestlist.actions.webhooks import turn_on_webhook, update_webhook
from guestlist.models import Delivery, Event, Membership, Role, Webhook, WebhookDelivery
from tests.conftest import actor_of, deliver_due, join, make_user
from tests.delivery.webhook_script import (
    call_due,
    make_webhook,
    nobody_is_called,
    pass_time,
    revoke,
    states,
    told,
)

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def fail_for(hours):
    """Let that many hours pass, with a look every hour."""
    for _ in range(hours):
        call_due()
        pass_time(HOUR)


def notices():
    return list(
        Delivery.objects.filter(kind="webhook_off").order_by("pk").values_list("recipient", flat=True)
    )


def test_a_receiver_that_is_gone_is_turned_off_at_once(receiver, webhook, invite):
    receiver.answer = lambda call, wire: 410
    invite("jane@acme.test", "bob@acme.test")
    assert call_due() == 1
    row = Webhook.objects.get()
    assert row.why_off == "gone"
    assert row.off_since is not None
    assert states() == ["failed", "failed"]
    first, second = WebhookDelivery.objects.order_by("number")
    assert (first.status, first.detail) == (410, "The receiver answered 410.")
    assert second.detail == "The webhook was turned off: the receiver answered that it is gone (410)."
    assert second.history[-1]["detail"] == second.detail
    event = Event.objects.get(type="webhook.disabled")
    assert (event.actor_type, event.subject_id) == ("system", str(row.pk))
    assert event.changes == {"enabled": [True, False], "disabled_reason": [None, "gone"]}
    invite("late@acme.test")
    assert WebhookDelivery.objects.count() == 2
    assert nobody_is_called()


@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_a_receiver_that_takes_nothing_for_a_day_is_turned_off(receiver, webhook, invite, status):
    receiver.answer = lambda call, wire: status
    invite("jane@acme.test", "bob@acme.test")
    fail_for(24)
    assert Webhook.objects.get().why_off == ""
    assert set(states()) <= {"queued", "deferred"}
    call_due()
    assert Webhook.objects.get().why_off == "failing"
    assert set(states()) == {"failed"}
    assert Event.objects.get(type="webhook.disabled").changes["disabled_reason"] == [None, "failing"]


def test_one_success_within_the_day_keeps_it_on(receiver, organization, alice, webhook, invite):
    receiver.answer = lambda call, wire: 200 if call.email == "good@acme.test" else 500
    invite("bad@acme.test")
    fail_for(20)
    invite("good@acme.test")
    call_due()
    fail_for(6)
    assert Webhook.objects.get().why_off == ""
    assert sorted(states()) == ["delivered", "failed"]


def test_a_down_receiver_that_nothing_is_owed_to_stays_on(receiver, webhook, invite):
    receiver.answer = lambda call, wire: 200
    invite("jane@acme.test")
    call_due()
    receiver.close()
    fail_for(30)
    assert Webhook.objects.get().why_off == ""


def test_turned_on_again_it_works_from_then_on(receiver, organization, alice, webhook, invite):
    receiver.answer = lambda call, wire: 500
    invite("lost@acme.test")
    fail_for(25)
    assert Webhook.objects.get().why_off == "failing"
    receiver.answer = lambda call, wire: 200
    turn_on_webhook(actor=actor_of(alice), organization=organization, webhook_id=webhook.pk)
    assert call_due() == 0
    invite("jane@acme.test")
    assert call_due() == 1
    assert told(receiver) == [("sent", "jane@acme.test")]
    row = Webhook.objects.get()
    assert (row.why_off, row.failures, row.failing_since, row.paused_until) == ("", 0, None, None)


# Who is told -----------------------------------------------------------------------------------------


def turned_off(receiver, invite, **values):
    Webhook.objects.update(**values)
    receiver.answer = lambda call, wire: 410
    invite("jane@acme.test")
    call_due()
    assert Webhook.objects.get().why_off == "gone"


def test_whoever_made_it_is_told_while_they_may_manage_webhooks(receiver, webhook, bob, invite):
    turned_off(receiver, invite, created_by=bob)
    assert notices() == ["bob@northwind.test"]


def test_the_owners_are_told_where_nobody_made_it_or_the_maker_lost_the_permission(
    receiver, organization, webhook, charlie, invite
):
    role = Role.objects.create(organization=organization, name="Reader", permissions=["member.manage"])
    Membership.objects.filter(user=charlie).update(role=role)
    turned_off(receiver, invite, created_by=charlie)
    assert notices() == ["alice@northwind.test"]


def test_at_most_five_owners_are_told(receiver, organization, webhook, invite):
    for number in range(7):
        join(organization, make_user(f"o{number}@northwind.test", f"O{number}"), "Owner")
    turned_off(receiver, invite)
    assert len(notices()) == 5


def test_the_notice_says_what_happened_and_holds_no_address_of_the_webhook(
    smtp, mailbox, receiver, webhook, invite
):
    turned_off(receiver, invite, description="Billing")
    Delivery.objects.exclude(kind="webhook_off").update(state="canceled", next_at=None)
    deliver_due(uuid4())
    [(to, _content)] = mailbox.received
    assert to == "alice@northwind.test"
    message = mailbox.parsed()
    assert message["Subject"] == "Northwind: a webhook was turned off"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert "gone for good (410)" in " ".join(text.split())
        assert "Billing" in text
        assert "because you manage the webhooks of Northwind" in " ".join(text.split())
        assert str(receiver.port) not in text
    links = re.findall(r"https?://\S+", message.get_body(("plain",)).get_content())
    assert links == [f"http://127.0.0.1:8000/o/northwind/admin/webhooks/{webhook.pk}"]
    row = Delivery.objects.get(kind="webhook_off")
    assert (row.state, row.invitation_id) == ("sent", None)


def test_a_description_that_holds_a_link_is_not_mailed(smtp, mailbox, receiver, webhook, invite):
    turned_off(receiver, invite, description="see evil.example")
    deliver_due(uuid4())
    assert "evil" not in mailbox.parsed(-1).as_string()


def test_a_webhook_turned_off_while_it_is_called_stays_off(receiver, organization, alice, webhook, invite):
    def answer(call, wire):
        Webhook.objects.update(why_off="turned_off", off_since=Now())
        return 410

    receiver.answer = answer
    invite("jane@acme.test")
    call_due()
    assert Webhook.objects.get().why_off == "turned_off"
    assert notices() == []
    assert not Event.objects.filter(type="webhook.disabled").exists()


def test_a_webhook_that_leads_elsewhere_by_now_stays_on(receiver, organization, alice, webhook, invite):
    def answer(call, wire):
        Webhook.objects.update(url=f"{receiver.url}/new")
        return 410 if call.path == "/hooks" else 200

    receiver.answer = answer
    invite("jane@acme.test", "bob@acme.test")
    assert call_due() == 3
    row = Webhook.objects.get()
    assert (row.why_off, row.failures, row.failing_since) == ("", 0, None)
    assert told(receiver) == [("sent", "jane@acme.test"), ("sent", "bob@acme.test")]


@pytest.mark.parametrize("status", [500, 503, 410])
def test_a_call_to_the_former_address_does_not_count_for_the_new_one(
    receiver, organization, alice, webhook, invite, status
):
    def answer(call, wire):
        if call.path == "/hooks":
            update_webhook(
                actor=actor_of(alice),
                organization=organization,
                webhook_id=webhook.pk,
                url=f"http://127.0.0.1:{receiver.port}/new",
            )
            return status
        return 503

    receiver.answer = answer
    invite("jane@acme.test")
    Webhook.objects.update(failing_since=Now() - 25 * HOUR, failures=80)
    WebhookDelivery.objects.update(owed_since=Now() - 25 * HOUR, attempts=80)
    assert call_due() == 2
    row = Webhook.objects.annotate(now=Now()).get()
    assert (row.why_off, row.failures) == ("", 1)
    assert row.now - row.failing_since < HOUR
    assert states() == ["deferred"]
    former, new = WebhookDelivery.objects.get().history[-2:]
    assert (former["status"], former["url"]) == (status, receiver.url)
    assert (new["status"], new["url"]) == (503, row.url)


@pytest.mark.parametrize("status", [503, 500])
def test_one_failure_after_a_quiet_week_turns_nothing_off(receiver, webhook, invite, status):
    invite("fine@acme.test")
    call_due()
    receiver.answer = lambda call, wire: status
    invite("jane@acme.test")
    call_due()
    # Something else got through an hour later.
    pass_time(HOUR)
    Webhook.objects.update(failing_since=Now())
    for _ in range(23):
        pass_time(HOUR)
        call_due()
    assert states() == ["delivered", "failed"]
    assert Webhook.objects.get().why_off == ""
    pass_time(timedelta(days=7))
    invite("tim@acme.test")
    assert call_due() == 1
    assert Webhook.objects.get().why_off == ""
    assert states() == ["delivered", "failed", "deferred"]
    pass_time(HOUR)
    receiver.answer = lambda call, wire: 200
    assert call_due() == 1
    assert Webhook.objects.get().failing_since is None


@pytest.mark.parametrize("status", [503, 500])
def test_a_day_without_a_worker_costs_no_call(receiver, webhook, invite, status):
    receiver.answer = lambda call, wire: status
    invite("jane@acme.test", "bob@acme.test")
    pass_time(25 * HOUR)
    call_due()
    assert set(states()) <= {"queued", "deferred"}
    pass_time(HOUR)
    receiver.answer = lambda call, wire: 200
    assert call_due() == 2
    assert states() == ["delivered", "delivered"]


def test_what_is_told_after_turning_off_and_on_begins_with_the_next_event(
    receiver, organization, alice, webhook, invite
):
    invite("jane@acme.test")
    make_webhook(organization, receiver.url, why_off="gone", off_since=Now())
    revoke(organization, alice, "jane@acme.test")
    assert WebhookDelivery.objects.filter(webhook=webhook).count() == 2
    assert WebhookDelivery.objects.count() == 2


def test_nobody_is_told_twice_a_day_of_one_webhook(receiver, organization, alice, webhook, invite):
    receiver.answer = lambda call, wire: 410
    for number in range(4):
        invite(f"p{number}@acme.test")
        call_due()
        about = {"actor": actor_of(alice), "organization": organization}
        turn_on_webhook(**about, webhook_id=webhook.pk)
    assert notices() == [alice.email]
    assert Event.objects.filter(type="webhook.disabled").count() == 4
    Delivery.objects.filter(kind="webhook_off").update(created_at=Now() - 25 * HOUR)
    invite("late@acme.test")
    call_due()
    assert notices() == [alice.email] * 2
