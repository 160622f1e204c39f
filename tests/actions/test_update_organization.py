"""How an organization's mail is: who may set it, what may be set, and tests of it."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist import errors
from guestlist.actions.mail_settings import parse_reminder_days
from guestlist.actions.organizations import send_test, update_mail_settings, update_organization
from guestlist.actors import Actor
from guestlist.models import ApiKey, Delivery, Event, Invitation, Membership, Organization
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of

USUAL = {"language": "", "reminder_days": "3, 6", "digests": True}


def update(organization, user, **values):
    return update_organization(actor=actor_of(user), organization=organization, **values)


def update_mail(organization, user, **values):
    return update_mail_settings(actor=actor_of(user), organization=organization, **USUAL | values)


def events():
    return list(Event.objects.filter(type="organization.updated").values_list("changes", flat=True))


def test_who_may_not(organization, charlie, mallory, dora):
    with pytest.raises(errors.NotAllowed, match="Organization: Update"):
        update(organization, charlie, accent="#ff0000")
    with pytest.raises(errors.NotAllowed, match="Organization: Update"):
        update_mail(organization, charlie, digests=False)
    for stranger in (mallory, dora):
        with pytest.raises(errors.NotFound):
            update(organization, stranger, accent="#ff0000")
        with pytest.raises(errors.NotFound):
            update_mail(organization, stranger, digests=False)
    row = Organization.objects.get()
    assert (row.accent, row.digests) == ("", True)
    assert events() == []


def test_the_event_holds_what_changed_and_nothing_else(organization, bob):
    update(organization, bob, accent=" #FF8800 ", name=" North  wind ")
    update_mail(organization, bob, reminder_days="6 2, 2")
    assert events() == [
        {"accent": ["", "#ff8800"], "name": ["Northwind", "North wind"]},
        {"reminder_days": [[3, 6], [2, 6]]},
    ]
    event = Event.objects.filter(type="organization.updated").last()
    assert (event.actor_name, event.subject_name) == ("Bob Baker", "North wind")
    row = Organization.objects.get()
    assert (row.accent, row.language, row.reminder_days, row.digests) == ("#ff8800", "", [2, 6], True)


def test_nothing_changed_is_no_event(organization, alice):
    update(organization, alice)
    update(organization, alice, name="Northwind", slug="northwind", accent="")
    update_mail(organization, alice, reminder_days="6,3")
    assert events() == []


def test_pending_invitations_follow_new_days_at_once(organization, alice):
    send(organization, alice, "vera@acme.test")
    sent_at = Invitation.objects.get().invited_at
    update_mail(organization, alice, reminder_days="2")
    assert Invitation.objects.get().remind_at == sent_at + timedelta(days=2)
    update_mail(organization, alice, reminder_days="")
    assert Invitation.objects.get().remind_at is None


def test_everything_can_be_switched_off(organization, alice):
    update_mail(organization, alice, reminder_days=" , ", digests=False)
    row = Organization.objects.get()
    assert (row.reminder_days, row.digests) == ([], False)


@pytest.mark.parametrize("accent", ["red", "#fff", "#1234567", "#12345g", "4a47d6", "#4a47d6;x:y"])
def test_a_colour_is_six_digits(organization, alice, accent):
    with pytest.raises(errors.ColourInvalid):
        update(organization, alice, accent=accent)


def test_a_language_is_one_of_the_servers(organization, alice):
    assert update_mail(organization, alice, language="DE").language == "de"
    with pytest.raises(errors.LanguageUnknown, match=r"“xx” here\. Use one of: en, de, ar"):
        update_mail(organization, alice, language="xx")


@pytest.mark.parametrize("text", ["0", "61", "3.5", "-1", "soon", "1,2,3,4,5,6", "999999999999", "²"])
def test_days_that_are_none(text):
    with pytest.raises(errors.ReminderDaysInvalid):
        parse_reminder_days(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [("", []), ("3, 6", [3, 6]), ("60 1;1", [1, 60]), ("٣، ٦", [3, 6]), ("5,4,3,2,1,1", [1, 2, 3, 4, 5])],
)
def test_days_as_people_write_them(text, days):
    assert parse_reminder_days(text) == days


def test_a_test_goes_to_the_verified_address_of_whoever_asks(organization, alice, bob, charlie):
    with pytest.raises(errors.NotAllowed):
        send_test(actor=actor_of(charlie), organization=organization)
    test = send_test(actor=actor_of(bob), organization=organization)
    stored = Delivery.objects.get()
    assert stored == test
    assert (stored.kind, stored.recipient, stored.invitation) == ("test", "bob@northwind.test", None)
    Membership.objects.filter(user=alice).update(email_verified=False)
    with pytest.raises(errors.NoVerifiedAddress):
        send_test(actor=actor_of(alice), organization=organization)


def test_another_test_has_to_wait_a_minute(organization, alice):
    send_test(actor=actor_of(alice), organization=organization)
    with pytest.raises(errors.TooManyTests) as refusal:
        send_test(actor=actor_of(alice), organization=organization)
    assert 0 < refusal.value.values["retry_after"] <= 60
    Delivery.objects.update(created_at=F("created_at") - timedelta(seconds=61))
    send_test(actor=actor_of(alice), organization=organization)
    assert Delivery.objects.count() == 2


def test_keys_and_the_operator_have_no_address_for_a_test(organization, make_key):
    make_key(organization, permissions=("organization.update",))
    key = ApiKey.objects.get()
    for actor in (Actor.operator(), Actor("api_key", str(key.pk), key.name, subject=key)):
        with pytest.raises(errors.NoVerifiedAddress):
            send_test(actor=actor, organization=organization)
