"""Sets that are brought about at once, or while people answer and managers send: the end is that of some
order, one after the other.
"""

from functools import partial

import pytest

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.invitations import send_invitations
from guestlist.actions.reconciliation import reconcile_invitations
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.links import invitation_token
from guestlist.models import Delivery, Invitation, Membership
from tests.conftest import actor_of, make_user
from tests.races.test_races import assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 50


def bring_about(organization, *emails, prune=True):
    return partial(
        reconcile_invitations,
        actor=Actor.operator(),
        organization=organization,
        parsed=parse_items(emails),
        prune=prune,
    )


def pending(organization):
    rows = Invitation.objects.pending().filter(organization=organization)
    return sorted(rows.values_list("key", flat=True))


def invite(organization, email):
    """The invitation, and what accepts it."""
    user, batch = make_user(email, "V"), parse_items([email])
    sent = send_invitations(actor=Actor.operator(), organization=organization, parsed=batch)
    row = sent.outcomes[0].invitation
    found = find_invitation(token=invitation_token(row.nonce, row.pk))
    return row, partial(accept_invitation, actor=actor_of(user), invitation=found)


def test_of_two_sets_at_once_the_last_one_is_what_is_left(organization):
    for i in range(ROUNDS):
        sets = [[f"{name}{i}-{j}@acme.test" for j in range(3)] for name in ("a", "b")]
        both = f"both{i}@acme.test"
        plans = at_once(*[bring_about(organization, *emails, both) for emails in sets])
        left = pending(organization)
        assert left in [sorted([*emails, both]) for emails in sets]
        last = next(n for n, emails in enumerate(sets) if emails[0] in left)
        assert {row.key for row in plans[last].revoked} >= set(sets[1 - last])
        assert sorted(plan.batch.sent for plan in plans) == [3, 4]
    assert not Delivery.objects.owed().exclude(invitation__status="pending").exists()
    assert_log_has_no_gaps(organization)


def test_accepting_against_a_set_without_the_address_has_one_winner(organization):
    for i in range(ROUNDS):
        row, accept = invite(organization, f"v{i}@acme.test")
        plan, accepted = at_once(bring_about(organization, f"w{i}@acme.test"), accept)
        row.refresh_from_db()
        joined = Membership.objects.active().filter(email_key=row.key).exists()
        revoked = row.pk in {each.pk for each in plan.revoked}
        assert revoked == isinstance(accepted, errors.NotPending)
        assert (row.status, joined) == (("revoked", False) if revoked else ("accepted", True))
        assert pending(organization) == [f"w{i}@acme.test"]
    assert_log_has_no_gaps(organization)


def test_who_accepts_while_the_set_names_them_is_not_invited_again(organization):
    for i in range(ROUNDS):
        row, accept = invite(organization, f"v{i}@acme.test")
        plan, accepted = at_once(bring_about(organization, row.email), accept)
        assert accepted.joined
        assert plan.batch.outcomes[0].outcome in ("already_invited", "already_member")
        assert Invitation.objects.filter(key=row.key).count() == 1
    assert_log_has_no_gaps(organization)


def test_sending_while_the_set_is_brought_about_sends_once(organization):
    for i in range(ROUNDS):
        emails = [f"v{i}-{j}@acme.test" for j in range(5)]
        send = partial(
            send_invitations, actor=Actor.operator(), organization=organization, parsed=parse_items(emails)
        )
        plan, batch, again = at_once(
            bring_about(organization, *emails, prune=False), send, bring_about(organization, *emails)
        )
        assert plan.batch.sent + batch.sent + again.batch.sent == 5
        assert pending(organization) == emails
    assert_log_has_no_gaps(organization)
