"""Calls with one Idempotency-Key at the same time are one call."""

from functools import partial

import pytest

from guestlist.models import Delivery, IdempotentAnswer, Invitation
from tests.api.conftest import ApiClient
from tests.races.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 25


def test_of_eight_calls_with_one_key_one_is_executed_and_all_get_its_answer(organization, make_key, limit):
    limit()
    secret = make_key(organization)
    for number in range(ROUNDS):
        body = {"emails": [f"p{number}@acme.test"]}
        call = partial(_post, secret, body, f"key-{number}")
        answers = at_once(*[call] * 8)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert Invitation.objects.count() == Delivery.objects.count() == ROUNDS
    assert IdempotentAnswer.objects.count() == ROUNDS


def test_of_two_calls_with_one_key_and_different_bodies_one_is_refused(organization, make_key, limit):
    limit()
    secret = make_key(organization)
    for number in range(ROUNDS):
        calls = [
            partial(_post, secret, {"emails": [f"{who}{number}@acme.test"]}, f"key-{number}")
            for who in ("jane", "bob")
        ]
        assert sorted(answer.status_code for answer in at_once(*calls)) == [201, 422]
    assert Invitation.objects.count() == ROUNDS


def _post(secret, body, key):
    return ApiClient(secret)("POST", "northwind/invitations", body, HTTP_IDEMPOTENCY_KEY=key)
