"""Webhooks changed by two at once, or while a worker calls them."""

from uuid import uuid4

import pytest
from django.utils import timezone

from guestlist import errors
from guestlist.actions.invitations import send_invitations
from guestlist.actions.webhook_calls import Answer, begin_call, claim_webhook, finish_call
from guestlist.actions.webhook_log import redeliver, redeliver_since, send_test
from guestlist.actions.webhooks import (
    create_webhook,
    delete_webhook,
    rotate_secret,
    turn_off_webhook,
    turn_on_webhook,
    update_webhook,
)
from guestlist.addresses import parse_items
from guestlist.models import Webhook, WebhookDelivery
from tests.conftest import actor_of
from tests.races.test_races import assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12
URL = "https://1.1.1.1/hooks"


@pytest.fixture
def who(organization, alice):
    return {"actor": actor_of(alice), "organization": organization}


@pytest.fixture
def which(who):
    return who | {"webhook_id": create_webhook(**who, url=URL).webhook.pk}


def test_two_do_not_take_the_last_place(who, organization):
    for _ in range(9):
        create_webhook(**who, url=URL)
    for _ in range(ROUNDS):
        made = at_once(*[lambda: create_webhook(**who, url=URL)] * 2)
        assert sum(isinstance(each, errors.TooManyWebhooks) for each in made) == 1
        assert Webhook.objects.count() == 10
        delete_webhook(**who, webhook_id=Webhook.objects.latest("pk").pk)
    assert_log_has_no_gaps(organization)


def test_one_that_is_deleted_meanwhile_is_not_found(who, organization):
    for _ in range(ROUNDS):
        which = who | {"webhook_id": create_webhook(**who, url=URL).webhook.pk}
        others = at_once(
            lambda which=which: delete_webhook(**which),
            lambda which=which: update_webhook(**which, description="x"),
            lambda which=which: send_test(**which),
            lambda which=which: rotate_secret(**which),
        )
        refused = [each for each in others[1:] if isinstance(each, Exception)]
        assert all(isinstance(each, errors.NotFound) for each in refused)
        assert not Webhook.objects.exists()
        assert not WebhookDelivery.objects.exists()
    assert_log_has_no_gaps(organization)


def test_one_that_is_turned_off_is_owed_nothing(who, which, organization):
    for number in range(ROUNDS):
        parsed = parse_items([f"p{number}@x.test"])
        at_once(
            lambda: turn_off_webhook(**which),
            lambda parsed=parsed: send_invitations(**who, parsed=parsed),
            lambda: send_test(**which),
            lambda: redeliver_since(**which, since=organization.created_at),
        )
        assert not WebhookDelivery.objects.owed().exists()
        turn_on_webhook(**which)
    assert_log_has_no_gaps(organization)


def test_after_two_changes_of_the_secret_both_made_are_known(which):
    for _ in range(ROUNDS):
        first, second = at_once(*[lambda: rotate_secret(**which)] * 2)
        row = Webhook.objects.get()
        assert {row.nonce, row.former_nonce} == {first.webhook.nonce, second.webhook.nonce}


def test_a_call_that_is_asked_for_while_it_is_made_is_not_lost(which):
    """Either the worker has begun it, and then it is refused, or it is made once more."""
    call, worker = send_test(**which), uuid4()
    for _ in range(ROUNDS):
        now = timezone.now()
        WebhookDelivery.objects.update(state="deferred", next_at=now, attempts=0, history=[])
        assert claim_webhook(worker=worker) == which["webhook_id"]

        def work(worker=worker):
            begun = begin_call(webhook_id=which["webhook_id"], worker=worker)
            if begun:
                finish_call(call=begun, answer=Answer(0.1, 200))

        _, again = at_once(work, lambda: redeliver(**which, delivery_id=call.pk))
        row = WebhookDelivery.objects.get()
        asked = [entry for entry in row.history if entry.get("by")]
        if isinstance(again, errors.GuestlistError):
            assert isinstance(again, errors.CallUnderWay)
            assert (row.state, asked) == ("delivered", [])
        else:
            assert len(asked) == 1
            assert row.state in ("queued", "delivered")
        assert row.attempts == 1
        Webhook.objects.update(leased_by=None, leased_until=None)
