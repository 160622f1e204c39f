"""Several workers on one database, while servers and clocks misbehave."""

import os
import signal
import threading
import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from guestlist.actions.deliveries import claim_deliveries
from guestlist.actions.invitations import revoke_invitation
from guestlist.conf import conf
from guestlist.models import Delivery, Invitation
from guestlist.models.mail_queue import MailQueue
from tests.conftest import actor_of, deliver_due
from tests.delivery.conftest import states, workers
from tests.delivery.killable import Forge
from tests.delivery.script import AtMost, Silence, let_time_pass, to

pytestmark = pytest.mark.django_db(transaction=True)


def deliver_until_done():
    """Sends until nothing is due, in one process that stays connected."""
    with workers(1, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists())


def wait_until(true, seconds=20):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, (Counter(states().values()), MailQueue.objects.values().first())
        time.sleep(0.02)


def test_two_workers_send_each_message_once(server, invite):
    emails = [f"p{n}@acme.test" for n in range(300)]
    invite(*emails)
    with workers(2, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists())
    assert server.recipients == Counter(emails)
    assert set(states().values()) == {"sent"}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_message_that_takes_longer_than_the_lease_is_claimed_by_no_other(server, invite, monkeypatch):
    monkeypatch.setattr("guestlist.actions.deliveries.LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr("guestlist.delivery.worker.HEARTBEAT", 0.15)
    slow = threading.Event()
    server.before["content"] = lambda moment: (
        time.sleep(1.5) if moment.recipient == "slow@acme.test" and not slow.is_set() else None,
        slow.set(),
    )
    invite("slow@acme.test", "b@acme.test", "c@acme.test")
    with workers(2, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists())
    assert server.recipients == {"slow@acme.test": 1, "b@acme.test": 1, "c@acme.test": 1}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_whose_clock_is_wrong_takes_nothing_that_another_holds(invite, monkeypatch, hours):
    invite("a@acme.test", "b@acme.test")
    (held,) = claim_deliveries(worker=uuid4(), limit=1)
    real_now, real_time = timezone.now, time.time
    monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(hours=hours))
    monkeypatch.setattr(time, "time", lambda: real_time() + 3600 * hours)
    (other,) = claim_deliveries(worker=uuid4(), limit=50)
    assert other.pk != held.pk
    assert claim_deliveries(worker=uuid4(), limit=50) == []


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_neither_delays_nor_hastens_what_is_due(server, invite, drain, monkeypatch, hours):
    server.at["RCPT"] = to({"grey@acme.test": "450 4.2.0 Greylisted"})
    real_now, real_time = timezone.now, time.time
    invite("grey@acme.test", "a@acme.test")
    monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(hours=hours))
    monkeypatch.setattr(time, "time", lambda: real_time() + 3600 * hours)
    drain()
    assert states() == {"grey@acme.test": "deferred", "a@acme.test": "sent"}
    grey = Delivery.objects.get(state="deferred")
    assert timedelta(0) < grey.next_at - real_now() < timedelta(minutes=5)
    for _ in range(3):
        drain()
    assert len([moment for moment in server.steps("RCPT") if moment.recipient == "grey@acme.test"]) == 1


def test_while_one_message_hangs_the_others_go_out_and_people_go_on(
    server, invite, organization, alice, monkeypatch
):
    monkeypatch.setattr("guestlist.delivery.smtp.MESSAGE_TIMEOUT", 3)
    server.at["content"] = to({"slow@acme.test": Silence()})
    invite("slow@acme.test")
    others = [f"p{n}@acme.test" for n in range(100)]
    browser = Client()
    browser.force_login(alice)
    with workers(2, poll=0.05):
        wait_until(lambda: "slow@acme.test" in server.recipients)
        started = time.monotonic()
        invite(*others)
        wait_until(lambda: sum(server.recipients.values()) >= 101)
        took = time.monotonic() - started
        pages = []
        for number in range(10):
            began = time.monotonic()
            invite(f"later{number}@acme.test")
            answer = browser.get(f"/o/{organization.slug}/admin/invitations")
            pages.append(time.monotonic() - began)
            assert answer.status_code == 200
        assert took < 2.5
        # Whoever waited for the one that hangs would have waited for three seconds.
        assert sorted(pages)[8] < 1.5
        wait_until(lambda: states()["slow@acme.test"] == "deferred")
        wait_until(lambda: Counter(states().values())["sent"] == 110)
    assert "may have been delivered" in Delivery.objects.get(state="deferred").detail
    assert all(server.recipients[email] == 1 for email in others)


def test_the_pace_that_a_server_allows_is_kept(server, invite):
    server.at["RCPT"] = rate = AtMost(25, 0.25)
    emails = [f"p{n}@acme.test" for n in range(150)]
    invite(*emails)
    with workers(1, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists(), seconds=60)
    assert server.recipients == Counter(emails)
    assert set(states().values()) == {"sent"}
    assert 0 < rate.refused < 30


def test_a_server_with_room_for_one_connection_gets_everything(server, invite):
    open_now = lambda moment: "421 4.7.0 Too many connections" if server.open > 1 else None  # noqa: E731
    server.at["connect"] = open_now
    emails = [f"p{n}@acme.test" for n in range(200)]
    invite(*emails)
    with workers(1, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists(), seconds=30)
    assert server.recipients == Counter(emails)
    assert set(states().values()) == {"sent"}


def test_a_worker_that_is_stopped_finishes_its_message_and_gives_the_rest_back(server, invite):
    begun = threading.Event()
    server.before["content"] = lambda _: (begun.set(), time.sleep(0.3))
    invite(*(f"p{n}@acme.test" for n in range(20)))
    with workers(1, poll=0.05):
        assert begun.wait(10)
    done = Counter(states().values())
    assert done["sent"] == len(server.messages) >= 1
    assert done["queued"] == 20 - done["sent"] > 0
    assert not Delivery.objects.owed().exclude(leased_by=None).exists()
    assert set(Delivery.objects.filter(state="queued").values_list("attempts", flat=True)) == {0}


def test_mail_that_is_revoked_while_another_message_hangs_is_not_sent(
    server, invite, organization, alice, settings
):
    revoked = []

    def hang(moment):
        if moment.number == 40 and not revoked:
            ids = Delivery.objects.owed().exclude(invitation__email=moment.recipient)
            revoked.extend(ids.values_list("invitation__email", flat=True))
            for pk in ids.values_list("invitation_id", flat=True):
                revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=pk)
            connections.close_all()
            time.sleep(1)

    server.before["content"] = hang
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_CONNECTIONS": 1}
    invite(*(f"p{n}@acme.test" for n in range(60)))
    deliver_until_done()
    assert len(revoked) == 19
    assert not set(revoked) & set(server.recipients)
    assert Counter(states().values()) == {"sent": 41, "canceled": 19}


def test_a_worker_that_slept_longer_than_its_lease_sends_nothing_again(server, invite, drain):
    asleep = threading.Event()
    with Forge(server.port) as forge:

        def sleep(moment):
            if moment.number == 40 and not asleep.is_set():
                os.kill(pid, signal.SIGSTOP)
                asleep.set()

        server.before["MAIL"] = sleep
        invite(*(f"p{n}@acme.test" for n in range(60)))
        pid = forge.start()
        assert asleep.wait(20)
        let_time_pass()
        drain()
        assert set(states().values()) == {"sent"}
        time.sleep(1.5)  # a lease is much longer
        os.kill(pid, signal.SIGCONT)
        time.sleep(1)
        os.kill(pid, signal.SIGKILL)
        forge.wait()
    twice = [email for email, times in server.recipients.items() if times > 1]
    # Those whose turn it was when the worker fell asleep were on their way, one on each connection.
    assert len(twice) <= conf().email_connections
    assert all(len(server.ids(email)) == 1 for email in twice)


def test_mail_of_a_deleted_invitation_is_not_sent_and_harms_nothing(server, invite):
    invite("gone@acme.test", "a@acme.test")
    gone = threading.Event()

    def delete(moment):
        if not gone.is_set():
            gone.set()
            Delivery.objects.filter(invitation__email="a@acme.test").delete()
            Invitation.objects.filter(email="a@acme.test").delete()
            connection.close()

    server.before["connect"] = delete
    with workers(1, poll=0.05):
        wait_until(lambda: not Delivery.objects.owed().exists())
    assert server.recipients == {"gone@acme.test": 1}


def test_an_idle_worker_hears_at_once_of_what_is_committed(server, invite):
    with workers(1, poll=0.05):
        invite("first@acme.test")
        wait_until(lambda: server.messages)
        times = []
        for number in range(5):
            began = time.monotonic()
            invite(f"p{number}@acme.test")
            wait_until(lambda number=number: len(server.messages) == number + 2)
            times.append(time.monotonic() - began)
    assert sorted(times)[2] < 0.5, times


def test_a_killed_lease_is_taken_over_by_the_next_worker(server, invite):
    invite("a@acme.test")
    claim_deliveries(worker=uuid4(), limit=1)
    assert deliver_due(uuid4()) == 0
    let_time_pass()
    assert deliver_due(uuid4()) == 1
    assert server.recipients == {"a@acme.test": 1}
