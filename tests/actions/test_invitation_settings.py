"""What an organization sets for its invitations: who may set it, what may be set, and what it does."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation
from guestlist.actions.batches import Selection
from guestlist.actions.invitation_settings import is_allowed, update_invitation_settings
from guestlist.actions.invitations import (
    preview_invitations,
    resend_invitation,
    resend_invitations,
    send_invitations,
)
from guestlist.actions.lifetimes import clean_lifetime
from guestlist.actors import Actor
from guestlist.addresses import parse_addresses
from guestlist.models import Event, Invitation, Membership, Organization, Role
from guestlist.models.invitation import NEVER
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

USUAL = {"lifetime": "", "allowed_domains": "", "denied_domains": "", "new_member_role_id": None}


def update(organization, user, **values):
    return update_invitation_settings(actor=actor_of(user), organization=organization, **USUAL | values)


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


def limited(organization, *permissions):
    """A member whose role has exactly `permissions`."""
    user = make_user("gita@northwind.test", "Gita Green")
    Role.objects.create(organization=organization, name="Settings", permissions=sorted(permissions))
    join(organization, user, "Settings")
    return user


def events():
    return list(Event.objects.filter(type="organization.updated").values_list("changes", flat=True))


def lasts(invitation):
    return invitation.expires_at - invitation.last_sent_at


def expire(**chosen):
    Invitation.objects.filter(**chosen).update(
        invited_at=F("invited_at") - timedelta(days=30), expires_at=F("invited_at") - timedelta(days=1)
    )


def test_who_may_not(organization, charlie, mallory, dora):
    with pytest.raises(errors.NotAllowed, match="Organization: Update"):
        update(organization, charlie, lifetime="36h")
    for stranger in (mallory, dora):
        with pytest.raises(errors.NotFound):
            update(organization, stranger, lifetime="36h")
    assert Organization.objects.get(pk=organization.pk).invitation_lifetime == ""
    assert events() == []


def test_the_event_holds_what_changed_and_nothing_else(organization, bob):
    update(organization, bob, lifetime=" 36H ", allowed_domains="Acme.com, *.acme.com")
    member = role(organization, "Member")
    update(
        organization,
        bob,
        lifetime="36h",
        allowed_domains="acme.com *.acme.com",
        new_member_role_id=str(member.pk),
    )
    assert events() == [
        {"invitation_lifetime": ["", "36h"], "allowed_domains": [[], ["acme.com", "*.acme.com"]]},
        {"new_member_role": [None, "Member"]},
    ]
    row = Organization.objects.get(pk=organization.pk)
    assert (row.invitation_lifetime, row.new_member_role) == ("36h", member)


def test_nothing_changed_is_no_event(organization, alice):
    update(organization, alice)
    assert events() == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        (" Never ", "never"),
        ("1h", "1h"),
        ("007d", "7d"),
        ("3650d", "3650d"),
        ("87600h", "87600h"),
    ],
)
def test_lifetimes(text, kept):
    assert clean_lifetime(text) == kept


@pytest.mark.parametrize(
    "text", ["0h", "0d", "59m", "90m", "3651d", "87601h", "-1d", "1.5d", "7", "d", "7 weeks", "٧d", "9" * 99]
)
def test_lifetimes_that_are_none(text):
    with pytest.raises(errors.LifetimeInvalid, match="from 1 hour to 3,650 days"):
        clean_lifetime(text)


@pytest.mark.parametrize("lifetime", ["36h", "never"])
def test_invitations_last_as_long_as_the_organization_says(organization, alice, lifetime):
    send(organization, alice, "jane@acme.test")
    update(organization, alice, lifetime=lifetime)
    send(organization, alice, "bob@acme.test")
    before, after = Invitation.objects.order_by("pk")
    assert lasts(before) == timedelta(days=7), "pending ones keep what they have"
    assert after.expires_at == NEVER if lifetime == "never" else lasts(after) == timedelta(hours=36)


def test_what_is_said_for_one_invitation_goes_before_the_organizations(organization, alice):
    update(organization, alice, lifetime="never")
    send_invitations(
        actor=actor_of(alice), organization=organization, parsed=parse_addresses("j@acme.test"), lifetime="2D"
    )
    row = Invitation.objects.get()
    assert (lasts(row), row.lifetime) == (timedelta(days=2), "2d")
    assert row.remind_at is None, "three days later it is over"


@pytest.mark.parametrize("action", [send_invitations, preview_invitations])
def test_a_lifetime_that_is_none_sends_nothing(organization, alice, action):
    with pytest.raises(errors.LifetimeInvalid):
        action(
            actor=actor_of(alice),
            organization=organization,
            parsed=parse_addresses("j@acme.test"),
            lifetime="soon",
        )
    assert not Invitation.objects.exists()


def test_reminders_fit_the_lifetime(organization, alice):
    update(organization, alice, lifetime="never")
    send(organization, alice, "jane@acme.test")
    update(organization, alice, lifetime="36h")
    send(organization, alice, "bob@acme.test")
    forever, short = Invitation.objects.order_by("pk")
    assert forever.remind_at == forever.invited_at + timedelta(days=3)
    assert short.remind_at is None


def test_resending_starts_the_same_lifetime_anew(organization, alice):
    for lifetime in ("1h", "2d", "never", ""):
        send_invitations(
            actor=actor_of(alice),
            organization=organization,
            parsed=parse_addresses(f"jane{lifetime}@acme.test"),
            lifetime=lifetime,
        )
    Invitation.objects.update(last_sent_at=F("last_sent_at") - timedelta(minutes=30))
    update(organization, alice, lifetime="30d")
    selection = Selection(status="pending")
    result = resend_invitations(actor=actor_of(alice), organization=organization, selection=selection)
    assert result.done == 4
    hour, days, forever, usual = Invitation.objects.order_by("pk")
    assert [lasts(row) for row in (hour, days, usual)] == [
        timedelta(hours=1),
        timedelta(days=2),
        timedelta(days=30),
    ]
    assert forever.expires_at == NEVER
    reminded = [row.remind_at and row.remind_at - row.last_sent_at for row in (hour, days, forever, usual)]
    assert reminded == [None, None, timedelta(days=3), timedelta(days=3)]


def test_resending_takes_as_many_statements_for_different_lifetimes(organization, alice):
    counts = []
    for name, lifetimes in (("one", ["1h"]), ("five", ["2h", "3d", "never", "", "4d"])):
        for lifetime in lifetimes:
            send_invitations(
                actor=actor_of(alice),
                organization=organization,
                parsed=parse_addresses(f"{name}{lifetime}@acme.test"),
                lifetime=lifetime,
            )
        Invitation.objects.update(last_sent_at=F("last_sent_at") - timedelta(minutes=30))
        ids = [str(pk) for pk in Invitation.objects.filter(key__startswith=name).values_list("pk", flat=True)]
        with CaptureQueriesContext(connection) as statements:
            result = resend_invitations(
                actor=actor_of(alice), organization=organization, selection=Selection(ids=ids)
            )
        counts.append(len(statements))
    assert result.done == 5
    assert counts[0] == counts[1]


def test_resending_one_that_nobody_is_reminded_of(organization, alice):
    send_invitations(
        actor=actor_of(alice), organization=organization, parsed=parse_addresses("j@acme.test"), lifetime="1h"
    )
    Invitation.objects.update(last_sent_at=F("last_sent_at") - timedelta(minutes=30))
    row = Invitation.objects.get()
    again = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    row.refresh_from_db()
    assert (lasts(row), row.remind_at) == (timedelta(hours=1), None)
    assert again.expires_at == row.expires_at


def test_an_expired_one_is_renewed_for_the_same_time(organization, alice):
    send_invitations(
        actor=actor_of(alice), organization=organization, parsed=parse_addresses("j@acme.test"), lifetime="2d"
    )
    expire()
    row = Invitation.objects.get()
    again = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert again.pk != row.pk
    assert (again.lifetime, lasts(again)) == ("2d", timedelta(days=2))


@pytest.mark.parametrize(
    ("allowed", "denied", "key", "answer"),
    [
        ([], [], "jane@acme.com", True),
        (["acme.com"], [], "jane@acme.com", True),
        (["acme.com"], [], "jane@sub.acme.com", False),
        (["*.acme.com"], [], "jane@sub.acme.com", True),
        (["*.acme.com"], [], "jane@acme.com", False),
        (["acme.com"], [], "jane@evil-acme.com", False),
        (["acme.com"], [], "jane@acme.com.evil.test", False),
        (["*.acme.com"], [], "jane@evilacme.com", False),
        (["acme.com"], ["acme.com"], "jane@acme.com", False),
        (["*.acme.com"], ["old.acme.com"], "jane@old.acme.com", False),
        ([], ["old.acme.com"], "jane@acme.com", True),
    ],
)
def test_which_addresses_are_allowed(allowed, denied, key, answer):
    assert is_allowed(Organization(allowed_domains=allowed, denied_domains=denied), key) is answer


def test_an_address_that_is_not_allowed_is_to_be_fixed_and_hinders_no_other(organization, alice, bob):
    send(organization, alice, "pending@old.test")
    update(organization, alice, allowed_domains="acme.test")
    text = (
        "jane@acme.test, x@evil.test, X@evil.test, bob@northwind.test, pending@old.test, jane@, y@Bücher.de"
    )
    batch = send(organization, alice, text)
    assert [o.outcome for o in batch.outcomes] == [
        "sent",
        "invalid",
        "duplicate",
        "already_member",
        "already_invited",
        "invalid",
        "invalid",
    ]
    assert batch.outcomes[1].as_resource() == {
        "input": "x@evil.test",
        "outcome": "invalid",
        "reason": "domain_not_allowed",
    }
    answer = batch.as_resource()
    assert sum(answer[count] for count in ("sent", "skipped", "duplicates", "invalid")) == len(batch.outcomes)
    assert str(batch) == (
        "1 invitation sent. 1 already a member, skipped. 1 already invited, skipped. 1 listed twice. "
        "3 to fix."
    )
    assert not Invitation.objects.exclude(key__in=["jane@acme.test", "pending@old.test"]).exists()


def test_a_preview_says_the_same(organization, alice):
    update(organization, alice, denied_domains="*.evil.test evil.test")
    organization.refresh_from_db()
    parsed = parse_addresses("a@evil.test, b@x.evil.test, c@good.test")
    batch = preview_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
    assert [o.outcome for o in batch.outcomes] == ["invalid", "invalid", "would_send"]


def test_the_operator_and_keys_keep_to_the_lists(organization, alice):
    update(organization, alice, allowed_domains="acme.test")
    batch = send_invitations(
        actor=Actor.operator(), organization=organization, parsed=parse_addresses("x@evil.test")
    )
    assert [o.outcome for o in batch.outcomes] == ["invalid"]


def test_a_pending_one_can_be_sent_again_and_an_expired_one_only_where_it_is_allowed(organization, alice):
    send(organization, alice, "pending@old.test, expired@old.test, expired@acme.test")
    expire(key__startswith="expired")
    update(organization, alice, allowed_domains="acme.test")
    rows = {row.key: row for row in Invitation.objects.all()}
    with pytest.raises(errors.DomainNotAllowed, match=r"Northwind doesn’t allow .* at old\.test"):
        resend_invitation(
            actor=actor_of(alice), organization=organization, invitation_id=rows["expired@old.test"].pk
        )
    ids = [str(row.pk) for row in rows.values()]
    result = resend_invitations(
        actor=actor_of(alice), organization=organization, selection=Selection(ids=ids)
    )
    outcomes = dict(result.results)
    assert {key: outcomes[str(row.pk)] for key, row in rows.items()} == {
        "pending@old.test": "resent",
        "expired@old.test": "domain_not_allowed",
        "expired@acme.test": "resent",
    }
    assert str(result) == "2 invitations sent again. 1 at a domain that is not allowed, skipped."
    assert (result.done, result.skipped) == (2, 1)


def test_nobody_becomes_an_owner_by_joining(organization, alice):
    with pytest.raises(errors.OwnerNotForNewMembers):
        update(organization, alice, new_member_role_id=str(role(organization, "Owner").pk))
    with pytest.raises(errors.OwnerNotForNewMembers):
        update_invitation_settings(
            actor=Actor.operator(),
            organization=organization,
            **USUAL | {"new_member_role_id": role(organization, "Owner").pk},
        )
    assert Organization.objects.get(pk=organization.pk).new_member_role is None


def test_a_role_beyond_ones_own_permissions_cannot_be_chosen(organization, alice):
    gita = limited(organization, "organization.update", "role.read")
    admin, member = role(organization, "Admin"), role(organization, "Member")
    with pytest.raises(errors.AboveOwnRole):
        update(organization, gita, new_member_role_id=str(admin.pk))
    update(organization, gita, new_member_role_id=str(member.pk))
    update(organization, alice, new_member_role_id=str(admin.pk))
    update(organization, gita, new_member_role_id=str(admin.pk), lifetime="2d")
    assert Organization.objects.get(pk=organization.pk).new_member_role == admin, "what was set may stay"
    update(organization, gita)
    assert Organization.objects.get(pk=organization.pk).new_member_role is None


def test_a_role_of_another_organization_is_unknown(organization, alice, beta):
    for text in (str(role(beta, "Member").pk), "nothing", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(errors.UnknownRole):
            update(organization, alice, new_member_role_id=text)


def test_whoever_accepts_gets_the_role_for_new_members(organization, alice):
    update(organization, alice, new_member_role_id=str(role(organization, "Member").pk))
    send(organization, alice, "jane@acme.test")
    jane = make_user("jane@acme.test", "Jane Doe")
    accept_invitation(actor=actor_of(jane), invitation=Invitation.objects.get())
    assert Membership.objects.get(user=jane).role.name == "Member"
    joined = Event.objects.filter(type="member.joined").order_by("-number").first()
    assert joined.changes["role"] == [None, "Member"]
