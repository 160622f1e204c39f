"""What a failed call of a webhook means for it and for others, and when it is made again."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from guestlist.actions.webhook_log import redeliver
from guestlist.models import Webhook, WebhookDelivery
from tests.conftest import actor_of
from tests.delivery.webhook_script import call_due, pass_time, revoke, states, told, waits

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_a_failed_call_is_tried_again_after_fifteen_seconds_doubled_up_to_ten_minutes(
    receiver, webhook, invite
):
    receiver.answer = lambda call, wire: 500
    invite("jane@acme.test")
    for expected in (15, 30, 60, 120, 240, 480, 600, 600):
        assert call_due() == 1
        row = WebhookDelivery.objects.annotate(now=Now()).get()
        wait = (row.next_at - row.now).total_seconds()
        assert 0.9 * expected - 1 <= wait <= 1.1 * expected
        assert (row.state, row.status, row.detail) == ("deferred", 500, "The receiver answered 500.")
        assert row.answer == "as you say"
        assert call_due() == 0
        pass_time(timedelta(seconds=wait))
    assert WebhookDelivery.objects.get().attempts == len(receiver.calls) == 8
    assert len({call.id for call in receiver.calls}) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_receiver_is_left_alone_as_a_whole(receiver, webhook, invite, status):
    receiver.answer = lambda call, wire: status
    invite("jane@acme.test", "bob@acme.test")
    assert call_due() == 1
    assert 13 < waits(webhook) < 17
    assert states() == ["deferred", "queued"]
    receiver.answer = lambda call, wire: 200
    pass_time(timedelta(seconds=17))
    assert call_due() == 2
    assert told(receiver) == [("sent", "jane@acme.test"), ("sent", "bob@acme.test")]


def test_three_failures_in_a_row_are_the_receivers(receiver, webhook, invite):
    receiver.answer = lambda call, wire: 404
    invite(*(f"p{n}@acme.test" for n in range(10)))
    assert call_due() == 3
    assert 50 < waits(webhook) < 70


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize(
    "said",
    [
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "1 Jan 2026 1:1:1 +999999999999999999999999",
        "9" * 5_000,
    ],
)
def test_a_date_that_there_is_not_is_no_reason_to_call_again(receiver, webhook, invite, said, status):
    receiver.answer = lambda call, wire: (status, {"Retry-After": said})
    invite("jane@acme.test")
    assert call_due() == 1
    assert states() == ["delivered" if status == 200 else "deferred"]
    assert len(receiver.calls) == 1


def test_whatever_goes_wrong_with_a_call_is_a_failed_attempt(receiver, webhook, invite):
    """An address that was stored and is none stands for what nobody thought of."""
    invite("jane@acme.test")
    Webhook.objects.update(url="nonsense")
    assert call_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.state, row.attempts, row.status) == ("deferred", 1, None)
    assert row.detail.startswith("The call could not be made: ")
    assert 13 < waits(webhook) < 17


def test_an_answer_that_cannot_be_written_down_is_a_failed_attempt(receiver, webhook, invite, monkeypatch):
    def broken(**_):
        raise ValueError

    monkeypatch.setattr("guestlist.delivery.webhooks.finish_call", broken)
    invite("jane@acme.test")
    assert call_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.state, row.detail) == ("deferred", "The call could not be made: ValueError")


def test_a_call_that_is_asked_for_again_is_as_patient_as_a_new_one(
    receiver, organization, alice, webhook, invite
):
    receiver.answer = lambda call, wire: 500
    invite("jane@acme.test")
    for _ in range(25):
        call_due()
        pass_time(11 * MINUTE)
    Webhook.objects.update(failures=0, failing_since=None, paused_until=None)  # something else got through
    row = WebhookDelivery.objects.get()
    redeliver(actor=actor_of(alice), organization=organization, webhook_id=webhook.pk, delivery_id=row.pk)
    for expected in (15, 30):
        assert call_due() == 1
        row = WebhookDelivery.objects.annotate(now=Now()).get()
        wait = (row.next_at - row.now).total_seconds()
        assert 0.9 * expected - 1 <= wait <= 1.1 * expected
        pass_time(timedelta(seconds=wait))
    # Not one of which it is known that it fails by itself: the receiver as a whole is left alone.
    receiver.answer = lambda call, wire: 503
    WebhookDelivery.objects.update(status=None)
    assert call_due() == 1
    assert waits(webhook) > 0


@pytest.mark.parametrize(
    ("said", "least", "most"), [("120", 119, 121), ("1", 13, 17), ("86400", 3598, 3601), ("nonsense", 13, 17)]
)
def test_retry_after_is_honoured_up_to_an_hour(receiver, webhook, invite, said, least, most):
    receiver.answer = lambda call, wire: (503, {"Retry-After": said})
    invite("jane@acme.test")
    call_due()
    assert least < waits(webhook) < most


def test_retry_after_may_be_a_date(receiver, webhook, invite):
    from email.utils import format_datetime

    from django.utils import timezone

    at = format_datetime(timezone.now() + 5 * MINUTE, usegmt=True)
    receiver.answer = lambda call, wire: (429, {"Retry-After": at})
    invite("jane@acme.test")
    call_due()
    assert 295 < waits(webhook) < 301


def test_a_call_is_given_up_after_a_day_and_the_next_about_the_same_goes_on(
    receiver, organization, alice, webhook, invite
):
    receiver.answer = lambda call, wire: 500 if call.message["type"] == "invitation.sent" else 200
    invite("jane@acme.test")
    revoke(organization, alice, "jane@acme.test")
    for _ in range(5):
        call_due()
        pass_time(timedelta(hours=4, minutes=40))
        Webhook.objects.update(failing_since=None)  # something else got through
    assert states() == ["deferred", "queued"]
    pass_time(HOUR)
    call_due()
    assert states() == ["failed", "delivered"]
    row = WebhookDelivery.objects.get(state="failed")
    assert (row.detail, row.next_at) == ("The receiver answered 500.", None)
    assert [entry["attempt"] for entry in row.history] == [1, 2, 3, 4, 5, 6]


def test_history_keeps_the_newest_twenty(receiver, webhook, invite):
    receiver.answer = lambda call, wire: 500
    invite("jane@acme.test")
    for _ in range(25):
        call_due()
        pass_time(11 * MINUTE)
    assert [entry["attempt"] for entry in WebhookDelivery.objects.get().history] == list(range(6, 26))
