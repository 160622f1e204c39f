"""What time brings comes by itself, once, whatever else fails."""

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.invitations import resend_invitation
from guestlist.delivery import clock as module
from guestlist.delivery.clock import Clock
from guestlist.delivery.rendering import Renderer
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Organization, Quota
from guestlist.models.delivery import Kind, State
from tests.actions.test_expiry import lapse
from tests.actions.test_reminders import DAY, pass_time
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user
from tests.races.test_races import assert_log_has_no_gaps, at_once

ROUNDS = 10


@pytest.mark.django_db
def test_a_tick_expires_reminds_and_tells(organization, alice):
    send(organization, alice, "jane@acme.test, omar@acme.test, anna@acme.test")
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)
    lapse("omar@acme.test", "anna@acme.test")
    Clock().tick()
    assert dict(Invitation.objects.values_list("email", "status")) == {
        "jane@acme.test": "pending",
        "omar@acme.test": "expired",
        "anna@acme.test": "expired",
    }
    assert Delivery.objects.filter(kind=Kind.REMINDER).count() == 1
    Invitation.objects.filter(status="expired").update(unreported_at=Now() - timedelta(hours=1))
    Clock().tick()
    assert Delivery.objects.get(kind=Kind.DIGEST).content["expired"]["count"] == 2


def failing(error):
    def fail():
        raise error

    return fail


@pytest.fixture
def due(organization, alice):
    """A reminder is due."""
    send(organization, alice, "jane@acme.test")
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)


@pytest.mark.django_db
def test_what_fails_is_logged_and_hinders_nothing_else(due, monkeypatch, caplog):
    monkeypatch.setattr(module, "expire_due", failing(RuntimeError("no")))
    with caplog.at_level(logging.WARNING):
        Clock().tick()
    assert "RuntimeError: no" in caplog.text
    assert Delivery.objects.filter(kind=Kind.REMINDER).count() == 1


@pytest.mark.django_db
def test_a_lost_database_is_the_workers_affair_once_everything_was_tried(due, monkeypatch):
    monkeypatch.setattr(module, "expire_due", failing(OperationalError("locked")))
    with pytest.raises(OperationalError, match="locked"):
        Clock().tick()
    assert Delivery.objects.filter(kind=Kind.REMINDER).count() == 1


@pytest.mark.django_db
def test_what_was_used_of_limits_long_ago_is_forgotten_once_an_hour():
    def use(wait):
        Quota.objects.create(subject=f"user:{wait}", starts_at=Now() - wait)

    use(timedelta(hours=1))
    use(timedelta(days=9))
    clock = Clock()
    clock.tick()
    assert Quota.objects.get().subject == "user:1:00:00"
    use(timedelta(days=9))
    clock.tick()
    assert Quota.objects.count() == 2


@pytest.mark.django_db
def test_the_reminders_of_one_send_are_drawn_once(organization, alice):
    send(organization, alice, "jane@acme.test, omar@acme.test")
    Delivery.objects.update(state=State.SENT, next_at=None)
    pass_time(3 * DAY)
    Clock().tick()
    renderer = Renderer()
    mails = Delivery.objects.filter(kind=Kind.REMINDER).select_related("invitation", "organization")
    sent = {renderer.bytes_of(mail) for mail in mails}
    assert len(sent) == 2
    assert len(renderer.forms) == 1
    assert all(renderer.forms.values())


@pytest.mark.django_db(transaction=True)
def test_two_clocks_expire_and_remind_once(organization, alice):
    for number in range(ROUNDS):
        send(organization, alice, f"a{number}@acme.test, b{number}@acme.test")
        Delivery.objects.owed().update(state=State.SENT, next_at=None)
        Invitation.objects.filter(email__startswith=f"b{number}@").update(remind_at=Now())
        lapse(f"a{number}@acme.test")
        at_once(Clock().tick, Clock().tick)
    assert Invitation.objects.filter(status="expired").count() == ROUNDS
    assert Event.objects.filter(type="invitation.expired").count() == ROUNDS
    assert Delivery.objects.filter(kind=Kind.REMINDER).count() == ROUNDS
    assert Event.objects.filter(type="invitation.reminded").count() == ROUNDS
    assert_log_has_no_gaps(organization)


@pytest.mark.django_db(transaction=True)
def test_a_clock_against_who_accepts_and_who_resends_has_one_outcome(organization, alice):
    for number in range(ROUNDS):
        user = make_user(f"v{number}@acme.test", f"V {number}")
        row = send(organization, alice, user.email).outcomes[0].invitation
        Delivery.objects.owed().update(state=State.SENT, next_at=None)
        Invitation.objects.filter(pk=row.pk).update(remind_at=Now())
        found = find_invitation(token=invitation_token(row.nonce, row.pk))
        at_once(
            Clock().tick,
            lambda user=user, found=found: accept_invitation(actor=actor_of(user), invitation=found),
        )
        row.refresh_from_db()
        assert (row.status, row.remind_at) == ("accepted", None)
    assert not Delivery.objects.owed().exists()


@pytest.mark.django_db(transaction=True)
def test_a_clock_against_a_resend_leaves_one_message_to_send(organization, alice):
    for number in range(ROUNDS):
        row = send(organization, alice, f"p{number}@acme.test").outcomes[0].invitation
        Delivery.objects.owed().update(state=State.SENT, next_at=None)
        Invitation.objects.filter(pk=row.pk).update(remind_at=Now())
        again = lambda row=row: resend_invitation(  # noqa: E731
            actor=actor_of(alice), organization=organization, invitation_id=row.pk
        )
        at_once(Clock().tick, again)
        row.refresh_from_db()
        owed = list(Delivery.objects.owed().filter(invitation=row))
        assert [mail.kind for mail in owed] in (["invitation"], ["invitation", "reminder"])
        assert row.delivery_id in {mail.pk for mail in owed}
    assert_log_has_no_gaps(organization)


@pytest.mark.django_db(transaction=True)
def test_two_clocks_write_one_digest(organization, alice):
    send(organization, alice, "jane@acme.test")
    lapse()
    Clock().tick()
    for _ in range(ROUNDS):
        Invitation.objects.update(unreported_at=Now() - timedelta(hours=1))
        Organization.objects.update(digest_at=None)
        at_once(Clock().tick, Clock().tick)
    assert Delivery.objects.filter(kind=Kind.DIGEST).count() == ROUNDS
