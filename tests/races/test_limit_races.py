"""Limits cannot be raced: whoever comes last counts on what the others took."""

from functools import partial

import pytest

from guestlist import errors
from guestlist.actions.invitations import resend_invitation, send_invitations
from guestlist.addresses import parse_addresses
from guestlist.models import Delivery, Invitation, Quota
from tests.conftest import actor_of, join
from tests.races.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


def test_of_ten_resends_at_once_exactly_one_goes_through(organization, alice):
    """Q07."""
    for i in range(ROUNDS):
        parsed = parse_addresses(f"p{i}@acme.test")
        batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
        row = batch.outcomes[0].invitation
        resend = partial(
            resend_invitation, actor=actor_of(alice), organization=organization, invitation_id=row.pk
        )
        results = at_once(*[resend] * 10)
        assert sum(isinstance(result, errors.ResendLimit) for result in results) == 9
        assert Delivery.objects.filter(invitation=row).count() == 2
        assert Invitation.objects.get(pk=row.pk).sent_count == 2


def test_two_organizations_at_once_do_not_exceed_the_limit_of_a_person(organization, beta, alice, limit):
    """Q01."""
    limit(inviter="7/1d")
    join(beta, alice, "Admin")
    for i in range(ROUNDS):
        Quota.objects.all().delete()
        sends = [
            partial(
                send_invitations,
                actor=actor_of(alice),
                organization=each,
                parsed=parse_addresses(f"a{i}-{j}@acme.test, b{i}-{j}@acme.test"),
            )
            for each in (organization, beta)
            for j in range(3)
        ]
        results = at_once(*sends)
        refused = [result for result in results if isinstance(result, errors.InviterLimit)]
        assert len(refused) == 3
        assert {error.values["left"] for error in refused} == {1}
        assert Quota.objects.get().used == 6
    assert Invitation.objects.count() == 6 * ROUNDS
