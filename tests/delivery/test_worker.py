"""A worker as a whole: its threads, its leases, and how soon it hears of new mail."""

import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from guestlist.actions import deliveries as actions
from guestlist.actions.deliveries import claim_deliveries, renew_leases
from guestlist.delivery import worker as worker_module
from guestlist.models import Delivery, MailQueue, Tally
from tests.delivery.conftest import states, workers

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(true, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert true()


def test_two_workers_with_several_connections_send_each_message_once(smtp, mailbox, invite, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_CONNECTIONS": 3}
    emails = [f"p{n}@acme.test" for n in range(300)]
    invite(*emails)
    with workers(2):
        wait_until(lambda: set(states().values()) == {"sent"})
    assert Counter(mailbox.addresses) == Counter(emails)
    assert len(mailbox.peers) <= 6
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_worker_hears_of_a_commit_without_looking(smtp, mailbox, invite):
    with workers(poll=30):
        time.sleep(1)  # it has looked, and found nothing
        for n in range(3):
            invite(f"p{n}@acme.test")
            wait_until(lambda n=n: len(mailbox.received) == n + 1, seconds=5)


def test_a_worker_that_takes_longer_than_its_lease_keeps_what_it_holds(invite, monkeypatch):
    invite("slow@acme.test", "next@acme.test")
    me = uuid4()
    held = claim_deliveries(worker=me, limit=1)
    Delivery.objects.filter(leased_by=me).update(leased_until=Now() + timedelta(milliseconds=300))
    renew_leases(worker=me, ids={held[0].pk})
    time.sleep(0.4)
    assert {d.pk for d in claim_deliveries(worker=uuid4(), limit=5)}.isdisjoint({held[0].pk})


def test_heartbeats_outlast_short_leases(smtp, mailbox, invite, monkeypatch):
    """The server takes three seconds for each message; leases last one, and another worker is waiting."""
    monkeypatch.setattr(actions, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(worker_module, "HEARTBEAT", 0.2)
    mailbox.seconds = 3
    invite("a@acme.test")
    with workers(2):
        wait_until(lambda: set(states().values()) == {"sent"})
    assert mailbox.addresses == ["a@acme.test"]
    assert Delivery.objects.get().attempts == 1


def test_outcomes_and_latency_are_counted(smtp, mailbox, invite):
    mailbox.at_rcpt["gone@acme.test"] = "550 5.1.1 No such user"
    invite("a@acme.test", "b@acme.test", "gone@acme.test")
    with workers():
        wait_until(lambda: "queued" not in states().values())
        wait_until(lambda: Tally.objects.filter(name="outcome:failed").exists())
    tallies = dict(Tally.objects.values_list("name", "value"))
    assert (tallies["outcome:sent"], tallies["outcome:failed"]) == (2, 1)
    assert (
        sum(value for name, value in tallies.items() if name.startswith("latency:") and "sum" not in name)
        == 2
    )
    assert 0 < tallies["latency:sum"] < 60


def test_a_worker_that_is_started_tries_at_once_what_was_paused(smtp, mailbox, invite):
    invite("a@acme.test")
    MailQueue.objects.create(
        failing_since=Now(), reason="535", paused_until=Now() + timedelta(hours=1), failures=9
    )
    with workers():
        wait_until(lambda: set(states().values()) == {"sent"})
    assert MailQueue.objects.get().failing_since is None


def test_stopping_ends_the_message_under_way_and_gives_back_the_rest(smtp, mailbox, invite, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_CONNECTIONS": 1}
    mailbox.seconds = 0.5
    invite(*(f"p{n}@acme.test" for n in range(5)))
    with workers():
        wait_until(lambda: mailbox.received)
    assert not Delivery.objects.exclude(leased_by=None).exists()
    counts = Counter(states().values())
    assert counts["sent"] == len(mailbox.received)
    assert counts["queued"] == 5 - len(mailbox.received) > 0
    assert sum(Delivery.objects.values_list("attempts", flat=True)) == len(mailbox.received)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows the values of a statement")
def test_what_is_due_is_found_by_an_index():
    rows = Delivery.objects.due().order_by("next_at", "pk").values_list("pk")[:50]
    text, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {text}", values)
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert "USING INDEX delivery_owed_by_next_at" in plan
