"""Inviters hear once a day what expired and what came back, and nobody hears of what is settled."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.digests import write_digests
from guestlist.actions.expiry import expire_due
from guestlist.actions.invitations import send_invitations
from guestlist.actions.members import change_role, remove_member
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.links import invitation_token
from guestlist.models import Delivery, Invitation, Membership, Organization
from guestlist.models.delivery import Kind, State
from tests.actions.test_expiry import lapse
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db


def expired(organization, user, *emails):
    """Invitations that `user` sent and that expired a while ago."""
    send(organization, user, ",".join(emails))
    lapse(*emails)
    expire_due()
    settle()


def bounced(organization, user, *emails, detail="550 5.1.1 No such user"):
    """Invitations whose mail came back a while ago."""
    send(organization, user, ",".join(emails))
    rows = Invitation.objects.filter(email__in=emails)
    rows.update(unreported_at=Now())
    Delivery.objects.filter(invitation__in=rows).update(state=State.BOUNCED, next_at=None, detail=detail)
    settle()


def settle(wait=timedelta(hours=2)):
    Invitation.objects.update(unreported_at=F("unreported_at") - wait)


def digests():
    return {mail.recipient: mail for mail in Delivery.objects.filter(kind=Kind.DIGEST)}


def told():
    """Recipient → what expired, what came back."""
    return {
        email: tuple(
            [line["email"] for line in mail.content[part]["first"]] for part in ("expired", "bounced")
        )
        for email, mail in digests().items()
    }


def test_each_inviter_is_told_of_their_own(organization, alice, bob):
    expired(organization, alice, "jane@acme.test")
    expired(organization, bob, "omar@acme.test", "anna@acme.test")
    bounced(organization, bob, "nobody@acme.test")
    assert write_digests() == 2
    assert told() == {
        "alice@northwind.test": (["jane@acme.test"], []),
        "bob@northwind.test": (["anna@acme.test", "omar@acme.test"], ["nobody@acme.test"]),
    }
    content = digests()["bob@northwind.test"].content
    assert content["expired"]["count"] == 2
    assert content["bounced"]["first"] == [{"email": "nobody@acme.test", "detail": "550 5.1.1 No such user"}]
    assert not Invitation.objects.filter(unreported_at__isnull=False).exists()


def test_news_waits_an_hour_and_comes_with_what_happened_meanwhile(organization, alice):
    send(organization, alice, "jane@acme.test, omar@acme.test")
    lapse("jane@acme.test")
    expire_due()
    settle(timedelta(minutes=59))
    assert write_digests() == 0
    lapse("omar@acme.test")
    expire_due()
    settle(timedelta(minutes=1))
    assert write_digests() == 1
    assert told() == {"alice@northwind.test": (["jane@acme.test", "omar@acme.test"], [])}


def test_there_is_one_a_day(organization, alice):
    expired(organization, alice, "jane@acme.test")
    assert write_digests() == 1
    expired(organization, alice, "omar@acme.test")
    assert write_digests() == 0
    Organization.objects.update(digest_at=F("digest_at") - timedelta(days=1))
    assert write_digests() == 1
    assert write_digests() == 0


def test_nobody_is_told_twice_of_the_same(organization, alice):
    expired(organization, alice, "jane@acme.test")
    write_digests()
    Organization.objects.update(digest_at=None)
    assert write_digests() == 0


def test_an_organization_can_do_without(organization, beta, alice, dora):
    Organization.objects.filter(pk=organization.pk).update(digests=False)
    expired(organization, alice, "jane@acme.test")
    expired(beta, dora, "jane@acme.test")
    assert write_digests() == 1
    assert list(told()) == ["dora@beta.test"]


def test_old_news_is_not_dug_up_when_it_is_switched_on(organization, alice):
    Organization.objects.update(digests=False)
    expired(organization, alice, "jane@acme.test")
    settle(timedelta(days=8))
    Organization.objects.update(digests=True)
    assert write_digests() == 0
    assert not Invitation.objects.filter(unreported_at__isnull=False).exists()


def test_nothing_is_written_while_email_is_not_configured(organization, alice, settings):
    expired(organization, alice, "jane@acme.test")
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    assert write_digests() == 0
    assert Invitation.objects.get().unreported_at


def test_who_has_joined_since_is_left_out(organization, alice):
    expired(organization, alice, "jane@acme.test", "omar@acme.test")
    bounced(organization, alice, "anna@acme.test")
    join(organization, make_user("jane@acme.test", "Jane"), None)
    anna = Invitation.objects.get(email="anna@acme.test")
    accept_invitation(
        actor=actor_of(make_user("anna@acme.test", "Anna")),
        invitation=find_invitation(token=invitation_token(anna.nonce, anna.pk)),
    )
    assert write_digests() == 1
    assert told() == {"alice@northwind.test": (["omar@acme.test"], [])}


def test_who_was_invited_again_is_left_out(organization, alice):
    expired(organization, alice, "jane@acme.test")
    bounced(organization, alice, "omar@acme.test")
    send(organization, alice, "jane@acme.test")
    Delivery.objects.filter(invitation__email="omar@acme.test").update(state=State.DELIVERED)
    assert write_digests() == 0
    assert not digests()


@pytest.mark.parametrize("gone", ["removed", "demoted", "unverified"])
def test_the_owners_are_told_for_an_inviter_who_does_not_manage_any_more(organization, alice, bob, gone):
    expired(organization, alice, "jane@acme.test")
    expired(organization, bob, "omar@acme.test")
    member = Membership.objects.get(user=bob)
    if gone == "removed":
        remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    elif gone == "demoted":
        change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=None)
    else:
        Membership.objects.filter(pk=member.pk).update(email_verified=False)
    assert write_digests() == 1
    assert told() == {"alice@northwind.test": (["jane@acme.test", "omar@acme.test"], [])}


def test_what_a_key_or_the_operator_sent_concerns_the_owners_five_at_most(organization, alice, bob):
    for number in range(6):
        join(organization, make_user(f"o{number}@northwind.test", f"O {number}"), "Owner")
    parsed = parse_items(["jane@acme.test"])
    send_invitations(actor=Actor.operator(), organization=organization, parsed=parsed)
    lapse()
    expire_due()
    settle()
    assert write_digests() == 5
    assert "alice@northwind.test" in told()
    assert "bob@northwind.test" not in told()


def test_twenty_are_named_and_all_are_counted(organization, alice):
    expired(organization, alice, *(f"p{number:02}@acme.test" for number in range(25)))
    write_digests()
    part = digests()["alice@northwind.test"].content["expired"]
    assert part["count"] == 25
    assert [line["email"] for line in part["first"]] == [f"p{number:02}@acme.test" for number in range(20)]


def test_what_expired_after_its_mail_came_back_says_so(organization, alice):
    bounced(organization, alice, "nobody@acme.test")
    lapse()
    expire_due()
    settle()
    write_digests()
    assert digests()["alice@northwind.test"].content["expired"]["first"] == [
        {"email": "nobody@acme.test", "detail": "550 5.1.1 No such user"}
    ]


def test_a_digest_that_has_not_left_is_not_sent_to_who_has_left(organization, alice, bob):
    expired(organization, bob, "jane@acme.test")
    write_digests()
    member = Membership.objects.get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    assert digests()["bob@northwind.test"].state == "canceled"


def test_many_take_few_statements(organization, alice, bob, django_assert_max_num_queries):
    for user in (alice, bob):
        expired(organization, user, *(f"{user.name[0]}{number}@acme.test" for number in range(150)))
    with django_assert_max_num_queries(16):
        assert write_digests() == 2
