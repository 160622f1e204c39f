"""`kill -9` of a worker at each marked point: no message is lost, and none comes twice but where nobody can
know, between the end of the content and the mark; there under the same Message-ID.
"""

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import pytest
from django.db import connection

from guestlist.models import Delivery
from guestlist.models.mail_queue import MailQueue
from tests.delivery.killable import Forge
from tests.delivery.script import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20
# The step of the conversation at which the worker dies: `before` its answer or `after` it.
EARLY = {
    "after the claim": ("before", "connect"),
    "after connecting": ("after", "EHLO"),
    "after an attempt began": ("before", "MAIL"),
    "after RCPT": ("before", "DATA"),
}


class Killer:
    """Kills the worker of a round, once, when it comes to the message with that number."""

    def __init__(self, server, forge):
        self.server, self.forge = server, forge
        self.known, self.done = threading.Event(), False
        self.pid, self.number, self.victim = 0, 0, ""

    def round(self, number=0):
        """Start a worker and wait for its end."""
        self.number, self.victim, self.done = number, "", False
        self.known.clear()
        self.pid = self.forge.start()
        self.known.set()
        assert self.forge.wait() == -signal.SIGKILL
        assert self.done

    def strike(self, moment):
        if self.done or moment.number < self.number:
            return
        assert self.known.wait(10)
        self.done, self.victim = True, moment.recipient
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def killer(server):
    with Forge(server.port) as forge:
        yield Killer(server, forge)


def addresses(number, many=3):
    return [f"p{n}@round{number}.test" for n in range(many)]


def recover(drain):
    """Another worker, once the lease of the dead one has ended."""
    let_time_pass()
    drain()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert not MailQueue.objects.exclude(failing_since=None).exists()


def assert_repeated(server, expected):
    """Every address got one message; those of `expected` two, under one Message-ID."""
    everyone = Delivery.objects.values_list("invitation__email", "message_id")
    assert server.recipients == {email: 1 + (email in expected) for email, _ in everyone}
    for email, message_id in everyone:
        assert server.ids(email) == {message_id}


@pytest.mark.parametrize(("when", "step"), EARLY.values(), ids=EARLY)
def test_a_worker_killed_before_the_content_loses_and_repeats_nothing(
    server, killer, invite, drain, when, step
):
    getattr(server, when)[step] = killer.strike
    for number in range(ROUNDS):
        invite(*addresses(number))
        killer.round(0 if step in ("connect", "EHLO") else number % 3)
        recover(drain)
    assert_repeated(server, set())


def test_a_worker_killed_after_the_content_repeats_that_message_alone(server, killer, invite, drain):
    server.before["content"] = killer.strike
    victims = set()
    for number in range(ROUNDS):
        invite(*addresses(number))
        killer.round(number % 3)
        victims.add(killer.victim)
        recover(drain)
    assert len(victims) == ROUNDS
    assert_repeated(server, victims)


def test_a_worker_killed_before_the_mark_repeats_that_message_alone(server, killer, invite, drain):
    lock, released = contextlib.ExitStack(), threading.Event()
    server.before["content"] = lambda moment: moment.number == killer.number and lock.enter_context(held())

    def strike(moment):
        if moment.number == killer.number and not killer.done:
            time.sleep(0.03)  # until the worker has read the answer, and waits for the lock
            killer.strike(moment)
            lock.close()
            released.set()

    server.after["content"] = strike
    victims = set()
    for number in range(ROUNDS):
        invite(*addresses(number))
        released.clear()
        killer.round(number % 3)
        assert released.wait(10)
        victims.add(killer.victim)
        hooks, server.before, server.after = (server.before, server.after), {}, {}
        recover(drain)
        server.before, server.after = hooks
    assert len(victims) == ROUNDS
    assert_repeated(server, victims)


def test_of_two_connections_each_repeats_one_message_at_most(server, invite, drain):
    dice = random.Random(20)
    with Forge(server.port, connections=2) as forge:
        killer = Killer(server, forge)
        for number in range(6):
            before = len(server.messages)
            invite(*addresses(number, many=20))
            step = dice.choice(("MAIL", "DATA", "content", "connect"))
            server.before = {step: killer.strike}
            killer.round(dice.randrange(5) if step != "connect" else 0)
            server.before = {}
            recover(drain)
            assert 20 <= len(server.messages) - before <= 22
    for email, message_id in Delivery.objects.values_list("invitation__email", "message_id"):
        assert server.ids(email) == {message_id}


@contextlib.contextmanager
def held():
    """Nobody else can write down what became of a message; whoever waited to do so is dead at the end."""
    with _sqlite_held() if connection.vendor == "sqlite" else _postgresql_held():
        yield


@contextlib.contextmanager
def _sqlite_held():
    with contextlib.closing(
        # The server's hooks come in whatever thread is free.
        sqlite3.connect(
            connection.settings_dict["NAME"], isolation_level=None, timeout=10, check_same_thread=False
        )
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def _postgresql_held():
    import psycopg

    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], port=settings["PORT"] or None
    ) as other:
        other.execute("SELECT id FROM guestlist_delivery FOR UPDATE")
        yield
        # A statement that had reached the database would be carried out though its client is dead.
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database() AND pid <> pg_backend_pid()"
        )
