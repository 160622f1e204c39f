"""Idempotency-Key: the same call again gets the same answer, and does nothing."""

import zlib
from datetime import timedelta
from hashlib import shake_256

import pytest
from django.db import connection
from django.db.models import F

from guestlist.actions import invitations as actions
from guestlist.actions.api_keys import create_api_key
from guestlist.actions.idempotency import forget_answers
from guestlist.actions.webhook_calls import Answer as CallAnswer
from guestlist.actions.webhook_calls import begin_call, claim_webhook, finish_call, release_webhook
from guestlist.actions.webhook_log import send_test
from guestlist.actions.webhooks import create_webhook
from guestlist.api import webhooks
from guestlist.models import (
    ApiKey,
    Delivery,
    Event,
    IdempotentAnswer,
    Invitation,
    Membership,
    Organization,
    Role,
)
from guestlist.models.fields import new_id
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of

URL = "northwind/invitations"
BODY = {"emails": ["jane@acme.test", "jane@", "bob@acme.test"]}


def post(client, body=BODY, key="one", url=URL):
    return client("POST", url, body, HTTP_IDEMPOTENCY_KEY=key)


def rows():
    return [
        list(table.objects.order_by("pk").values()) for table in (Organization, Invitation, Delivery, Event)
    ]


def test_the_same_call_again_gets_the_same_bytes_and_does_nothing(manager):
    first = post(manager)
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    before = rows()
    again = post(manager)
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    assert again["RateLimit"] == first["RateLimit"]
    assert rows() == before


def test_another_body_under_the_same_key_is_refused_and_does_nothing(manager):
    post(manager)
    before = rows()
    response = post(manager, {"emails": ["eve@acme.test"]})
    assert_problem(response, 422, "idempotency_key_reused")
    assert response.data["errors"][0]["field"] == "Idempotency-Key"
    assert rows() == before


def test_another_address_under_the_same_key_is_another_call(manager):
    post(manager)
    assert_problem(post(manager, url=f"{URL}/preview"), 422, "idempotency_key_reused")


def test_each_api_key_has_keys_of_its_own(manager, organization, make_key):
    post(manager)
    other = ApiClient(make_key(organization))
    response = post(other)
    assert (response.status_code, response.data["skipped"]) == (200, 2)


def test_a_refusal_is_an_answer_too(manager, invite):
    (invitation,) = invite("jane@acme.test")
    url = f"{URL}/{invitation['id']}/revoke"
    assert post(manager, None, "a", url).status_code == 200
    refused = post(manager, None, "b", url)
    assert_problem(refused, 409, "not_pending")
    again = post(manager, None, "b", url)
    assert again.content == refused.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotency-Replayed"] == "true"


def test_a_refusal_leaves_nothing_behind_but_itself(manager, limit):
    limit(inviter="1/1d")
    before = rows()
    assert_problem(post(manager), 429, "inviter_limit")
    assert rows() == before


def test_what_was_put_off_can_be_tried_again_under_the_same_key(manager, limit):
    limit(inviter="1/1d")
    assert_problem(post(manager), 429, "inviter_limit")
    limit(inviter="9/1d")
    response = post(manager)
    assert (response.status_code, response.data["sent"]) == (201, 2)
    assert "Idempotency-Replayed" not in response.headers


def test_of_what_failed_nothing_stays_and_it_can_be_tried_again(manager, monkeypatch):
    before = rows()
    manager.client.raise_request_exception = False
    real = actions.InvitationBatch.of
    monkeypatch.setattr(actions.InvitationBatch, "of", lambda *_: 1 / 0)  # once everything is written
    assert_problem(post(manager), 500, "server_error")
    assert rows() == before
    assert not IdempotentAnswer.objects.exists()
    monkeypatch.setattr(actions.InvitationBatch, "of", real)
    assert post(manager).status_code == 201


def test_a_body_that_makes_no_sense_uses_no_key_up(manager):
    assert_problem(post(manager, {"email": ["jane@acme.test"]}), 422, "invalid_input")
    assert_problem(post(manager, b"{"), 400, "invalid_json")
    assert post(manager).status_code == 201


def test_a_revoked_key_is_told_nothing(manager):
    post(manager)
    ApiKey.objects.update(revoked_at=F("created_at"))
    assert_problem(post(manager), 401, "not_signed_in")


def test_a_key_is_forgotten_after_a_day(manager):
    post(manager)
    IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(hours=23, minutes=59))
    assert forget_answers() == 0
    assert post(manager)["Idempotency-Replayed"] == "true"
    IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    response = post(manager)  # before anybody cleaned up
    assert (response.status_code, response.data["skipped"]) == (200, 2)
    IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(hours=25))
    assert forget_answers() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(manager, key):
    assert_problem(post(manager, key=key), 422, "idempotency_key_invalid")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("key", ["k", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b"])
def test_any_other_text_is_a_key(manager, key):
    assert post(manager, key=key).status_code == 201
    assert post(manager, key=key)["Idempotency-Replayed"] == "true"


def test_whoever_is_nobody_uses_no_key_up(anonymous, reader):
    assert_problem(post(anonymous), 401, "not_signed_in")
    assert_problem(post(anonymous, url="/api/v1/nothing"), 404, "not_found")
    assert_problem(post(reader), 403, "not_allowed")


def test_reading_takes_no_key(manager):
    assert manager("GET", URL, HTTP_IDEMPOTENCY_KEY="one").status_code == 200
    assert not IdempotentAnswer.objects.exists()


def test_the_database_holds_no_answer_that_can_be_read(manager):
    first = post(manager)
    row = IdempotentAnswer.objects.get()
    assert b"jane" not in bytes(row.body)
    assert first.content not in bytes(row.body)
    again = post(manager, key="two", body={"emails": ["jane@acme.test"]})
    assert again.status_code == 200
    assert bytes(IdempotentAnswer.objects.get(key="two").body)[:8] != bytes(row.body)[:8]


def test_what_the_database_knows_opens_no_answer(organization, make_key):
    client = ApiClient(make_key(organization, permissions=["api_key.manage"]))
    body = {"name": "CI", "permissions": ["api_key.manage"]}
    made = post(client, body, url="northwind/api-keys")
    assert post(client, body, url="northwind/api-keys").content == made.content
    row = IdempotentAnswer.objects.select_related("api_key").get()
    plain = zlib.compress(made.content, 1)
    stream = bytes(a ^ b for a, b in zip(bytes(row.body), plain, strict=True))
    purpose, known = b"guestlist.idempotent-answer", bytes.fromhex(row.api_key.hash)
    parts = (known, row.api_key.hash.encode(), row.api_key.prefix.encode())
    made_of = [purpose + a + b for part in parts for a, b in ((part, row.pk.bytes), (row.pk.bytes, part))]
    assert all(shake_256(text).digest(len(stream)) != stream for text in made_of)


def test_whoever_lost_a_permission_is_told_nothing(organization, bob):
    key = create_api_key(
        actor=actor_of(bob), organization=organization, name="CI", permissions=["member.manage"]
    )
    client = ApiClient(key.secret)
    assert post(client).status_code == 201
    member = Role.objects.get(organization=organization, name="Member")
    Membership.objects.filter(user=bob).update(role=member)
    assert_problem(post(client), 403, "not_allowed")
    Membership.objects.filter(user=bob).update(role=Role.objects.get(organization=organization, name="Admin"))
    assert post(client)["Idempotency-Replayed"] == "true"


def test_a_refusal_that_passes_by_itself_is_not_kept(organization, alice, make_key):
    about = {"actor": actor_of(alice), "organization": organization}
    webhook = create_webhook(**about, url="https://hooks.example.com/").webhook
    test = send_test(**about, webhook_id=webhook.pk)
    worker = new_id()
    assert claim_webhook(worker=worker) == webhook.pk
    call = begin_call(webhook_id=webhook.pk, worker=worker)
    client = ApiClient(make_key(organization, permissions=["webhook.manage"]))
    url = f"northwind/webhooks/{webhook.pk}/deliveries/{test.pk}/redeliver"
    assert_problem(post(client, None, url=url), 409, "call_under_way")
    finish_call(call=call, answer=CallAnswer(seconds=0.1, status=200))
    release_webhook(webhook_id=webhook.pk, worker=worker)
    assert post(client, None, url=url).status_code == 200


def test_10_000_addresses_are_answered_alike_and_nothing_is_sent_again(manager):
    body = {"emails": [f"p{number}@acme.test" for number in range(10_000)]}
    first = post(manager, body)
    assert (first.status_code, first.data["sent"], len(first.data["results"])) == (201, 10_000, 10_000)
    sent = Delivery.objects.count(), Event.objects.count()
    again = post(manager, body)
    assert again.content == first.content
    assert (Delivery.objects.count(), Event.objects.count()) == sent
    assert len(bytes(IdempotentAnswer.objects.get().body)) < len(first.content) / 4


def test_a_key_costs_the_same_few_statements_whatever_the_call(manager, django_assert_max_num_queries):
    post(manager)
    with django_assert_max_num_queries(10):
        assert post(manager)["Idempotency-Replayed"] == "true"
    assert connection.in_atomic_block  # that of the test


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_network(organization, make_key, monkeypatch):
    client, waited = ApiClient(make_key(organization, permissions=["webhook.manage"])), []
    monkeypatch.setattr(webhooks, "checked_url", lambda _url: waited.append(connection.in_atomic_block))
    body = {"url": "https://hooks.example.com/", "types": ["organization.updated"]}
    first = post(client, body, url="northwind/webhooks")
    assert (first.status_code, waited) == (201, [False])
    again = post(client, body, url="northwind/webhooks")
    assert (again.content, waited) == (first.content, [False])


def test_what_is_refused_before_the_call_uses_no_key_up(organization, make_key):
    client = ApiClient(make_key(organization, permissions=["webhook.manage"]))
    body = {"url": "https://nowhere.invalid/", "types": ["organization.updated"]}
    assert_problem(post(client, body, url="northwind/webhooks"), 422, "webhook_target_unknown")
    assert not IdempotentAnswer.objects.exists()
