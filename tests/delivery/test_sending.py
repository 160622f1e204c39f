"""What the worker does with what a mail server answers."""

import threading
import time
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.utils import timezone

from guestlist.actions.deliveries import back_off, begin_deliveries, claim_deliveries, finish_delivery
from guestlist.actions.invitations import revoke_invitation
from guestlist.actions.mail_queue import end_pause, pause_queue
from guestlist.delivery import lane
from guestlist.delivery.answers import Meaning, read_answer
from guestlist.delivery.lane import Lane, Shared
from guestlist.delivery.patience import MOST_LOSSES
from guestlist.delivery.worker import run_worker
from guestlist.models import Delivery, Event, Invitation, MailQueue
from tests.conftest import actor_of, deliver_due
from tests.delivery.conftest import make_due, states

pytestmark = pytest.mark.django_db


def test_a_thousand_invitations_arrive_once_each_over_one_connection(smtp, mailbox, invite):
    emails = [f"person{n}@acme.test" for n in range(1000)]
    invite(*emails)
    one = Lane(Shared(), threading.Event())
    while one.deliver_batch():
        pass
    one.close()
    assert Counter(mailbox.addresses) == Counter(emails)
    assert len(mailbox.peers) == 1
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
    MailQueue.objects.update(tried_at=None)
    end_pause()
    make_due()
    drain()
    assert len(mailbox.received) == 120
    assert set(states().values()) == {"sent"}


def test_a_refused_sign_in_pauses_all_mail_and_is_not_tried_again_at_once(smtp, mailbox, invite, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "guestlist", "wrong"
    invite(*(f"p{n}@acme.test" for n in range(60)))
    deliver_due(uuid4())
    assert set(states().values()) == {"deferred"}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    queue = MailQueue.objects.get()
    assert queue.failing_since
    assert queue.paused_until - queue.failing_since == timedelta(minutes=1)
    make_due()
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    assert deliver_due(uuid4()) == 0
    MailQueue.objects.update(tried_at=None)
    end_pause()
    assert deliver_due(uuid4()) == 50
    assert MailQueue.objects.get().failing_since is None


def test_nothing_goes_out_in_clear_where_starttls_was_asked_for(smtp, mailbox, invite, settings):
    settings.EMAIL_USE_TLS = True
    invite("p@acme.test")
    deliver_due(uuid4())
    assert not mailbox.received
    assert Delivery.objects.get().state == "deferred"
    assert Delivery.objects.get().detail.startswith("The mail server offers no secure connection (TLS):")


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
    for _ in range(MOST_LOSSES + 1):
        make_due()
        drain()
    assert states() == {"b@acme.test": "failed"}
    assert len(mailbox.received) == MOST_LOSSES
    row = Delivery.objects.get()
    assert "may have been delivered" in row.detail
    assert [entry["state"] for entry in row.history] == ["deferred"] * MOST_LOSSES + ["failed"]


def test_a_poison_message_fails_alone(smtp, mailbox, invite, drain):
    invite("a@acme.test", "poison@acme.test", "b@acme.test")
    # An address that a mail server would read as another: nothing lets it in, and nothing may send to it.
    Invitation.objects.filter(email="poison@acme.test").update(email="=?utf-8?q?ceo?=@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "=?utf-8?q?ceo?=@acme.test": "failed", "b@acme.test": "sent"}
    assert Delivery.objects.get(state="failed").attempts == 1


def test_mail_of_a_revoked_invitation_is_not_sent(smtp, mailbox, invite, drain, organization, alice):
    first, _ = invite("revoked@acme.test", "kept@acme.test")
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=first.pk)
    drain()
    assert mailbox.addresses == ["kept@acme.test"]


def test_mail_of_an_invitation_revoked_after_the_worker_took_it_is_not_sent(
    smtp, mailbox, invite, organization, alice, monkeypatch
):
    (invitation,) = invite("revoked@acme.test")
    real = lane.begin_deliveries

    def begin(**values):
        revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
        return real(**values)

    monkeypatch.setattr(lane, "begin_deliveries", begin)
    deliver_due(uuid4())
    assert not mailbox.received
    assert states() == {"revoked@acme.test": "canceled"}


def test_mail_whose_lease_ended_stays_owed(invite):
    invite("slow@acme.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    Delivery.objects.update(leased_until=timezone.now() - timezone.timedelta(seconds=1))
    assert not begin_deliveries(deliveries=[delivery], worker=me)
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


@pytest.mark.django_db(transaction=True)
def test_the_worker_goes_on_after_the_database_was_away(invite, settings, monkeypatch):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    invite("a@acme.test")
    stop, calls, real = threading.Event(), [], lane.claim_deliveries

    def claim(**values):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the database is gone")
        return real(**values)

    monkeypatch.setattr(lane, "claim_deliveries", claim)

    def work():
        try:
            run_worker(stop)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 10
    while states() != {"a@acme.test": "sent"} and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join()
    assert states() == {"a@acme.test": "sent"}


def test_while_nothing_can_be_sent_the_pause_grows_to_a_minute(invite):
    invite("a@acme.test")
    waits = []
    for _ in range(8):
        pause_queue(reason="down", shortest=timedelta(seconds=1), longest=timedelta(minutes=1))
        queue = MailQueue.objects.annotate(now=Now()).get()
        waits.append(round((queue.paused_until - queue.now).total_seconds()))
        MailQueue.objects.update(paused_until=Now())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert Delivery.objects.get().detail == "down"


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
        (429, Meaning.TOO_FAST),
        (500, Meaning.BUSY),
    ]:
        response = SimpleNamespace(status_code=code, reason="no", text="no", json=dict)
        error = AnymailAPIError("no", response=response, status_code=code)
        assert read_answer(error).meaning is meaning


def test_the_wait_doubles_up_to_ten_minutes():
    waits = [back_off(attempts).total_seconds() for attempts in range(1, 10)]
    assert waits == [15, 30, 60, 120, 240, 480, 600, 600, 600]


def test_a_worker_that_stops_gives_back_what_it_did_not_come_to(invite, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    invite("a@x.test", "b@x.test")
    stopped = threading.Event()
    stopped.set()
    Lane(Shared(), stopped).deliver_batch()
    assert not Delivery.objects.exclude(leased_by=None).exists()
    assert deliver_due(uuid4()) == 2


def test_a_message_that_left_is_called_sent_though_the_invitation_ended_meanwhile(
    invite, organization, alice
):
    invite("a@x.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    (attempt,) = begin_deliveries(deliveries=[delivery], worker=me)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=delivery.invitation_id)
    finish_delivery(attempt=attempt, seconds=0.1)
    assert states() == {"a@x.test": "sent"}


def test_mail_of_an_invitation_that_expired_while_it_waited_is_not_sent(invite):
    invite("a@x.test")
    me = uuid4()
    (delivery,) = claim_deliveries(worker=me, limit=1)
    past = timezone.now() - timedelta(seconds=1)
    Invitation.objects.update(invited_at=past - timedelta(days=7), expires_at=past)
    assert not begin_deliveries(deliveries=[delivery], worker=me)
    assert states() == {"a@x.test": "canceled"}
