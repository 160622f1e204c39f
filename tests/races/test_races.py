"""Races on real threads: whoever wins, the end state is one that some order of events explains."""

import threading
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test import Client

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.deliveries import begin_deliveries, claim_deliveries
from guestlist.actions.invitations import resend_invitation, revoke_invitation, send_invitations
from guestlist.actions.members import change_role, remove_member
from guestlist.actions.organizations import create_first_run_link
from guestlist.actors import Actor
from guestlist.addresses import parse_addresses
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership, Organization, Role
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 50


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all let go at the same moment; results or GuestlistErrors."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(index: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait()
            results[index] = work()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, errors.GuestlistError):
            raise result
    return results


@pytest.fixture
def rounds() -> range:
    return range(ROUNDS)


def assert_log_has_no_gaps(organization: Organization) -> None:
    numbers = list(
        Event.objects.filter(organization=organization).order_by("number").values_list("number", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))


def test_accept_against_revoke_has_one_winner(organization, alice, rounds):
    for i in rounds:
        user = make_user(f"v{i}@acme.test", f"V {i}")
        parsed = parse_addresses(user.email)
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row = batch.outcomes[0].invitation
        token = invitation_token(row.nonce, row.pk)
        accepted, revoked = at_once(
            lambda user=user, token=token: accept_invitation(
                actor=actor_of(user), invitation=find_invitation(token=token)
            ),
            lambda row=row: revoke_invitation(
                actor=actor_of(alice), organization=organization, invitation_id=row.pk
            ),
        )
        row.refresh_from_db()
        joined = Membership.objects.active().filter(user=user).exists()
        assert isinstance(accepted, errors.NotPending) != isinstance(revoked, errors.NotPending)
        assert (row.status, joined) in (("accepted", True), ("revoked", False))
    assert_log_has_no_gaps(organization)


def test_the_same_addresses_from_eight_threads_are_sent_once(organization, alice, rounds):
    for i in rounds:
        text = "\n".join(f"{'P' if j % 2 else 'p'}{i}-{j}@acme.test" for j in range(20))
        parsed = parse_addresses(text)
        send = lambda parsed=parsed: send_invitations(  # noqa: E731
            actor=actor_of(alice), organization=organization, parsed=parsed
        )
        batches = at_once(*[send] * 8)
        assert sum(batch.sent for batch in batches) == 20
        assert sum(batch.count("already_invited") for batch in batches) == 7 * 20
    assert Invitation.objects.count() == Delivery.objects.count() == 20 * ROUNDS
    assert_log_has_no_gaps(organization)


def test_two_owners_who_demote_each_other_leave_one(organization, alice, rounds):
    other = make_user("other@northwind.test", "Other Owner")
    join(organization, other, "Owner")
    owner = Role.objects.get(organization=organization, name="Owner")
    admin = Role.objects.get(organization=organization, name="Admin")
    members = {m.user_id: m for m in Membership.objects.active()}
    for _ in rounds:
        for user in (alice, other):
            change_role(
                actor=Actor.operator(),
                organization=organization,
                member_id=members[user.pk].pk,
                role_id=owner.pk,
            )
        demote = [
            lambda a=a, b=b: change_role(
                actor=actor_of(a), organization=organization, member_id=members[b.pk].pk, role_id=admin.pk
            )
            for a, b in ((alice, other), (other, alice))
        ]
        at_once(*demote)
        assert Membership.objects.active().filter(role=owner).count() == 1
    assert_log_has_no_gaps(organization)


def test_an_ended_invitation_is_never_mailed_again(organization, alice, rounds):
    for i in rounds:
        parsed = parse_addresses(f"r{i}@acme.test")
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row = batch.outcomes[0].invitation
        act = {"actor": actor_of(alice), "organization": organization, "invitation_id": row.pk}
        at_once(lambda act=act: resend_invitation(**act), lambda act=act: revoke_invitation(**act))
        assert not Delivery.objects.owed().filter(invitation=row).exists()
        assert Invitation.objects.get(pk=row.pk).status == "revoked"


def test_an_invitation_that_is_accepted_while_it_is_resent_is_not_mailed_again(organization, alice, rounds):
    """R08."""
    for i in rounds:
        user = make_user(f"a{i}@acme.test", f"A {i}")
        batch = send_invitations(
            actor=actor_of(alice), organization=organization, parsed=parse_addresses(user.email)
        )
        row = batch.outcomes[0].invitation
        found = find_invitation(token=invitation_token(row.nonce, row.pk))
        resend = {"actor": actor_of(alice), "organization": organization, "invitation_id": row.pk}
        _, accepted = at_once(
            lambda act=resend: resend_invitation(**act),
            lambda user=user, found=found: accept_invitation(actor=actor_of(user), invitation=found),
        )
        assert accepted.joined
        assert not Delivery.objects.owed().filter(invitation=row).exists()
        assert Invitation.objects.get(pk=row.pk).status == "accepted"
    assert_log_has_no_gaps(organization)


def test_removal_against_a_role_change_leaves_a_removed_member(organization, alice, rounds):
    admin = Role.objects.get(organization=organization, name="Admin")
    for i in rounds:
        user = make_user(f"m{i}@acme.test", f"M {i}")
        member = join(organization, user, None)
        act = {"actor": actor_of(alice), "organization": organization, "member_id": member.pk}
        changed, _ = at_once(
            lambda act=act: change_role(**act, role_id=admin.pk), lambda act=act: remove_member(**act)
        )
        member.refresh_from_db()
        assert member.state == "removed"
        assert isinstance(changed, errors.NotFound) == (member.role_id is None)


def test_the_same_sign_up_sent_twice_makes_one_member_and_no_error(organization, alice, rounds):
    for i in rounds:
        parsed = parse_addresses(f"s{i}@acme.test")
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row = batch.outcomes[0].invitation
        url = f"/i/{invitation_token(row.nonce, row.pk)}"
        form = {"name": "Sam", "password": "correct horse battery staple"}
        answers = at_once(*[lambda url=url, form=form: Client().post(url, form).status_code] * 2)
        assert set(answers) <= {302, 403, 410}
        assert Membership.objects.active().filter(email_key=f"s{i}@acme.test").count() == 1


@pytest.mark.parametrize("_", range(5))
def test_one_of_many_gets_the_set_up_link(_):
    code = create_first_run_link().code
    form = {
        "name": "Maya",
        "email": "maya@northwind.test",
        "password": "correct horse battery staple",
        "organization": "Northwind",
    }
    answers = at_once(*[lambda: Client().post(f"/setup/{code}", form).status_code] * 6)
    assert sorted(answers) == [302] + [410] * 5
    assert Organization.objects.count() == Membership.objects.count() == 1


def test_mail_of_an_invitation_that_is_being_revoked_does_not_leave(organization, alice, rounds):
    for i in rounds:
        parsed = parse_addresses(f"d{i}@acme.test")
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row, worker = batch.outcomes[0].invitation, uuid.uuid4()
        (delivery,) = claim_deliveries(worker=worker, limit=5)
        begun, _ = at_once(
            lambda d=delivery, w=worker: begin_deliveries(deliveries=[d], worker=w),
            lambda row=row: revoke_invitation(
                actor=actor_of(alice), organization=organization, invitation_id=row.pk
            ),
        )
        delivery.refresh_from_db()
        assert delivery.state == "canceled"
        if begun:
            assert delivery.attempts == 1
        assert not begin_deliveries(deliveries=[delivery], worker=worker)


def test_two_workers_never_hold_the_same_message(organization, alice, rounds):
    for i in range(10):
        parsed = parse_addresses("\n".join(f"w{i}-{j}@acme.test" for j in range(60)))
        send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        claim = [partial(claim_deliveries, worker=uuid.uuid4(), limit=40) for _ in range(4)]
        held = [delivery.pk for batch in at_once(*claim) for delivery in batch]
        assert len(held) == len(set(held)) == 60
