"""Calls of webhooks: who may not be told, what is sent, and what is kept."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from standardwebhooks import WebhookVerificationError

from guestlist.actions.api_keys import create_api_key, revoke_api_key, rotate_api_key
from guestlist.actions.deletion import delete_organization, restore_organization
from guestlist.actions.members import change_role, leave_organization, remove_member
from guestlist.actions.webhook_calls import begin_call, claim_webhook, release_webhook
from guestlist.actions.webhook_ends import forget_calls
from guestlist.actions.webhook_log import redeliver
from guestlist.actors import Actor
from guestlist.links import new_nonce
from guestlist.models import ApiKey, Membership, Role, Webhook, WebhookDelivery
from tests.conftest import actor_of
from tests.delivery.webhook_script import (
    call_due,
    make_webhook,
    nobody_is_called,
    pass_time,
    secret_of,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def key_of(organization, creator, *permissions):
    about = {"name": "Key", "permissions": permissions}
    return create_api_key(actor=creator, organization=organization, **about).key


def canceled():
    return set(WebhookDelivery.objects.filter(state="canceled").values_list("detail", flat=True))


# Who may not be told ---------------------------------------------------------------------------------


def test_a_creator_who_lost_the_permission_is_told_nothing_more(receiver, organization, alice, bob, invite):
    make_webhook(organization, receiver.url, created_by=bob)
    invite("jane@acme.test")
    member, role = (
        model.objects.get(**{by: who})
        for model, by, who in ((Membership, "user", bob), (Role, "name", "Member"))
    )
    change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=role.pk)
    assert call_due() == 0
    assert receiver.calls == []
    assert canceled() == {"Not sent: whoever created the webhook may not read this any more."}
    assert set(states()) == {"canceled"}


@pytest.mark.parametrize("how", ["left", "removed", "switched off"])
def test_a_creator_who_is_gone_is_told_nothing(receiver, organization, alice, bob, invite, how):
    make_webhook(organization, receiver.url, created_by=bob)
    invite("jane@acme.test")
    if how == "left":
        leave_organization(actor=actor_of(bob), organization=organization)
    elif how == "removed":
        member = Membership.objects.get(user=bob)
        remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    else:
        bob.is_active = False
        bob.save()
    assert call_due() == 0
    assert receiver.calls == []
    assert set(states()) == {"canceled"}


def test_a_webhook_is_told_no_more_than_the_key_could_read_that_made_it(
    receiver, organization, alice, invite
):
    for creator, owner in ((actor_of(alice), alice), (Actor.operator(), None)):
        key = key_of(organization, creator, "webhook.manage", "role.read")
        make_webhook(organization, receiver.url, created_by=owner, api_key=key)
    invite("jane@acme.test")
    assert call_due() == 0
    assert receiver.calls == []
    assert states() == ["canceled", "canceled"]


@pytest.mark.parametrize("how", ["revoked", "expired", "its creator left"])
def test_a_key_that_has_ended_is_told_nothing(receiver, organization, alice, bob, invite, how):
    key = key_of(organization, actor_of(bob), "webhook.manage", "member.manage")
    make_webhook(organization, receiver.url, created_by=bob, api_key=key)
    invite("jane@acme.test")
    assert call_due() == 1
    invite("bob@acme.test")
    if how == "revoked":
        revoke_api_key(actor=actor_of(alice), organization=organization, api_key_id=key.pk)
    elif how == "expired":
        ApiKey.objects.update(expires_at=Now() - MINUTE)
    else:
        leave_organization(actor=actor_of(bob), organization=organization)
    assert call_due() == 0
    assert states()[0] == "delivered"
    assert set(states()[1:]) == {"canceled"}


def test_a_key_that_was_rotated_is_told_through_the_one_that_replaced_it(
    receiver, organization, alice, invite
):
    key = key_of(organization, actor_of(alice), "webhook.manage", "member.manage")
    make_webhook(organization, receiver.url, created_by=alice, api_key=key)
    rotate_api_key(actor=actor_of(alice), organization=organization, api_key_id=key.pk, overlap="0")
    invite("jane@acme.test")
    assert call_due() == 1
    assert states() == ["delivered"]


def test_what_is_canceled_does_not_hold_up_the_rest(receiver, organization, alice, bob, invite):
    webhook = make_webhook(organization, receiver.url, created_by=bob)
    invite("jane@acme.test")
    role = Role.objects.get(name="Admin")
    role.permissions = ["role.read", "role.create"]
    role.save()
    from guestlist.actions.roles import create_role

    create_role(actor=actor_of(alice), organization=organization, name="Clerk", permissions=[])
    assert call_due() == 1
    assert receiver.taken[0].verify(secret_of(webhook))["data"]["name"] == "Clerk"
    assert states() == ["canceled", "delivered"]


def test_a_deleted_organization_is_not_called_for(receiver, organization, alice, webhook, invite):
    invite("jane@acme.test")
    delete_organization(actor=actor_of(alice), organization=organization, name="Northwind")
    assert nobody_is_called()
    assert canceled() == {"Not sent: the organization was deleted."}
    restore_organization(actor=actor_of(alice), organization_id=organization.pk)
    assert call_due() == 0
    invite("bob@acme.test")
    assert call_due() == 1


def test_nothing_is_called_for_an_organization_deleted_in_the_meantime(
    receiver, organization, webhook, invite
):
    invite("jane@acme.test")
    worker = uuid4()
    assert claim_webhook(worker=worker) == webhook.pk
    type(organization).objects.update(deleted_at=Now())
    assert begin_call(webhook_id=webhook.pk, worker=worker) is None


def test_a_webhook_that_is_off_is_not_called(receiver, webhook, invite):
    invite("jane@acme.test")
    Webhook.objects.update(why_off="turned_off", off_since=Now())
    assert nobody_is_called()


# What is sent ----------------------------------------------------------------------------------------


def test_a_call_is_verified_by_standard_webhooks(receiver, webhook, invite):
    invite("jane@acme.test")
    assert call_due() == 1
    [call] = receiver.calls
    message = call.verify(secret_of(webhook))
    assert message["type"] == "invitation.sent"
    assert message["data"]["email"] == "jane@acme.test"
    row = WebhookDelivery.objects.get()
    assert call.body.decode() == row.body
    assert call.id == row.message_id
    assert call.path == "/hooks"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (row.state, row.status, row.attempts, row.next_at) == ("delivered", 204, 1, None)
    [entry] = row.history
    assert (entry["state"], entry["attempt"], entry["status"]) == ("delivered", 1, 204)
    assert 0 < entry["seconds"] < 5
    with pytest.raises(WebhookVerificationError):
        call.verify(secret_of(make_webhook(webhook.organization, receiver.url)))


def test_during_a_rotation_both_secrets_verify_and_the_former_one_ends(receiver, webhook, invite):
    former = secret_of(webhook)
    Webhook.objects.update(nonce=new_nonce(), former_nonce=webhook.nonce, former_until=Now() + DAY)
    new = secret_of(Webhook.objects.get())
    invite("jane@acme.test")
    call_due()
    for secret in (former, new):
        assert receiver.calls[0].verify(secret)["data"]["email"] == "jane@acme.test"
    pass_time(DAY + MINUTE)
    invite("bob@acme.test")
    call_due()
    receiver.calls[1].verify(new)
    with pytest.raises(WebhookVerificationError):
        receiver.calls[1].verify(former)


def test_after_the_secret_key_has_changed_the_old_secret_verifies_as_long_as_it_is_a_fallback(
    receiver, webhook, invite, settings
):
    known = secret_of(webhook)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    invite("jane@acme.test")
    call_due()
    for secret in (known, secret_of(webhook)):
        receiver.calls[0].verify(secret)
    settings.SECRET_KEY_FALLBACKS = []
    invite("bob@acme.test")
    call_due()
    with pytest.raises(WebhookVerificationError):
        receiver.calls[1].verify(known)


def test_a_call_redelivered_a_day_later_is_the_same_and_signed_anew(receiver, organization, webhook, invite):
    receiver.secret = secret_of(webhook)
    invite("jane@acme.test")
    call_due()
    pass_time(DAY)
    which = {"webhook_id": webhook.pk, "delivery_id": WebhookDelivery.objects.get().pk}
    redeliver(actor=Actor.operator(), organization=organization, **which)
    assert call_due() == 1
    first, again = receiver.taken
    assert (again.id, again.body) == (first.id, first.body)
    assert not receiver.forged


def test_an_answer_is_kept_as_far_as_it_is_short_and_printable(receiver, webhook, invite):
    def answer(call, wire):
        body = b"\x00\x1b[31mno\n" + "\u202eé".encode() + b"x" * 5_000
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    receiver.answer = answer
    invite("jane@acme.test")
    assert call_due() == 1
    row = WebhookDelivery.objects.get()
    assert row.state == "delivered"
    assert row.answer.startswith("  [31mno\n é")
    assert len(row.answer) == 1_000


def test_calls_go_over_one_connection(receiver, webhook, invite):
    invite(*(f"p{n}@acme.test" for n in range(20)))
    assert call_due() == 20
    assert receiver.connections == 1


# Housekeeping ----------------------------------------------------------------------------------------


def test_finished_calls_are_forgotten_after_thirty_days_and_owed_ones_are_not(receiver, webhook, invite):
    invite("old@acme.test")
    call_due()
    invite("owed@acme.test")
    pass_time(timedelta(days=29))
    assert forget_calls() == 0
    pass_time(timedelta(days=2))
    assert forget_calls() == 1
    assert list(WebhookDelivery.objects.values_list("subject_name", flat=True)) == ["owed@acme.test"]


def test_an_attempt_whose_worker_died_is_in_the_history(receiver, webhook, invite):
    invite("jane@acme.test")
    worker = uuid4()
    claim_webhook(worker=worker)
    assert begin_call(webhook_id=webhook.pk, worker=worker)
    assert call_due() == 0
    pass_time(2 * MINUTE)
    assert call_due() == 1
    first, second = WebhookDelivery.objects.get().history
    assert first["interrupted"]
    assert (first["attempt"], second["attempt"], second["state"]) == (1, 2, "delivered")


def test_each_webhook_has_its_turn(receiver, organization, beta, webhook, invite):
    other = make_webhook(beta, receiver.url)
    from guestlist.actions.invitations import send_invitations
    from guestlist.addresses import parse_items

    invite("jane@acme.test")
    send_invitations(actor=Actor.operator(), organization=beta, parsed=parse_items(["bob@acme.test"]))
    first = claim_webhook(worker=(one := uuid4()))
    release_webhook(webhook_id=first, worker=one)
    assert claim_webhook(worker=one) == ({webhook.pk, other.pk} - {first}).pop()


def test_a_send_costs_the_same_number_of_statements_for_any_number_of_addresses(
    receiver, organization, webhook, invite
):
    for _ in range(2):
        make_webhook(organization, receiver.url)
    counts = []
    for number in (10, 1_000):
        with CaptureQueriesContext(connection) as counted:
            invite(*(f"p{n}@round{number}.test" for n in range(number)))
        counts.append(len(counted))
    assert counts[0] == counts[1] < 30
    assert WebhookDelivery.objects.count() == 3 * 1_010


def test_an_idle_worker_asks_one_cheap_question(receiver, webhook, invite, django_assert_num_queries):
    from guestlist.delivery.webhooks import Busy, WebhookCaller

    with django_assert_num_queries(1):
        for number in range(4):
            assert WebhookCaller(Busy(), threading.Event(), number=number).call_some() == 0
