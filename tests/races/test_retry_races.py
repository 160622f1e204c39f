"""Trying again while somebody else does, or while a worker takes the message."""

from uuid import uuid4

import pytest
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions.deliveries import claim_deliveries
from guestlist.actions.retries import retry_delivery, retry_failed
from guestlist.models import Delivery, Event
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of
from tests.races.test_races import assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 15


def test_of_two_who_try_again_one_does(organization, alice, bob):
    send(organization, alice, "jane@example.com")
    delivery, actors = Delivery.objects.get(), (actor_of(alice), actor_of(bob))
    for number in range(1, ROUNDS + 1):
        Delivery.objects.update(state="failed", next_at=None, history=[])
        one, many = at_once(
            lambda: retry_delivery(actor=actors[0], organization=organization, delivery_id=delivery.pk),
            lambda: retry_failed(actor=actors[1], organization=organization),
        )
        refused = isinstance(one, errors.NotRetryable)
        assert many.retried == refused
        assert len(Delivery.objects.get().history) == 1
        assert Event.objects.filter(type="invitation.retried").count() == number
    assert_log_has_no_gaps(organization)


def test_a_message_is_tried_again_or_taken_by_a_worker_but_never_taken_away(organization, alice):
    send(organization, alice, "jane@example.com")
    delivery, actor = Delivery.objects.get(), actor_of(alice)
    for _ in range(ROUNDS):
        Delivery.objects.update(state="deferred", next_at=Now(), leased_by=None, leased_until=None)
        worker = uuid4()
        tried, claimed = at_once(
            lambda: retry_delivery(actor=actor, organization=organization, delivery_id=delivery.pk),
            lambda worker=worker: claim_deliveries(worker=worker, limit=5),
        )
        now = Delivery.objects.get()
        assert (now.leased_by == worker) == bool(claimed)
        if isinstance(tried, errors.NotRetryable):
            assert (now.state, bool(claimed)) == ("deferred", True)
        else:
            assert now.state == "queued"
