"""What is wrong with one organization's mail stops nobody else's; what is wrong with the server stops all."""

import threading

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from guestlist.actions.invitations import send_invitations
from guestlist.actions.mail_queue import JUST_NOW, end_pause, queue_trouble
from guestlist.addresses import parse_items
from guestlist.delivery import lane as lane_module
from guestlist.delivery.lane import Lane, Shared
from guestlist.delivery.streak import MOST_BUSY, MOST_LOST
from guestlist.models import Delivery, MailQueue
from tests.conftest import actor_of
from tests.delivery.conftest import make_due, states
from tests.delivery.faulty import Drop

pytestmark = pytest.mark.django_db


@pytest.fixture
def lane():
    lane = Lane(Shared(), threading.Event())
    yield lane
    lane.close()


@pytest.fixture
def invite_to():
    def invite(organization, user, *emails):
        actor = actor_of(user)
        send_invitations(actor=actor, organization=organization, parsed=parse_items(list(emails)))

    return invite


def drain(lane, times=30):
    for _ in range(times):
        if not lane.deliver_batch():
            break


def bad(answer):
    return lambda moment: answer if "bad" in moment.recipient else None


@pytest.mark.parametrize("answer", [Drop(), "421 4.3.0 Try another day"])
def test_addresses_that_end_the_connection_stop_no_other_organization(
    server, lane, organization, alice, beta, dora, invite_to, answer
):
    server.at["RCPT"] = bad(answer)
    invite_to(organization, alice, *(f"bad{n}@acme.test" for n in range(30)))
    invite_to(beta, dora, *(f"good{n}@acme.test" for n in range(5)))
    drain(lane)
    assert {to for to in server.recipients if to.startswith("good")} == {
        f"good{n}@acme.test" for n in range(5)
    }
    assert queue_trouble() is None


def test_greylisted_addresses_in_a_row_stop_nobody(server, lane, organization, alice, beta, dora, invite_to):
    server.at["RCPT"] = bad("450 4.2.0 Greylisted")
    invite_to(organization, alice, *(f"bad{n}@acme.test" for n in range(2 * MOST_BUSY)))
    invite_to(beta, dora, "good@acme.test")
    drain(lane)
    assert states()["good@acme.test"] == "sent"
    assert queue_trouble() is None


def test_a_server_that_loses_everybodys_messages_is_left_alone(
    server, lane, organization, alice, beta, dora, invite_to
):
    server.at["RCPT"] = Drop()
    invite_to(organization, alice, "a@acme.test", "b@acme.test")
    invite_to(beta, dora, "c@acme.test", "d@acme.test")
    drain(lane)
    assert queue_trouble()
    assert server.connections == MOST_LOST
    assert set(states().values()) == {"deferred"}


def test_nobody_reads_the_address_of_another_organization(server, lane, invite):
    server.at["content"] = lambda moment: f"451 4.3.0 <{moment.recipient}>: out of order"
    invite(*(f"secret{n}@acme.test" for n in range(MOST_BUSY)))
    drain(lane)
    assert "out of order" in queue_trouble().reason
    assert "secret" not in queue_trouble().reason


def test_a_refused_message_is_not_begun_again_and_again(server, lane, invite):
    """Messages that wait behind a refusal of all have not been tried, and their history says so."""
    server.at["MAIL"] = "550 5.7.1 Not your domain"
    invite(*(f"p{n}@acme.test" for n in range(8)))
    for _ in range(11):
        lane.deliver_batch()
        MailQueue.objects.update(paused_until=None)
        make_due()
    server.at.clear()
    drain(lane)
    assert set(states().values()) == {"sent"}
    rows = Delivery.objects.all()
    assert not [entry for row in rows for entry in row.history if entry.get("interrupted")]
    assert queue_trouble() is None


def test_a_lane_outlives_a_database_that_is_away_at_the_wrong_moment(server, lane, invite, monkeypatch):
    server.at["MAIL"] = "550 5.7.1 Not your domain"
    invite("a@acme.test", "b@acme.test")
    real = lane_module.release_deliveries

    def fail(**_):
        raise OperationalError("the database is away")

    monkeypatch.setattr(lane_module, "release_deliveries", fail)
    with pytest.raises(OperationalError):
        lane.deliver_batch()
    assert not lane.holding  # or the heartbeat would keep them for ever
    monkeypatch.setattr(lane_module, "release_deliveries", real)
    server.at.clear()
    lane.deliver_batch()
    assert queue_trouble()
    MailQueue.objects.update(paused_until=None)
    make_due()
    drain(lane)
    assert set(states().values()) == {"sent"}


def test_a_trouble_that_another_worker_found_ends_with_the_first_message(server, lane, invite):
    invite("a@acme.test")
    drain(lane)
    MailQueue.objects.create(failing_since=Now(), reason="down", failures=1)
    invite("b@acme.test")
    drain(lane)
    assert queue_trouble() is None


def test_whoever_keeps_asking_for_another_try_is_heard_once_in_a_while(invite):
    invite("a@acme.test")
    MailQueue.objects.create(
        failing_since=Now(), reason="535", paused_until=Now() + 5 * JUST_NOW, tried_at=Now(), failures=1
    )
    end_pause()
    queue = MailQueue.objects.get()
    assert queue.paused_until == queue.tried_at + JUST_NOW
    MailQueue.objects.update(tried_at=Now() - JUST_NOW)
    end_pause()
    assert MailQueue.objects.get().paused_until is None
