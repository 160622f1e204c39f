"""Sending: who may, what becomes of each address, and how many statements it takes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.invitations import preview_invitations, send_invitations
from guestlist.actions.members import remove_member
from guestlist.addresses import parse_addresses
from guestlist.conf import conf
from guestlist.models import Delivery, Event, Invitation, Membership
from tests.conftest import actor_of, join, make_user


def send(organization, user, text):
    return send_invitations(actor=actor_of(user), organization=organization, parsed=parse_addresses(text))


def test_an_outsider_is_told_that_there_is_no_such_organization(organization, mallory):
    with pytest.raises(errors.NotFound):
        send(organization, mallory, "jane@acme.test")
    assert not Invitation.objects.exists()


def test_a_member_without_the_permission_is_told_which(organization, charlie):
    with pytest.raises(errors.NotAllowed, match="Member: Manage"):
        send(organization, charlie, "jane@acme.test")
    assert not Invitation.objects.exists()


def test_each_address_gets_an_invitation_a_delivery_and_an_event(organization, alice):
    batch = send(organization, alice, "Jane@acme.test, bob@acme.test")
    assert str(batch) == "2 invitations sent."
    rows = Invitation.objects.order_by("pk")
    assert [(r.email, r.key, r.status) for r in rows] == [
        ("Jane@acme.test", "jane@acme.test", "pending"),
        ("bob@acme.test", "bob@acme.test", "pending"),
    ]
    assert [r.delivery.state for r in rows] == ["queued", "queued"]
    assert Event.objects.filter(type="invitation.sent").count() == 2
    assert rows[0].expires_at - rows[0].invited_at == timedelta(days=7)


def test_event_numbers_have_no_gaps(organization, alice):
    send(organization, alice, "jane@acme.test, bob@acme.test")
    send(organization, alice, "sue@acme.test")
    numbers = list(
        Event.objects.filter(organization=organization).order_by("number").values_list("number", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))
    organization.refresh_from_db()
    assert organization.event_number == len(numbers)


def test_a_members_address_is_skipped_whatever_its_case(organization, alice, bob):
    batch = send(organization, alice, "BOB@Northwind.TEST, jane@acme.test")
    assert str(batch) == "1 invitation sent. 1 already a member, skipped."
    assert not Invitation.objects.filter(key="bob@northwind.test").exists()


def test_any_verified_address_of_a_member_counts(organization, alice, bob):
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=bob, email="bobby@home.test", verified=True)
    EmailAddress.objects.create(user=bob, email="unproved@home.test", verified=False)
    batch = send(organization, alice, "bobby@home.test, unproved@home.test")
    assert [o.outcome for o in batch.outcomes] == ["already_member", "sent"]


def test_all_members_is_never_called_a_success(organization, alice, bob):
    assert (
        str(send(organization, alice, "bob@northwind.test"))
        == "Nothing was sent. 1 already a member, skipped."
    )


def test_a_pending_address_is_not_sent_again(organization, alice):
    send(organization, alice, "jane@acme.test")
    batch = send(organization, alice, "JANE@acme.test")
    assert [o.outcome for o in batch.outcomes] == ["already_invited"]
    assert Delivery.objects.count() == 1


def test_bad_text_hinders_no_good_address_and_the_numbers_add_up(organization, alice, bob):
    text = "jane@acme.test, jane@acme.test, x@y, bob@northwind.test, sue@acme.test"
    answer = send(organization, alice, text).as_resource()
    assert (answer["sent"], answer["skipped"], answer["duplicates"], answer["invalid"]) == (2, 1, 1, 1)
    assert sum(answer[k] for k in ("sent", "skipped", "duplicates", "invalid")) == len(answer["results"])


def test_nothing_typed_is_refused(organization, alice):
    with pytest.raises(errors.NoAddresses):
        send(organization, alice, " ,; \n")


def test_more_than_ten_thousand_are_refused_whole(organization, alice):
    text = "\n".join(f"p{i}@acme.test" for i in range(10_001))
    with pytest.raises(errors.TooManyAddresses):
        send(organization, alice, text)
    assert not Invitation.objects.exists()


def test_a_lapsed_invitation_gives_way_to_a_new_one(organization, alice):
    old = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Invitation.objects.update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=8)
    )
    batch = send(organization, alice, "jane@acme.test")
    assert batch.sent == 1
    old.refresh_from_db()
    assert old.status == "expired"
    assert Event.objects.get(type="invitation.expired").actor_type == "system"
    assert Delivery.objects.get(invitation=old).state == "canceled"


def test_a_removed_member_can_be_invited_again(organization, alice, bob):
    member = Membership.objects.get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    assert send(organization, alice, "bob@northwind.test").sent == 1


def test_another_organizations_member_is_invited_like_anybody(organization, alice, dora, beta):
    assert send(organization, alice, "dora@beta.test").sent == 1


def test_preview_answers_the_same_and_does_nothing(organization, alice, bob):
    parsed = parse_addresses("jane@acme.test, bob@northwind.test, x@y")
    batch = preview_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
    assert [o.outcome for o in batch.outcomes] == ["would_send", "already_member", "invalid"]
    assert not Invitation.objects.exists()


def test_without_email_the_message_says_so(organization, alice, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    batch = send(organization, alice, "jane@acme.test")
    assert str(batch) == "1 invitation sent. E-mail is not configured; nothing has gone out yet."
    assert conf().email_sending == "off"


@pytest.mark.parametrize("number", [1, 50, 2_000])
def test_the_number_of_statements_does_not_grow(organization, alice, number):
    with CaptureQueriesContext(connection) as queries:
        send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(number)))
    statements = [q["sql"][:80] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) == 10 + connection.features.has_select_for_update, statements


def test_account_or_not_takes_the_same_statements(organization, alice, dora):
    counts = []
    for address in ("dora@beta.test", "nobody@beta.test"):
        with CaptureQueriesContext(connection) as queries:
            send(organization, alice, address)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_joined_without_role_member_is_skipped_by_copied_address(organization, alice):
    user = make_user("late@acme.test", "Late")
    join(organization, user, None)
    assert send(organization, alice, "late@acme.test").sent == 0
