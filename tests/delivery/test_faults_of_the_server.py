"""Faults that concern every message: the queue pauses and says why, and no message counts an attempt."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from guestlist.delivery.worker import run_worker
from guestlist.models import Delivery
from guestlist.models.mail_queue import MailQueue
from tests.conftest import deliver_due
from tests.delivery.conftest import states
from tests.delivery.script import (
    Drop,
    Silence,
    Slowly,
    after_messages,
    assert_paused,
    in_turn,
    let_time_pass,
    to,
    unused_port,
)

pytestmark = pytest.mark.django_db
EMAILS = [f"p{n}@acme.test" for n in range(120)]


@pytest.fixture
def short(monkeypatch):
    """Deadlines that a test can wait for."""
    monkeypatch.setattr("guestlist.delivery.smtp.CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr("guestlist.delivery.smtp.MESSAGE_TIMEOUT", 1.0)


def assert_all_sent_once(server, emails=EMAILS):
    assert set(states().values()) == {"sent"}
    assert server.recipients == dict.fromkeys(emails, 1)
    assert not MailQueue.objects.exclude(
        failing_since=None, reason="", paused_until=None, failures=0
    ).exists()


def test_a_refused_sign_in_pauses_the_queue_for_minutes(server, invite, drain, settings):
    server.use(settings, EMAIL_HOST_USER="guestlist", EMAIL_HOST_PASSWORD="expired")
    server.capabilities = (*server.capabilities, "AUTH PLAIN")
    server.at["AUTH"] = "535 5.7.8 Password expired on Friday"
    invite(*EMAILS)
    drain()
    assert_paused("535 5.7.8 Password expired on Friday", seconds=(40, 61))
    assert len(server.steps("AUTH")) == 1
    drain()
    assert len(server.steps("AUTH")) == 1
    assert not server.steps("MAIL")
    assert not any("expired" in moment.line for moment in server.moments)
    server.at.clear()
    let_time_pass()
    drain()
    assert_all_sent_once(server)


def test_the_pause_after_a_refused_sign_in_grows_to_a_quarter_of_an_hour(server, invite, drain, settings):
    server.use(settings, EMAIL_HOST_USER="guestlist", EMAIL_HOST_PASSWORD="expired")
    server.capabilities = (*server.capabilities, "AUTH PLAIN")
    server.at["AUTH"] = "535 5.7.8 No"
    invite("a@acme.test")
    pauses, since = [], set()
    for _ in range(6):
        drain()
        queue = MailQueue.objects.get()
        pauses.append((queue.paused_until - timezone.now()).total_seconds() / 60)
        since.add(queue.failing_since)
        let_time_pass()
    # Jitter of some tenths is fine.
    for pause, minutes in zip(pauses, (1, 2, 4, 8, 15, 15), strict=True):
        assert minutes * 0.7 < pause <= minutes * 1.3, pauses
    assert len(since) == 1
    assert len(server.steps("AUTH")) == 6
    assert Delivery.objects.get().attempts == 0
    assert len(Delivery.objects.get().history) <= 6


def test_the_pause_after_a_refused_connection_grows_to_a_minute(server, invite, drain, settings):
    with unused_port() as port:
        server.use(settings, EMAIL_PORT=port)
        invite("a@acme.test")
        pauses = []
        for _ in range(9):
            drain()
            pauses.append((MailQueue.objects.get().paused_until - timezone.now()).total_seconds())
            let_time_pass()
    for pause, seconds in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert seconds * 0.6 < pause <= seconds * 1.3, pauses
    server.use(settings)
    drain()
    assert_all_sent_once(server, ["a@acme.test"])


def test_a_refused_connection_pauses_the_queue_until_one_is_taken(server, invite, drain, settings):
    with unused_port() as port:
        server.use(settings, EMAIL_PORT=port)
        invite(*EMAILS)
        drain()
        assert_paused("refused")
    server.use(settings)
    let_time_pass()
    drain()
    assert_all_sent_once(server)


NOT_READY = {
    "421": "421 4.3.2 Too busy",
    "554": "554 5.7.1 Your address is on a list",
    "drop": Drop(),
    "half": Drop("220-half"),
    "garbage": b"\xff\xfe what is this\r\n",
    "64 kB": b"220 " + b"x" * 65536 + b"\r\n",
    "endless": b"220-x\r\n" * 20_000,
}


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        pytest.param(step, fault, id=f"{name}-{step}")
        for name, fault in NOT_READY.items()
        for step in ("connect", "EHLO")
        # To EHLO any answer of 2xx is a welcome, however long.
        if (name, step) != ("64 kB", "EHLO")
    ],
)
def test_a_server_that_is_not_ready_pauses_the_queue(server, invite, drain, short, step, fault):
    server.at[step] = fault
    invite(*EMAILS[:60])
    started = time.monotonic()
    drain()
    assert time.monotonic() - started < 4
    assert_paused()
    assert not server.messages
    server.at.clear()
    let_time_pass()
    drain()
    assert_all_sent_once(server, EMAILS[:60])


@pytest.mark.parametrize("fault", [Silence(), Slowly("220 slow.test ESMTP", 0.2)], ids=["silent", "slow"])
@pytest.mark.parametrize("step", ["connect", "EHLO"])
def test_a_server_that_does_not_greet_in_time_pauses_the_queue(server, invite, drain, short, step, fault):
    server.at[step] = fault
    invite("a@acme.test", "b@acme.test")
    started = time.monotonic()
    drain()
    assert time.monotonic() - started < 3
    assert_paused()
    assert not server.messages


def test_an_address_that_nobody_answers_at_is_given_up_in_time(server, invite, drain, short, settings):
    # The host's queue of connections is full, so the kernel leaves ours without an answer.
    import socket

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        server.use(settings, EMAIL_PORT=port)
        invite("a@acme.test")
        started = time.monotonic()
        drain()
        took = time.monotonic() - started
        for filler in fillers:
            filler.close()
    assert took < 3
    assert_paused("time")


def test_the_deadlines_are_those_that_operators_are_told():
    from guestlist.delivery import smtp

    assert smtp.CONNECT_TIMEOUT <= 30
    assert smtp.MESSAGE_TIMEOUT <= 120


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "content"])
@pytest.mark.parametrize("fault", [Silence(), Slowly("250 2.0.0 Ok at last", 0.25)], ids=["silent", "slow"])
def test_a_message_that_takes_too_long_is_left_and_the_others_go(server, invite, drain, short, step, fault):
    server.at[step] = in_turn(None, fault)
    invite("a@acme.test", "b@acme.test", "c@acme.test", "d@acme.test")
    started = time.monotonic()
    drain()
    assert time.monotonic() - started < 4
    server.at.clear()
    let_time_pass()
    drain()
    assert set(states().values()) == {"sent"}
    twice = [email for email, times in server.recipients.items() if times > 1]
    assert len(twice) == (1 if step == "content" else 0)
    assert all(len(server.ids(email)) == 1 for email in server.recipients)


def test_a_sender_that_is_refused_fails_nobody(server, invite, drain):
    server.at["MAIL"] = "550 5.7.1 Sender rejected: not your domain"
    invite(*EMAILS[:3])
    drain()
    assert set(states().values()) == {"deferred"}
    assert MailQueue.objects.get().failing_since is not None
    assert "Sender rejected" in MailQueue.objects.get().reason
    server.at.clear()
    let_time_pass()
    drain()
    assert_all_sent_once(server, EMAILS[:3])


@pytest.mark.parametrize("step", ["RCPT", "content"])
def test_a_refusal_counts_though_the_server_hangs_up_right_after_it(server, invite, drain, step):
    server.at[step] = to({EMAILS[1]: "550 5.7.1 Go away"})
    server.at["RSET"] = Drop()
    invite(*EMAILS[:3])
    drain()
    assert states() == {EMAILS[0]: "sent", EMAILS[1]: "failed", EMAILS[2]: "sent"}
    assert "550 5.7.1 Go away" in Delivery.objects.get(state="failed").detail


def test_a_server_that_takes_one_message_per_connection_gets_all_of_them(server, invite, drain):
    server.at["MAIL"] = after_messages(1, "421 4.7.0 Too many messages on this connection")
    invite(*EMAILS[:20])
    started = time.monotonic()
    for _ in range(6):
        drain()
        let_time_pass()
    assert time.monotonic() - started < 10
    assert_all_sent_once(server, EMAILS[:20])


def test_the_first_message_that_is_taken_ends_the_trouble(server, invite, drain, settings):
    server.at["connect"] = "421 4.3.2 Too busy"
    server.at["RCPT"] = to({EMAILS[0]: "550 5.1.1 No such user"})
    invite(*EMAILS[:2])
    drain()
    since = MailQueue.objects.get().failing_since
    assert timezone.now() - since < timedelta(seconds=5)
    del server.at["connect"]
    let_time_pass()
    drain()
    queue = MailQueue.objects.get()
    assert (queue.failing_since, queue.reason, queue.paused_until, queue.failures) == (None, "", None, 0)
    assert states() == {EMAILS[0]: "failed", EMAILS[1]: "sent"}


def test_while_the_queue_is_paused_no_worker_connects(server, invite, settings):
    server.at["connect"] = "421 4.3.2 Too busy"
    invite(*EMAILS[:5])
    deliver_due(uuid4())
    tried = server.connections
    Delivery.objects.update(next_at=timezone.now() - timedelta(hours=1))
    for _ in range(5):
        deliver_due(uuid4())
    assert server.connections == tried


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_told_to_stop_and_stops_though_the_server_is_silent(server, invite, short):
    server.at["connect"] = Silence()
    invite("a@acme.test")
    stop = threading.Event()

    def run():
        run_worker(stop, poll=0.1)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert Delivery.objects.due().count() + Delivery.objects.filter(state="deferred").count() >= 1
    assert not Delivery.objects.exclude(leased_by=None).exists()
