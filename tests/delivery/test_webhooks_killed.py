"""`kill -9` of a worker in the middle of a call: nothing is lost, and a repeat is known by its id."""

import os
import signal
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from guestlist.models import WebhookDelivery
from tests.delivery.killable import Forge
from tests.delivery.webhook_script import call_due, pass_time, states

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


def stop(pid):
    """Every thread of it."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    while not all(
        task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()
    ):
        time.sleep(0.001)


@pytest.fixture
def forge(server):
    with Forge(server.port) as forge:
        yield forge


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after the answer"])
def test_a_worker_killed_in_the_middle_of_a_call_makes_it_again(receiver, webhook, invite, forge, answered):
    known, killed = threading.Event(), []
    victim = ""

    def answer(call, wire):
        if call.email == victim and not killed:
            assert known.wait(10)
            if answered:
                # The worker has no time to read it: it is stopped first.
                stop(pid)
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            killed.append(call)
            os.kill(pid, signal.SIGKILL)
            return None
        return 200

    receiver.answer = answer
    victims = {}
    for number in range(ROUNDS):
        emails = [f"p{n}@round{number}.test" for n in range(3)]
        victim = emails[number % 3]
        known.clear()
        killed.clear()
        invite(*emails)
        pid = forge.start()
        known.set()
        assert forge.wait() == -signal.SIGKILL
        [call] = killed
        victims[call.id] = call
        assert call_due() == 0  # the dead worker’s lease still holds
        pass_time(timedelta(seconds=61))
        assert call_due() == 3 - number % 3
        assert set(states()) == {"delivered"}
    counts = Counter(call.id for call in receiver.calls)
    assert counts == {
        row.message_id: 1 + (row.message_id in victims) for row in WebhookDelivery.objects.all()
    }
    for call in receiver.taken:
        if call.id in victims:
            assert call.body == victims[call.id].body
    for row in WebhookDelivery.objects.filter(attempts=2):
        assert [bool(entry.get("interrupted")) for entry in row.history] == [True, False]
    assert [call.email for call in receiver.taken] == [
        f"p{n}@round{number}.test" for number in range(ROUNDS) for n in range(3)
    ]
