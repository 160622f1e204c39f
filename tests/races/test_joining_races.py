"""Joining by a link, on real threads: never more people than uses."""

from functools import partial

import pytest

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.join_links import (
    create_join_link,
    invite_by_link,
    join_by_link,
    turn_off_join_link,
)
from guestlist.actors import Origin
from guestlist.links import invitation_token
from guestlist.models import Invitation, JoinLink, Membership
from tests.conftest import actor_of, make_user
from tests.races.test_races import ROUNDS, assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 20


@pytest.fixture(autouse=True)
def _no_limits(limit):
    limit()


@pytest.fixture
def people(db):
    return [make_user(f"p{i}@acme.test", f"P {i}") for i in range(PEOPLE)]


def make(organization, alice, **values):
    return create_join_link(actor=actor_of(alice), organization=organization, name="Team", **values)


def invited(link, user):
    """The token of what the person had mailed to themselves."""
    invite_by_link(origin=Origin("web"), join_link=link, email=user.email)
    row = Invitation.objects.pending().get(organization=link.organization, key=user.email)
    return invitation_token(row.nonce, row.pk)


def accept(user, token):
    return accept_invitation(actor=actor_of(user), invitation=find_invitation(token=token))


def test_of_twenty_people_one_uses_what_is_left(organization, alice, people):
    for _ in range(ROUNDS // 5):  # each has as many pairs as 190 rounds of two
        link = make(organization, alice, max_uses="1")
        tokens = [invited(link, user) for user in people[::2]]
        works = [
            *(partial(accept, user, token) for user, token in zip(people[::2], tokens, strict=True)),
            *(partial(join_by_link, actor=actor_of(user), join_link=link) for user in people[1::2]),
        ]
        results = at_once(*works)
        assert sum(isinstance(result, errors.JoinLinkClosed) for result in results) == PEOPLE - 1
        joined = Membership.objects.active().filter(organization=organization, join_link=link)
        assert joined.count() == JoinLink.objects.get(pk=link.pk).uses == 1
        # Whoever left by themselves may come again, and is in nobody's way in the next round.
        joined.update(state="left", ended_at=link.created_at)
        Invitation.objects.all().delete()
    assert_log_has_no_gaps(organization)


def test_turning_off_against_joining_leaves_what_some_order_explains(organization, alice):
    for i in range(ROUNDS):
        link = make(organization, alice)
        vera, will = (make_user(f"{name}{i}@acme.test", name) for name in ("vera", "will"))
        token = invited(link, vera)
        off = partial(
            turn_off_join_link, actor=actor_of(alice), organization=organization, join_link_id=link.pk
        )
        accepted, joined, _ = at_once(
            partial(accept, vera, token), partial(join_by_link, actor=actor_of(will), join_link=link), off
        )
        refused = [isinstance(result, errors.GuestlistError) for result in (accepted, joined)]
        row = JoinLink.objects.get(pk=link.pk)
        assert not row.enabled
        assert row.uses == refused.count(False)
        assert Membership.objects.active().filter(join_link=link).count() == row.uses
        assert Invitation.objects.get(key=vera.email).status == ("revoked" if refused[0] else "accepted")
        assert not refused[1] or isinstance(joined, errors.JoinLinkClosed)
    assert_log_has_no_gaps(organization)
