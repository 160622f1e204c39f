"""Reports: what each one changes, and what none of them may hide."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from guestlist.actions.invitations import revoke_invitation
from guestlist.actions.mail import new_notice, owe, tell_managers
from guestlist.actions.reports import note_report
from guestlist.models import Delivery, Event, Invitation, Organization
from guestlist.models.delivery import Kind
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of

REPORTED = ("invitation.delivered", "invitation.bounced", "invitation.complained")


@pytest.fixture
def mail(organization, alice):
    """A message that the mail server took, of an invitation that would be brought to mind."""
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Delivery.objects.update(state="sent", next_at=None, attempts=1)
    Invitation.objects.update(remind_at=Now())
    return row.delivery


def report(mail, outcome, detail="", *, hard=False, **values):
    known = note_report(delivery_id=mail.pk, outcome=outcome, detail=detail, hard=hard, **values)
    mail.refresh_from_db()
    mail.invitation and mail.invitation.refresh_from_db()
    return known


def events():
    return list(Event.objects.filter(type__in=REPORTED).order_by("number").values_list("type", flat=True))


def test_what_nobody_knows_changes_nothing(mail):
    before = Delivery.objects.values().get()
    unknown = ({"delivery_id": uuid4()}, {"provider_id": "x"}, {"provider_id": ""}, {"provider_id": "\0"})
    for values in unknown:
        assert note_report(**values, outcome="bounced", detail="", hard=True) is False
    assert Delivery.objects.values().get() == before
    assert events() == []


def test_a_delivered_message_is_said_to_be(mail):
    assert report(mail, "delivered", "250 OK")
    assert (mail.state, mail.detail, mail.hard) == ("delivered", "250 OK", False)
    assert mail.history[-1]["state"] == "delivered"
    assert mail.invitation.remind_at is not None
    assert events() == ["invitation.delivered"]


def test_a_bounce_ends_the_reminders_and_will_be_in_the_digest(mail):
    assert report(mail, "bounced", "550 5.1.1 no such user", hard=True)
    assert (mail.state, mail.hard) == ("bounced", True)
    assert {"state": "bounced", "detail": "550 5.1.1 no such user", "attempt": 1}.items() <= mail.history[
        -1
    ].items()
    assert mail.invitation.status == "pending"
    assert mail.invitation.remind_at is None
    assert mail.invitation.unreported_at is not None
    event = Event.objects.get(type="invitation.bounced")
    assert (event.actor_type, event.door, event.subject_name) == ("system", "worker", "jane@acme.test")
    assert event.changes == {"delivery": ["sent", "bounced"], "detail": [None, "550 5.1.1 no such user"]}


def test_a_complaint_ends_the_reminders_and_marks_the_address(mail):
    report(mail, "complained", "abuse")
    assert (mail.state, mail.hard) == ("complained", True)
    assert mail.invitation.remind_at is None
    assert mail.invitation.unreported_at is None
    assert events() == ["invitation.complained"]


def test_an_invitation_that_has_ended_is_not_in_the_digest(organization, alice, mail):
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=mail.invitation_id)
    report(mail, "bounced", "550", hard=True)
    assert mail.state == "bounced"
    assert mail.invitation.unreported_at is None


@pytest.mark.parametrize(
    ("first", "late", "state"),
    [
        ("bounced", "delivered", "bounced"),
        ("complained", "delivered", "complained"),
        ("complained", "bounced", "complained"),
        ("delivered", "delayed", "delivered"),
        ("bounced", "delayed", "bounced"),
        ("delivered", "delivered", "delivered"),
        ("bounced", "bounced", "bounced"),
        ("complained", "complained", "complained"),
    ],
)
def test_a_late_or_repeated_report_changes_nothing(mail, first, late, state):
    report(mail, first, "first")
    before = Delivery.objects.values().get()
    assert report(mail, late, "late")
    assert Delivery.objects.values().get() == before
    assert mail.state == state
    assert events() == [f"invitation.{first}"]


@pytest.mark.parametrize(("first", "then"), [("delivered", "bounced"), ("bounced", "complained")])
def test_bad_news_wins(mail, first, then):
    report(mail, first)
    report(mail, then, "why")
    assert (mail.state, mail.detail) == (then, "why")
    assert events() == [f"invitation.{first}", f"invitation.{then}"]


def test_a_bounce_that_turns_out_to_be_for_good_marks_the_address_without_a_second_event(mail):
    report(mail, "bounced", "452 4.2.2 mailbox full")
    report(mail, "bounced", "550 5.1.1 no such user", hard=True)
    assert (mail.hard, mail.detail) == (True, "550 5.1.1 no such user")
    assert len(mail.history) == 2
    assert events() == ["invitation.bounced"]


def test_delayed_only_adds_to_the_history_and_once(mail):
    for _ in range(2):
        report(mail, "delayed", "451 greylisted")
    assert (mail.state, mail.detail) == ("sent", "451 greylisted")
    assert [entry["state"] for entry in mail.history] == ["deferred"]
    assert mail.invitation.remind_at is not None
    assert events() == []


@pytest.mark.parametrize("outcome", ["delivered", "bounced", "complained"])
@pytest.mark.parametrize("state", ["queued", "deferred"])
def test_what_is_reported_on_has_arrived_somewhere_and_is_not_tried_again(mail, state, outcome):
    Delivery.objects.update(state=state, next_at=Now(), leased_by=uuid4(), leased_until=Now())
    report(mail, outcome)
    assert (mail.state, mail.next_at, mail.leased_by) == (outcome, None, None)
    assert not Delivery.objects.due().exists()


def test_what_is_delayed_stays_owed(mail):
    Delivery.objects.update(state="deferred", next_at=Now())
    report(mail, "delayed", "451 greylisted")
    assert (mail.state, len(mail.history)) == ("deferred", 1)
    assert mail.next_at is not None


def test_what_was_given_up_and_arrived_after_all_is_said_to_be_delivered(mail):
    Delivery.objects.update(state="failed", hard=True)
    report(mail, "delivered")
    assert (mail.state, mail.hard) == ("delivered", False)


def test_a_message_is_found_by_what_the_provider_calls_it(mail):
    Delivery.objects.update(provider_id="<1@provider.test>")
    assert note_report(provider_id="<1@provider.test>", outcome="delivered", detail="", hard=False)
    mail.refresh_from_db()
    assert mail.state == "delivered"


def test_the_servers_words_are_one_line_that_hides_nothing(mail):
    report(mail, "bounced", "550 no\r\n\x1b]0;x\x07 \u202esuch\x00 user " + "x" * 5_000)
    assert mail.detail.startswith("550 no ]0;x such user xxx")
    assert mail.detail.isprintable()
    assert len(mail.detail) == 500


@pytest.mark.parametrize("at", [datetime(2999, 1, 1, tzinfo=UTC), None])
def test_no_report_is_from_the_future(organization, mail, at):
    report(mail, "delivered", at=at)
    now = Organization.objects.annotate(now=Now()).get(pk=organization.pk).now
    assert now - timedelta(seconds=10) < mail.at <= now


def test_the_reported_time_counts(mail):
    report(mail, "bounced", at=datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001  (as a provider may write it)
    assert mail.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert mail.history[-1]["at"] == "2026-03-01T12:00:00Z"


def test_the_history_keeps_the_newest_twenty(mail):
    for number in range(25):
        report(mail, "delayed", f"451 try {number}")
    assert [entry["detail"] for entry in mail.history] == [f"451 try {number}" for number in range(5, 25)]


def test_mail_to_managers_has_a_state_and_no_event(organization, alice, mail):
    tell_managers(organization_now(organization), mail.invitation, Kind.DECLINED)
    owe([new_notice(organization_now(organization), Kind.DIGEST, "alice@northwind.test", {})])
    for other in Delivery.objects.exclude(pk=mail.pk):
        report(other, "bounced", "550 5.1.1", hard=True)
        assert other.state == "bounced"
    mail.invitation.refresh_from_db()
    assert mail.invitation.remind_at is not None
    assert events() == []


def organization_now(organization):
    return Organization.objects.annotate(now=Now()).get(pk=organization.pk)
