"""Pending invitations are brought to mind, each time once, and never after they have ended."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist.actions import reminders
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.invitations import resend_invitation, revoke_invitation
from guestlist.actions.reminders import first_reminder, plan_reminders, remind_due
from guestlist.actions.suppressions import unsubscribe
from guestlist.actors import Actor
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Organization
from guestlist.models.delivery import State
from guestlist.models.invitation import NEVER
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def invitation(organization, alice):
    """Jane's, whose mail was sent."""
    send(organization, alice, "jane@acme.test")
    Delivery.objects.update(state=State.SENT, next_at=None)
    return Invitation.objects.get()


def pass_time(wait):
    """Everything about the invitations is that much longer ago."""
    Invitation.objects.exclude(expires_at=NEVER).update(expires_at=F("expires_at") - wait)
    Invitation.objects.update(
        invited_at=F("invited_at") - wait,
        last_sent_at=F("last_sent_at") - wait,
        remind_at=F("remind_at") - wait,
    )


def planned():
    """How many days after the last mail the next reminder comes."""
    row = Invitation.objects.get()
    return row.remind_at and (row.remind_at - row.last_sent_at) / DAY


def mails(kind="reminder"):
    return list(Delivery.objects.filter(kind=kind).order_by("pk"))


def reminded():
    return Event.objects.filter(type="invitation.reminded").count()


def test_the_first_reminder_is_planned_with_the_mail(invitation):
    assert planned() == 3


def test_nothing_comes_before_its_time(invitation):
    pass_time(3 * DAY - timedelta(minutes=1))
    assert remind_due() == 0
    assert not mails()


def test_a_reminder_is_owed_once_and_changes_nothing_else(invitation):
    pass_time(3 * DAY)
    before = Invitation.objects.get()
    assert remind_due() == 1
    assert remind_due() == 0
    (reminder,) = mails()
    row = Invitation.objects.get()
    assert (reminder.state, reminder.key, reminder.invitation_id) == ("queued", "jane@acme.test", row.pk)
    assert row.delivery_id == reminder.pk
    for name in ("expires_at", "last_sent_at", "sent_count", "invited_at", "status"):
        assert getattr(row, name) == getattr(before, name)
    event = Event.objects.get(type="invitation.reminded")
    assert (event.actor_type, event.subject_name) == ("system", "jane@acme.test")


def test_the_second_follows_the_first_and_is_the_last(invitation):
    pass_time(3 * DAY)
    remind_due()
    assert planned() == 6
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)
    assert remind_due() == 1
    assert planned() is None
    assert len(mails()) == reminded() == 2
    pass_time(timedelta(hours=12))
    assert remind_due() == 0


def test_what_was_missed_is_made_up_for_once(invitation):
    pass_time(6 * DAY + timedelta(hours=1))
    assert remind_due() == 1
    assert planned() is None


def test_two_reminders_never_come_close_together(invitation):
    pass_time(6 * DAY - timedelta(hours=1))
    assert remind_due() == 1
    assert planned() is None


def test_no_reminder_comes_right_before_the_end(invitation):
    pass_time(7 * DAY - timedelta(hours=5))
    assert remind_due() == 0
    assert planned() is None
    assert not mails()


@pytest.mark.parametrize(
    ("days", "lifetime", "first"),
    [
        ([3, 6], timedelta(days=7), 3),
        ([6, 3], timedelta(days=7), 3),
        ([7], timedelta(days=7), None),
        ([6], timedelta(days=6, hours=12), 6),
        ([6], timedelta(days=6, hours=11), None),
        ([3, 6], timedelta(hours=36), None),
        ([1], timedelta(hours=36), 1),
        ([], timedelta(days=7), None),
        ([60], None, 60),
    ],
)
def test_the_first_day_that_leaves_time_to_answer_is_taken(invitation, organization, days, lifetime, first):
    organization.reminder_days = days
    expires_at = NEVER if lifetime is None else invitation.last_sent_at + lifetime
    at = first_reminder(organization, invitation.last_sent_at, expires_at)
    assert at == (first and invitation.last_sent_at + first * DAY)
    # The one statement for all rows says the same.
    Invitation.objects.update(expires_at=expires_at)
    plan(organization, days)
    assert planned() == first


def plan(organization, days):
    Organization.objects.update(reminder_days=days)
    plan_reminders(Organization.objects.lock(organization.pk))


def test_other_days_hold_for_what_is_pending(invitation, organization, django_assert_num_queries):
    pass_time(4 * DAY)
    plan(organization, [2, 5])
    assert planned() == 5
    plan(organization, [2])
    assert planned() is None
    locked = Organization.objects.lock(organization.pk)
    with django_assert_num_queries(1):
        plan_reminders(locked)


def test_other_days_bring_back_nothing_that_has_ended(invitation, organization, alice):
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    plan(organization, [3])
    assert planned() is None


def test_resending_starts_the_days_anew(invitation, organization, alice):
    pass_time(3 * DAY)
    remind_due()
    resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    assert planned() == 3
    assert [mail.state for mail in mails()] == ["canceled"]


@pytest.mark.parametrize("state", [State.BOUNCED, State.COMPLAINED, State.FAILED])
def test_mail_that_came_back_is_followed_by_none(invitation, state):
    Delivery.objects.update(state=state)
    pass_time(3 * DAY)
    assert remind_due() == 0
    assert planned() is None
    assert not mails()


@pytest.mark.parametrize("state", [State.QUEUED, State.DEFERRED])
def test_mail_that_has_not_left_is_waited_for(invitation, state):
    Delivery.objects.update(state=state, next_at=F("created_at"))
    pass_time(3 * DAY)
    assert remind_due() == 0
    assert not mails()
    Delivery.objects.update(state=State.DELIVERED, next_at=None)
    pass_time(timedelta(hours=1))
    assert remind_due() == 1


def test_who_wants_no_mail_is_not_reminded(invitation):
    unsubscribe(actor=Actor("invitee"), invitation=invitation)
    pass_time(3 * DAY)
    assert remind_due() == 0
    assert planned() is None


def test_nobody_is_reminded_while_email_is_not_configured(invitation, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    pass_time(3 * DAY)
    assert remind_due() == 0
    assert planned() == 3


def test_the_end_of_an_invitation_cancels_its_reminder(invitation, organization, alice):
    pass_time(3 * DAY)
    remind_due()
    user = make_user("jane@acme.test", "Jane")
    found = find_invitation(token=invitation_token(invitation.nonce, invitation.pk))
    accept_invitation(actor=actor_of(user), invitation=found)
    assert [mail.state for mail in mails()] == ["canceled"]
    pass_time(3 * DAY)
    assert remind_due() == 0


def test_many_are_reminded_with_few_statements(organization, alice, django_assert_max_num_queries):
    send(organization, alice, ",".join(f"p{i}@acme.test" for i in range(300)))
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)
    with django_assert_max_num_queries(16):
        assert remind_due() == 300
    assert {row.delivery.kind for row in Invitation.objects.select_related("delivery")} == {"reminder"}
    assert all(row.delivery.invitation_id == row.pk for row in Invitation.objects.select_related("delivery"))


def test_a_round_has_an_end(organization, alice, monkeypatch):
    send(organization, alice, ",".join(f"p{i}@acme.test" for i in range(5)))
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)
    assert [remind_due(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert reminders.BATCH == 1_000
