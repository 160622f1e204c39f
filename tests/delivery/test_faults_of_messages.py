"""Faults that concern one message: the others go on, and the row says what the server said."""

import time
from collections import Counter
from itertools import pairwise

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from guestlist.actions.mail import new_notice, owe
from guestlist.delivery import pace
from guestlist.models import Delivery, Event, Invitation, Organization
from guestlist.models.delivery import Kind
from guestlist.models.mail_queue import MailQueue
from tests.delivery.conftest import states
from tests.delivery.script import AtMost, Drop, Silence, after_messages, in_turn, let_time_pass, to

pytestmark = pytest.mark.django_db
GREY = "450 4.2.0 Greylisted, come back in 5 minutes"


def row(email):
    return Delivery.objects.get(invitation__email=email)


def is_failing():
    return MailQueue.objects.exclude(failing_since=None).exists()


@pytest.mark.parametrize("words", [GREY, "451 4.7.1 Greylisting in action"])
def test_a_grey_listed_address_waits_and_gets_one_message(server, invite, drain, words):
    server.at["RCPT"] = to({"grey@acme.test": words})
    invite("a@acme.test", "grey@acme.test", "b@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "grey@acme.test": "deferred", "b@acme.test": "sent"}
    grey = row("grey@acme.test")
    assert words in grey.detail
    assert grey.attempts == 1
    assert grey.next_at > timezone.now()
    assert not is_failing()
    server.at.clear()
    let_time_pass()
    drain()
    assert row("grey@acme.test").state == "sent"
    assert server.recipients == Counter(["a@acme.test", "b@acme.test", "grey@acme.test"])


def test_each_attempt_is_in_the_history_with_the_words_of_the_server(server, invite, drain):
    server.at["RCPT"] = in_turn(GREY, "452 4.2.2 Mailbox full")
    invite("grey@acme.test")
    for _ in range(3):
        drain()
        let_time_pass()
    first, second, third = row("grey@acme.test").history
    assert (first["state"], first["attempt"]) == ("deferred", 1)
    assert GREY in first["detail"]
    assert (second["state"], second["attempt"]) == ("deferred", 2)
    assert "452 4.2.2 Mailbox full" in second["detail"]
    assert (third["state"], third["attempt"]) == ("sent", 3)
    assert first["at"] < second["at"] < third["at"]
    assert all(0 <= entry["seconds"] < 5 for entry in (first, second, third))


def test_the_wait_grows_with_each_attempt(server, invite, drain):
    server.at["RCPT"] = GREY
    invite("grey@acme.test")
    waits = []
    for _ in range(6):
        drain()
        waits.append((row("grey@acme.test").next_at - timezone.now()).total_seconds())
        let_time_pass()
    assert row("grey@acme.test").attempts == 6
    assert all(later > earlier * 1.3 for earlier, later in pairwise(waits)), waits


def test_what_was_deferred_together_does_not_come_back_together(server, invite, drain):
    server.at["RCPT"] = GREY
    invite(*(f"p{n}@acme.test" for n in range(20)))
    before = time.time()
    drain()
    took = time.time() - before
    due = sorted(Delivery.objects.values_list("next_at", flat=True))
    assert len(set(due)) == 20
    assert (due[-1] - due[0]).total_seconds() > 0.05
    assert took < 5


def test_an_address_that_is_refused_fails_alone_with_an_event(server, invite, drain, organization):
    server.at["RCPT"] = to({"gone@acme.test": "550 5.1.1 <gone@acme.test>: no such user here"})
    invite("a@acme.test", "gone@acme.test", "b@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "gone@acme.test": "failed", "b@acme.test": "sent"}
    gone = row("gone@acme.test")
    assert "550 5.1.1 <gone@acme.test>: no such user here" in gone.detail
    assert (gone.attempts, gone.next_at) == (1, None)
    assert gone.invitation.status == "pending"
    event = Event.objects.get(organization=organization, type="invitation.failed")
    assert event.subject_name == "gone@acme.test"
    let_time_pass()
    drain()
    assert len([m for m in server.steps("RCPT") if m.recipient == "gone@acme.test"]) == 1
    assert not is_failing()


@pytest.mark.parametrize("words", ["552 5.2.2 Mailbox full", "554 5.7.1 Looks like spam", "550 5.7.1 No"])
def test_a_message_refused_after_its_content_fails_alone(server, invite, drain, words):
    server.at["content"] = to({"full@acme.test": words})
    invite("a@acme.test", "full@acme.test", "b@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "full@acme.test": "failed", "b@acme.test": "sent"}
    assert words in row("full@acme.test").detail
    assert Event.objects.filter(type="invitation.failed").count() == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "content"])
@pytest.mark.parametrize("code", ["450 4.2.1 Not now", "451 4.3.0 Local error", "452 4.3.1 Out of space"])
def test_an_answer_of_4xx_anywhere_defers_that_message(server, invite, drain, step, code):
    # Before RCPT the server does not know yet for whom it is; it is the second message.
    server.at[step] = in_turn(None, code)
    invite("a@acme.test", "b@acme.test", "c@acme.test")
    drain()
    assert Counter(states().values()) == {"sent": 2, "deferred": 1}
    assert code in Delivery.objects.get(state="deferred").detail
    let_time_pass()
    drain()
    assert set(states().values()) == {"sent"}
    assert set(server.recipients.values()) == {1}


@pytest.mark.parametrize("fault", [Drop(), Silence()], ids=["drop", "silence"])
def test_what_ends_after_the_content_may_have_been_delivered(server, invite, drain, fault, monkeypatch):
    monkeypatch.setattr("guestlist.delivery.smtp.MESSAGE_TIMEOUT", 0.5)
    server.at["content"] = to({"b@acme.test": fault})
    invite("a@acme.test", "b@acme.test", "c@acme.test")
    drain()
    assert states() == {"a@acme.test": "sent", "b@acme.test": "deferred", "c@acme.test": "sent"}
    assert "may have been delivered" in row("b@acme.test").detail
    assert not is_failing()
    server.at.clear()
    let_time_pass()
    drain()
    assert row("b@acme.test").state == "sent"
    assert server.recipients == {"a@acme.test": 1, "b@acme.test": 2, "c@acme.test": 1}
    assert len(server.ids("b@acme.test")) == 1


def test_a_message_is_lost_five_times_at_most(server, invite, drain):
    server.at["content"] = to({"b@acme.test": Drop()})
    invite("a@acme.test", "b@acme.test")
    for _ in range(8):
        drain()
        let_time_pass()
    assert server.recipients == {"a@acme.test": 1, "b@acme.test": 5}
    assert len(server.ids("b@acme.test")) == 1
    assert row("b@acme.test").state == "failed"
    assert "may have been delivered" in row("b@acme.test").detail


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_content_repeats_nothing(server, invite, drain, step):
    server.at[step] = in_turn(None, Drop())
    invite("a@acme.test", "b@acme.test", "c@acme.test")
    for _ in range(3):
        drain()
        let_time_pass()
    assert set(states().values()) == {"sent"}
    assert set(server.recipients.values()) == {1}
    assert not any("may have been" in entry["detail"] for d in Delivery.objects.all() for entry in d.history)


ODD = {
    "64 kB line": b"250 " + b"x" * 65536 + b"\r\n",
    "64 kB refusal": b"550 " + b"x" * 65536 + b"\r\n",
    "non-ASCII": "550 Postfach voll für ☃\u202e",
    "8-bit": b"554 \xff\xfe\x00\x1b[31m\x80 no\r\n",
    "8-bit deferral": b"451 \xff\xfe\x00\x1b[31m\x80 later\r\n",
    "garbage of many lines": b"".join(b"250-line %d \xff\r\n" % n for n in range(300)) + b"250 done\r\n",
    "endless lines": b"250-x\r\n" * 20_000 + b"250 done\r\n",
    "codes that differ": b"250-one\r\n550 two\r\n",
    "no code": b"what is this?\r\n",
    "unknown code": b"999 what\r\n",
    "empty": b"\r\n",
    "code alone": b"550\r\n",
    "only line feeds": b"550 5.1.1 no\n",
}


@pytest.mark.parametrize("step", ["RCPT", "content"])
@pytest.mark.parametrize("reply", ODD.values(), ids=ODD)
def test_an_odd_reply_harms_one_row_and_no_worker(server, invite, drain, step, reply, monkeypatch):
    monkeypatch.setattr("guestlist.delivery.smtp.MESSAGE_TIMEOUT", 2)
    server.at[step] = to({"odd@acme.test": reply})
    invite("a@acme.test", "odd@acme.test", "b@acme.test")
    for _ in range(3):
        drain()
        let_time_pass()
    assert states()["a@acme.test"] == states()["b@acme.test"] == "sent"
    assert {server.recipients[f"{name}@acme.test"] for name in "ab"} == {1}
    odd = row("odd@acme.test")
    assert odd.state in ("sent", "deferred", "failed")
    assert len(odd.detail) <= 500
    assert all(len(entry["detail"]) <= 500 for entry in odd.history)
    assert not set(odd.detail) & set("\x00\x1b\r\n\u202e\ufffe")
    refused = isinstance(reply, str) or reply[:3] in (b"550", b"554")
    # A line too long to be read may be an answer of any kind.
    assert odd.state == "failed" or not refused or len(reply) > 60_000


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one by one"])
@pytest.mark.parametrize("lax", [True, False], ids=["354 for nobody", "strict"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_after_a_refusal_the_next_message_starts_anew(server, invite, drain, pipelining, lax, step):
    server.capabilities = ("PIPELINING",) if pipelining else ()
    server.asks_for_content_of_nothing = lax
    server.at[step] = in_turn(None, GREY, GREY)
    emails = [f"p{n}@acme.test" for n in range(6)]
    invite(*emails)
    drain()
    assert Counter(states().values()) == {"sent": 4, "deferred": 2}
    assert {GREY in row.detail for row in Delivery.objects.filter(state="deferred")} == {True}
    let_time_pass()
    drain()
    assert server.recipients == Counter(emails)
    for message in server.messages:
        assert f"To: {message.recipient}\r\n".encode() in message.content


def test_a_message_that_cannot_be_built_fails_at_once_and_alone(server, invite, drain):
    invite("a@acme.test", "poison@acme.test", "b@acme.test")
    # Django's mailer would send this to another address.
    Invitation.objects.filter(email="poison@acme.test").update(email="poison@acme.test,\nother@acme.test")
    drain()
    assert Counter(states().values()) == {"sent": 2, "failed": 1}
    assert server.recipients == {"a@acme.test": 1, "b@acme.test": 1}
    failed = Delivery.objects.get(state="failed")
    assert "could not be built" in failed.detail
    assert len(failed.history) == 1
    let_time_pass()
    drain()
    assert server.recipients == {"a@acme.test": 1, "b@acme.test": 1}


def test_a_template_that_breaks_on_one_message_stops_no_other(server, invite, drain, organization, alice):
    locked = Organization.objects.annotate(now=Now()).get(pk=organization.pk)
    owe([new_notice(locked, Kind.DIGEST, alice.email, {"expired": 5, "bounced": "what?", "failed": None})])
    invite("a@acme.test", "b@acme.test")
    drain()
    assert states() == {None: "failed", "a@acme.test": "sent", "b@acme.test": "sent"}
    assert "could not be built" in Delivery.objects.get(kind="digest").detail


def test_a_line_break_in_a_name_makes_no_header(server, invite, drain, organization):
    invite("a@acme.test", "b@acme.test")
    broken = "North\r\nBcc: mallory@evil.test"
    Organization.objects.update(name=broken)
    Invitation.objects.update(invited_by_name=broken)
    drain()
    assert set(states().values()) <= {"sent", "failed"}
    for message in server.messages:
        assert b"\nBcc:" not in message.content
    assert {moment.recipient for moment in server.steps("RCPT")} <= {"a@acme.test", "b@acme.test"}


def test_a_server_that_limits_messages_per_connection_is_connected_to_again(server, invite, drain):
    server.at["MAIL"] = after_messages(20, "421 4.7.0 Too many messages on this connection")
    emails = [f"p{n}@acme.test" for n in range(90)]
    invite(*emails)
    for _ in range(4):
        drain()
        let_time_pass()
    assert server.recipients == Counter(emails)
    assert set(states().values()) == {"sent"}
    assert not is_failing()
    assert server.connections <= 20


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "content"])
def test_a_server_that_limits_the_rate_gets_everything_in_the_end(server, invite, drain, step, monkeypatch):
    monkeypatch.setattr(pace, "_REST", 0.2)
    server.at[step] = rate = AtMost(50, 0.25)
    emails = [f"p{n}@acme.test" for n in range(500)]
    invite(*emails)
    deadline = time.monotonic() + 30
    while Delivery.objects.owed().exists() and time.monotonic() < deadline:
        drain()
        let_time_pass()
        time.sleep(0.1)
    assert server.recipients == Counter(emails)
    assert not is_failing()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert rate.refused < 500
