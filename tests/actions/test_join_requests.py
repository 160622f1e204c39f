"""Joining and asking by a verified domain: who may not, and what managers answer."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions import join_requests
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.domains import change_domain_mode
from guestlist.actions.members import leave_organization, remove_member
from guestlist.actions.openings import ask_by_domain, join_by_domain, knock, open_to
from guestlist.addresses import parse_items
from guestlist.links import invitation_token
from guestlist.models import (
    Delivery,
    Event,
    Invitation,
    JoinRequest,
    Membership,
    Organization,
    Role,
    Suppression,
)
from tests.actions.test_domains import HERE, verified
from tests.conftest import actor_of, join, make_user


@pytest.fixture
def jane(db):
    return make_user("jane@acme.test", "Jane Doe")


@pytest.fixture
def domain(organization):
    return verified(organization)


@pytest.fixture
def asking(organization):
    """A domain by which people ask."""
    return verified(organization, mode="request")


def typed(email):
    knock(address=parse_items([email]).addresses[0], origin=HERE)


def offered(user):
    return [(each.organization.slug, each.joins, each.waiting) for each in open_to(actor=actor_of(user))]


def member_of(organization, user):
    return Membership.objects.active().filter(organization=organization, user=user).first()


def remove(organization, alice, user):
    member = member_of(organization, user)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)


def ask(user, row):
    return ask_by_domain(actor=actor_of(user), domain_id=row.pk)


def grant(organization, user, *rows):
    ids = [str(row.pk) for row in rows]
    return join_requests.grant_requests(actor=actor_of(user), organization=organization, request_ids=ids)


def dismiss(organization, user, *rows):
    ids = [str(row.pk) for row in rows]
    return join_requests.dismiss_requests(actor=actor_of(user), organization=organization, request_ids=ids)


# Who may not


@pytest.mark.parametrize("email", ["eve@evil.test", "eve@sub.acme.test", "eve@acme.test.evil.test"])
def test_an_address_elsewhere_opens_nothing(organization, domain, email):
    eve = make_user(email, "Eve")
    assert offered(eve) == []
    with pytest.raises(errors.NotFound):
        join_by_domain(actor=actor_of(eve), domain_id=domain.pk)
    with pytest.raises(errors.NotFound):
        ask(eve, domain)
    typed(email)
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()


def test_an_unverified_address_does_not_count(organization, domain, jane):
    EmailAddress.objects.update(verified=False)
    assert offered(jane) == []
    with pytest.raises(errors.NotFound):
        join_by_domain(actor=actor_of(jane), domain_id=domain.pk)


def test_asking_is_not_joining(organization, asking, jane):
    with pytest.raises(errors.DomainClosed):
        join_by_domain(actor=actor_of(jane), domain_id=asking.pk)
    assert member_of(organization, jane) is None


@pytest.mark.parametrize("mode", ["join", "request"])
def test_a_removed_person_is_not_let_back_in(organization, alice, jane, mode):
    join(organization, jane, "Member")
    remove(organization, alice, jane)
    row = verified(organization, mode=mode)
    action = join_by_domain if mode == "join" else ask_by_domain
    assert offered(jane) == []
    with pytest.raises(errors.RemovedBefore):
        action(actor=actor_of(jane), domain_id=row.pk)
    typed("Jane@ACME.test")
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()
    assert member_of(organization, jane) is None


@pytest.mark.parametrize("mode", ["join", "request"])
def test_nor_with_another_address_of_the_same_account(organization, alice, mode):
    user = make_user("jane@private.test", "Jane Doe")
    join(organization, user, None)
    remove(organization, alice, user)
    EmailAddress.objects.create(user=user, email="jane@acme.test", verified=True)
    row = verified(organization, mode=mode)
    action = join_by_domain if mode == "join" else ask_by_domain
    assert offered(user) == []
    with pytest.raises(errors.RemovedBefore):
        action(actor=actor_of(user), domain_id=row.pk)
    typed("jane@acme.test")
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()


def test_nor_with_a_new_account_for_the_same_address(organization, alice, jane, domain):
    join(organization, jane, None)
    remove(organization, alice, jane)
    EmailAddress.objects.filter(user=jane).delete()
    again = make_user("jane2@acme.test", "Jane Again")
    EmailAddress.objects.create(user=again, email="jane@acme.test", verified=True)
    assert offered(again) == []
    with pytest.raises(errors.RemovedBefore):
        join_by_domain(actor=actor_of(again), domain_id=domain.pk)


def test_whoever_was_removed_after_a_link_was_mailed_does_not_come_in_by_it(
    organization, alice, jane, domain
):
    typed("jane@acme.test")
    row = Invitation.objects.get()
    join(organization, jane, None)
    remove(organization, alice, jane)
    opened = find_invitation(token=invitation_token(row.nonce, row.pk))
    with pytest.raises(errors.GuestlistError):
        accept_invitation(actor=actor_of(jane), invitation=opened)
    assert member_of(organization, jane) is None


def test_whoever_left_may_come_back(organization, jane, domain):
    join(organization, jane, None)
    leave_organization(actor=actor_of(jane), organization=organization)
    assert offered(jane) == [("northwind", True, False)]
    assert join_by_domain(actor=actor_of(jane), domain_id=domain.pk).state == "active"


@pytest.mark.parametrize("lists", [{"allowed_domains": ["other.test"]}, {"denied_domains": ["acme.test"]}])
@pytest.mark.parametrize("mode", ["join", "request"])
def test_the_lists_of_the_organization_hold(organization, jane, lists, mode):
    Organization.objects.update(**lists)
    row = verified(organization, mode=mode)
    assert offered(jane) == []
    action = join_by_domain if mode == "join" else ask_by_domain
    with pytest.raises(errors.DomainClosed):
        action(actor=actor_of(jane), domain_id=row.pk)
    typed("jane@acme.test")
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()


@pytest.mark.parametrize("mode", ["join", "request"])
def test_a_deleted_organization_opens_nothing(organization, jane, mode):
    row = verified(organization, mode=mode)
    Organization.objects.update(deleted_at=Now())
    assert offered(jane) == []
    action = join_by_domain if mode == "join" else ask_by_domain
    with pytest.raises(errors.NotFound):
        action(actor=actor_of(jane), domain_id=row.pk)
    typed("jane@acme.test")
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()


def test_only_who_manages_members_answers(organization, alice, charlie, mallory, dora, asking, jane):
    request = ask(jane, asking)
    for action in (grant, dismiss):
        with pytest.raises(errors.NotAllowed, match="Member: Manage"):
            action(organization, charlie, request)
        for stranger in (mallory, dora):
            with pytest.raises(errors.NotFound):
                action(organization, stranger, request)
    request.refresh_from_db()
    assert request.state == "pending"


def test_a_request_of_another_organization_is_an_unknown_one(organization, alice, beta, jane):
    foreign = ask(jane, verified(beta, mode="request"))
    for action in (grant, dismiss):
        with pytest.raises(errors.NotFound):
            action(organization, alice, foreign)
    foreign.refresh_from_db()
    assert foreign.state == "pending"


# Joining


def test_an_address_at_the_domain_joins_with_the_role_for_new_members(organization, jane, domain):
    assert offered(jane) == [("northwind", True, False)]
    member = join_by_domain(actor=actor_of(jane), domain_id=domain.pk)
    assert (member.role, member.via) == (None, "domain")
    assert offered(jane) == []
    role = Role.objects.get(organization=organization, name="Member")
    Organization.objects.update(new_member_role=role)
    jim = make_user("jim@acme.test", "Jim Doe")
    assert join_by_domain(actor=actor_of(jim), domain_id=domain.pk).role == role
    events = Event.objects.filter(type="member.joined", actor_id=str(jim.pk))
    assert events.get().changes == {"role": [None, "Member"], "via": [None, "domain"]}


def test_joining_twice_is_joining_once(organization, jane, domain):
    first = join_by_domain(actor=actor_of(jane), domain_id=domain.pk)
    assert join_by_domain(actor=actor_of(jane), domain_id=domain.pk) == first


def test_a_typed_address_gets_a_link_that_proves_the_mailbox(organization, jane, domain):
    typed("Jane@acme.test")
    row = Invitation.objects.get()
    assert (row.invited_by_type, row.domain, row.status) == ("invitee", domain, "pending")
    assert Delivery.objects.get().state == "queued"
    opened = find_invitation(token=invitation_token(row.nonce, row.pk))
    joined = accept_invitation(actor=actor_of(jane), invitation=opened).membership
    assert (joined.role, joined.via) == (None, "domain")


# Asking


def test_a_request_waits_once_and_tells_the_owners(organization, alice, bob, asking, jane):
    request = ask(jane, asking)
    assert ask(jane, asking) == request
    typed("jane@acme.test")
    assert (request.email, request.name, request.state) == ("jane@acme.test", "Jane Doe", "pending")
    assert offered(jane) == [("northwind", False, True)]
    mails = Delivery.objects.filter(kind="join_request")
    assert [mail.recipient for mail in mails] == [alice.email]
    assert Event.objects.filter(type="join_request.created").count() == 1


def test_owners_get_at_most_one_mail_an_hour(organization, alice, asking):
    for number in range(3):
        typed(f"p{number}@acme.test")
    assert Delivery.objects.filter(kind="join_request").count() == 1
    Delivery.objects.update(created_at=F("created_at") - timedelta(hours=1, seconds=1))
    typed("late@acme.test")
    assert Delivery.objects.filter(kind="join_request").count() == 2


def test_no_more_requests_wait_than_somebody_can_look_at(organization, asking, jane, monkeypatch):
    monkeypatch.setattr(join_requests, "MOST_PENDING", 2)
    for number in range(3):
        typed(f"p{number}@acme.test")
    assert JoinRequest.objects.count() == 2
    with pytest.raises(errors.TooManyRequests):
        ask(jane, asking)


def test_a_member_and_one_who_wants_no_mail_do_not_ask(organization, asking, jane):
    Suppression.objects.create(key="jane@acme.test")
    with pytest.raises(errors.Suppressed):
        ask(jane, asking)
    jim = make_user("jim@acme.test", "Jim Doe")
    join(organization, jim, None)
    with pytest.raises(errors.BelongsAlready):
        ask(jim, asking)
    typed("jane@acme.test")
    typed("jim@acme.test")
    assert not JoinRequest.objects.exists()


def test_granting_sends_an_invitation_of_the_manager(organization, bob, asking, jane):
    request = ask(jane, asking)
    result = grant(organization, bob, request)
    assert str(result) == "1 request granted."
    row = Invitation.objects.get()
    assert (row.key, row.invited_by_id, row.domain) == ("jane@acme.test", str(bob.pk), None)
    request.refresh_from_db()
    assert (request.state, request.ended_at is not None) == ("granted", True)
    names = list(Event.objects.filter(actor_id=str(bob.pk)).order_by("number").values_list("type", flat=True))
    assert names[-2:] == ["invitation.sent", "join_request.granted"]
    numbers = list(Event.objects.filter(organization=organization).order_by("number").values_list("number"))
    assert numbers == [(number,) for number in range(1, len(numbers) + 1)]
    with pytest.raises(errors.NotFound):
        grant(organization, bob, request)


def test_dismissing_sends_nothing_and_holds_for_a_day(organization, bob, asking, jane):
    request = ask(jane, asking)
    dismiss(organization, bob, request)
    assert not Invitation.objects.exists()
    assert Event.objects.filter(type="join_request.dismissed").get().changes == {
        "state": ["pending", "dismissed"]
    }
    with pytest.raises(errors.AskedBefore):
        ask(jane, asking)
    JoinRequest.objects.update(ended_at=F("ended_at") - timedelta(days=1, seconds=1))
    assert ask(jane, asking).state == "pending"
    with pytest.raises(errors.NotFound):
        dismiss(organization, bob, request)


def test_one_that_cannot_be_invited_waits_on_with_the_reason(organization, alice, asking):
    for email in ("jane@acme.test", "jim@acme.test"):
        typed(email)
    jane, jim = JoinRequest.objects.order_by("key")
    Suppression.objects.create(key="jane@acme.test")
    with pytest.raises(errors.Suppressed, match=r"jane@acme\.test"):
        grant(organization, alice, jane)
    assert str(grant(organization, alice, jane, jim)) == (
        "1 request granted. 1 can’t be invited, so it still waits."
    )
    Suppression.objects.all().delete()
    Organization.objects.update(denied_domains=["acme.test"])
    with pytest.raises(errors.DomainNotAllowed):
        grant(organization, alice, jane)
    assert JoinRequest.objects.pending().get() == jane


def test_limits_of_sending_hold_for_granting(organization, alice, asking, limit):
    typed("jane@acme.test")
    limit(inviter="0/1d")
    with pytest.raises(errors.InviterLimit):
        grant(organization, alice, JoinRequest.objects.get())
    assert JoinRequest.objects.pending().count() == 1
    assert not Invitation.objects.exists()


def test_whoever_comes_in_otherwise_asks_no_more(organization, asking, jane):
    ask(jane, asking)
    join(organization, jane, None)
    assert JoinRequest.objects.get().state == "granted"
    assert Event.objects.filter(type="join_request.granted").count() == 1


def test_a_selection_must_be_one(organization, alice):
    for action in (grant, dismiss):
        with pytest.raises(errors.NoRequestsChosen):
            action(organization, alice)
    ids = ["x"] * (join_requests.MOST_IDS + 1)
    with pytest.raises(errors.TooManyIds):
        join_requests.dismiss_requests(actor=actor_of(alice), organization=organization, request_ids=ids)


def test_many_are_granted_with_the_statements_of_two(organization, alice, asking):
    counts = []
    for number in (2, 30):
        for i in range(number):
            typed(f"p{number}-{i}@acme.test")
        rows = list(JoinRequest.objects.pending())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert grant(organization, alice, *rows).granted == number
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_is_open_takes_the_same_queries_for_any_number(jane, dora, django_assert_num_queries):
    from guestlist.actions.organizations import create_organization
    from guestlist.actors import Actor

    for number in range(12):
        made = create_organization(actor=Actor.operator(), name=f"Org {number}", slug=f"org-{number}")
        verified(made, mode="request" if number % 2 else "join")
    with django_assert_num_queries(6):
        assert len(offered(jane)) == 12


def test_turning_it_off_closes_it_for_both(organization, alice, jane, domain):
    change_domain_mode(actor=actor_of(alice), organization=organization, domain_id=domain.pk, mode="off")
    assert offered(jane) == []
    for action in (join_by_domain, ask_by_domain):
        with pytest.raises(errors.DomainClosed):
            action(actor=actor_of(jane), domain_id=domain.pk)
    typed("jane@acme.test")
    assert not Invitation.objects.exists()
    assert not JoinRequest.objects.exists()
