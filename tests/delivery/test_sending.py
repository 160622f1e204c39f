"""What the worker does with what a mail server answers."""

import threading
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from guestlist.actions.deliveries import (
    back_off,
    begin_delivery,
    claim_deliveries,
    drop_delivery,
    finish_delivery,
)
from guestlist.actions.invitations import revoke_invitation
from guestlist.delivery import worker
from guestlist.delivery.answers import Meaning, read_answer
from guestlist.delivery.worker import deliver_due, run_worker
from guestlist.models import Delivery, Event, Invitation
from tests.conftest import actor_of
from tests.delivery.conftest import make_due, states

pytestmark = pytest.mark.django_db


def test_a_thousand_invitations_arrive_once_each_over_few_connections(smtp, mailbox, invite, drain):
    emails = [f"person{n}@acme.test" for n in range(1000)]
    invite(*emails)
    drain()
    assert Counter(mailbox.addresses) == Counter(emails)
    assert len(mailbox.peers) == 20
    assert set(states().values()) == {"sent"}


def test_an_address_that_is_refused_stops_no_other_and_keeps_the_servers_words(
    smtp, mailbox, invite, drain, organization
):
    mailbox.at_rcpt["gone@acme.test"] = "550 5.1.1 No such user here"
    invite("one@acme.test", "gone@acme.test", "two@acme.test")
    drain()
    assert mailbox.addresses == ["one@acme.test", "two@acme.test"]
    failed = Delivery.objects.get(invitation__email="gone@acme.test")
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert failed.detail == "The mail server refused the message: 550 5.1.1 No such user here"
    event = Event.objects.get(organization=organization, type="invitation.failed")
    assert (event.subject_name, event.actor_type) == ("gone@acme.test", "system")
    assert failed.invitation.status == "pending"


def test_a_message_refused_after_its_content_fails_alone(smtp, mailbox, invite, drain):
    mailbox.after_data["full@acme.test"] = "552 5.2.2 Mailbox full"
    invite("full@acme.test", "ok@acme.test")
    drain()
    assert states() == {"full@acme.test": "failed", "ok@acme.test": "sent"}


def test_a_grey_listed_address_is_deferred_and_sent_once_later(smtp, mailbox, invite, drain):
    mailbox.at_rcpt["grey@acme.test"] = "451 4.7.1 Greylisted"
    invite("grey@acme.test", "ok@acme.test")
    drain()
    row = Delivery.objects.get(invitation__email="grey@acme.test")
    assert (row.state, row.attempts) == ("deferred", 1)
    assert row.detail == "The mail server asked to try again later: 451 4.7.1 Greylisted"
    assert row.next_at > timezone.now()
    mailbox.at_rcpt.clear()
    make_due()
    drain()
    assert Counter(mailbox.addresses) == {"grey@acme.test": 1, "ok@acme.test": 1}


def test_mail_waits_while_the_server_is_down_and_all_goes_out_when_it_is_back(
    smtp, mailbox, invite, drain, settings
):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    invite(*(f"p{n}@acme.test" for n in range(120)))
    drain()
    assert set(states().values()) == {"deferred"}
    assert Delivery.objects.first().detail.startswith("The mail server can’t be reached:")
    settings.EMAIL_PORT = port
    make_due()
    drain()
    assert len(mailbox.received) == 120
    assert set(states().values()) == {"sent"}


def test_a_refused_sign_in_is_tried_once_for_a_batch(smtp, mailbox, invite, settings, monkeypatch):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "guestlist", "wrong"
    tries = []
    real = worker.get_connection
    monkeypatch.setattr(worker, "get_connection", lambda: tries.append(1) or real())
    invite(*(f"p{n}@acme.test" for n in range(50)))
    deliver_due(uuid4())
    assert len(tries) == 1
    assert set(states().values()) == {"deferred"}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_nothing_goes_out_in_clear_where_starttls_was_asked_for(smtp, mailbox, invite, settings):
    settings.EMAIL_USE_TLS = True
    invite("p@acme.test")
    deliver_due(uuid4())
    assert not mailbox.received
    assert Delivery.objects.get().state == "deferred"
    assert Delivery.objects.get().detail.startswith("The mail server offers no secure connection:")


def test_a_refused_sender_fails_nobody(smtp, mailbox, invite):
    mailbox.at_sender = "550 5.7.1 Not your domain"
    invite("a@acme.test", "b@acme.test")
    deliver_due(uuid4())
    assert set(states().values()) == {"deferred"}


def test_a_connection_lost_after_the_content_says_that_it_may_have_arrived(smtp, mailbox, invite, drain):
    mailbox.after_data["b@acme.test"] = "drop"
    invite("a@acme.test", "b@acme.test", "c@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "b@acme.test": "deferred", "c@acme.test": "sent"}
    assert "may have been delivered" in Delivery.objects.get(invitation__email="b@acme.test").detail
    mailbox.after_data.clear()
    make_due()
    drain()
    copies = [
        mailbox.parsed(n)["Message-ID"] for n, to in enumerate(mailbox.addresses) if to == "b@acme.test"
    ]
    assert len(copies) == 2
    assert len(set(copies)) == 1


def test_a_message_that_loses_the_connection_every_time_is_given_up(smtp, mailbox, invite, drain):
    mailbox.after_data["b@acme.test"] = "drop"
    invite("b@acme.test")
    Delivery.objects.update(attempts=worker.MOST_LOSSES - 1)
    drain()
    assert states() == {"b@acme.test": "failed"}


def test_a_poison_message_fails_alone(smtp, mailbox, invite, drain, monkeypatch):
    real = worker.message_of

    def build(delivery):
        if delivery.invitation.email == "poison@acme.test":
            raise RuntimeError("template error")
        return real(delivery)

    monkeypatch.setattr(worker, "message_of", build)
    invite("a@acme.test", "poison@acme.test", "b@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "poison@acme.test": "failed", "b@acme.test": "sent"}


def test_mail_of_a_revoked_invitation_is_not_sent(smtp, mailbox, invite, drain, organization, alice):
    first, _ = invite("revoked@acme.test", "kept@acme.test")
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=first.pk)
    drain()
    assert mailbox.addresses == ["kept@acme.test"]


def test_mail_of_an_invitation_revoked_after_the_worker_took_it_is_not_sent(
    smtp, mailbox, invite, organization, alice, monkeypatch
):
    (invitation,) = invite("revoked@acme.test")
    real = worker.begin_delivery

    def begin(**values):
        revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
        return real(**values)

    monkeypatch.setattr(worker, "begin_delivery", begin)
    deliver_due(uuid4())
    assert not mailbox.received
    assert states() == {"revoked@acme.test": "canceled"}


def test_mail_whose_lease_ended_stays_owed(invite):
    invite("slow@acme.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    Delivery.objects.update(leased_until=timezone.now() - timezone.timedelta(seconds=1))
    assert not begin_delivery(delivery=delivery, worker=me)
    drop_delivery(delivery=delivery, worker=me)
    assert Delivery.objects.due().count() == 1


def test_captured_mail_counts_as_sent_without_a_network(invite, drain, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    settings.EMAIL_BACKEND = "no.such.Backend"
    invite("a@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent"}


def test_where_email_is_off_mail_stays_queued(invite, drain, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    invite("a@acme.test")
    drain()
    assert states() == {"a@acme.test": "queued"}


def test_the_worker_goes_on_after_the_database_was_away(monkeypatch):
    stop, calls = threading.Event(), []

    def batch(*_):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the database is gone")
        stop.set()
        return worker._Batch(uuid4())

    monkeypatch.setattr(worker, "_deliver_batch", batch)
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    monkeypatch.setattr(stop, "wait", lambda seconds: stop.is_set())
    run_worker(stop)
    assert len(calls) == 2


def test_while_nothing_can_be_sent_the_worker_pauses_longer_each_time(monkeypatch):
    stop, pauses = threading.Event(), []

    def wait(seconds):
        pauses.append(seconds)
        if len(pauses) == 8:
            stop.set()
        return stop.is_set()

    monkeypatch.setattr(worker, "_deliver_batch", lambda *_: worker._Batch(uuid4(), held=50, trouble="down"))
    monkeypatch.setattr(stop, "wait", wait)
    run_worker(stop)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_a_server_says_is_kept_as_one_safe_line():
    import smtplib

    answer = read_answer(smtplib.SMTPDataError(554, b"no\r\n\xff\x00\x1b[31mred\xe2\x80\xae" + b"x" * 9000))
    assert answer.meaning is Meaning.REFUSED
    assert "\x00" not in answer.detail
    assert "\x1b" not in answer.detail
    assert "\n" not in answer.detail
    assert len(answer.detail) <= 500


def test_a_providers_answers_are_read():
    from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused

    assert read_answer(AnymailRecipientsRefused("no")).meaning is Meaning.REFUSED
    for code, meaning in [
        (401, Meaning.TROUBLE),
        (400, Meaning.REFUSED),
        (429, Meaning.LATER),
        (500, Meaning.LATER),
    ]:
        response = SimpleNamespace(status_code=code, reason="no", text="no", json=dict)
        error = AnymailAPIError("no", response=response, status_code=code)
        assert read_answer(error).meaning is meaning


def test_the_wait_doubles_up_to_five_minutes():
    waits = [back_off(attempts).total_seconds() for attempts in range(1, 12)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_a_worker_that_stops_gives_back_what_it_did_not_come_to(invite, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    invite("a@x.test", "b@x.test")
    stopped = threading.Event()
    stopped.set()
    worker._deliver_batch(uuid4(), stopped)
    assert not Delivery.objects.exclude(leased_by=None).exists()
    assert deliver_due(uuid4()) == 2


def test_a_message_that_left_is_called_sent_though_the_invitation_ended_meanwhile(
    invite, organization, alice
):
    invite("a@x.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    assert begin_delivery(delivery=delivery, worker=me)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=delivery.invitation_id)
    finish_delivery(delivery=delivery, worker=me)
    assert states() == {"a@x.test": "sent"}


def test_mail_of_an_invitation_that_expired_while_it_waited_is_not_sent(invite):
    invite("a@x.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    Invitation.objects.update(invited_at=timezone.now() - timedelta(days=8), expires_at=timezone.now())
    assert not begin_delivery(delivery=delivery, worker=me)
    drop_delivery(delivery=delivery, worker=me)
    assert states() == {"a@x.test": "canceled"}
