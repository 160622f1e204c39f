"""How much may be sent, resent, mailed to one address, and created; what is counted, and what is refused."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation

from guestlist import errors
from guestlist.actions.api_keys import authenticate
from guestlist.actions.invitations import (
    Selection,
    resend_invitation,
    resend_invitations,
    revoke_invitation,
    send_invitations,
)
from guestlist.actions.limits import forget_quotas, held_back, shares
from guestlist.actions.organizations import create_organization
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_items
from guestlist.conf import conf, parse_limits
from guestlist.models import Delivery, Event, Invitation, Organization, Quota, Suppression
from tests.conftest import actor_of, join


def send(organization, actor, *emails):
    return send_invitations(actor=actor, organization=organization, parsed=parse_items(list(emails)))


def many(number, name="p"):
    return [f"{name}{i}@acme.test" for i in range(number)]


def used():
    return dict(Quota.objects.values_list("subject", "used"))


def pass_time(period):
    """Let everything have happened `period` earlier."""
    Delivery.objects.update(created_at=F("created_at") - period, at=F("at") - period)
    Quota.objects.update(starts_at=F("starts_at") - period)


# Sending -----------------------------------------------------------------------------------------------


def test_who_may_not_send_uses_nothing_up(organization, charlie, limit):
    limit(inviter="5/1d", organization="5/1d")
    with pytest.raises(errors.NotAllowed):
        send(organization, actor_of(charlie), "jane@acme.test")
    assert not Quota.objects.exists()


def test_a_person_sends_no_more_than_allowed_and_all_or_nothing(organization, alice, limit):
    """Q01."""
    limit(inviter="5/1d")
    send(organization, actor_of(alice), *many(3))
    with pytest.raises(errors.InviterLimit) as caught:
        send(organization, actor_of(alice), *many(3, "q"))
    assert Invitation.objects.count() == Delivery.objects.count() == 3
    assert Event.objects.filter(type="invitation.sent").count() == 3
    assert used() == {f"user:{alice.pk}": 3}
    values = caught.value.values
    assert (values["limit"], values["allowed"], values["left"]) == ("inviter", 5, 2)
    assert 0 < values["retry_after"] <= 86_400
    assert "now: 2 of 5 in 1 day" in str(caught.value)
    assert "5 in 1 day" in str(caught.value)
    assert send(organization, actor_of(alice), *many(2, "q")).sent == 2


def test_a_person_is_counted_across_organizations(organization, beta, alice, limit):
    limit(inviter="5/1d")
    join(beta, alice, "Admin")
    send(organization, actor_of(alice), *many(4))
    with pytest.raises(errors.InviterLimit):
        send(beta, actor_of(alice), *many(2))
    assert send(beta, actor_of(alice), "p0@acme.test").sent == 1


def test_an_organization_is_counted_across_people(organization, alice, bob, limit):
    """Q02."""
    limit(inviter="100/1d", organization="5/1d")
    send(organization, actor_of(alice), *many(4))
    with pytest.raises(errors.OrganizationLimit, match="left to Northwind now: 1 of") as caught:
        send(organization, actor_of(bob), *many(2, "q"))
    assert caught.value.values["limit"] == "organization"
    assert used() == {f"user:{alice.pk}": 4, f"organization:{organization.pk}": 4}


def test_a_key_is_counted_for_itself(organization, alice, make_key, limit):
    limit(inviter="2/1d")
    send(organization, actor_of(alice), *many(2))
    key = authenticate(secret=make_key(organization), origin=Origin("api"))
    assert send(organization, key, *many(2, "q")).sent == 2
    with pytest.raises(errors.InviterLimit):
        send(organization, key, "late@acme.test")
    assert set(used()) == {f"user:{alice.pk}", f"api_key:{key.id}"}


def test_the_operator_is_not_counted(organization, alice, limit):
    limit(inviter="1/1d", organization="1/1d", resend="1/10m")
    send(organization, Actor.operator(), *many(5))
    for _ in range(3):
        resend_invitations(
            actor=Actor.operator(), organization=organization, selection=Selection(status="pending")
        )
    assert not Quota.objects.exists()
    assert shares(actor=Actor.operator(), organization=organization) == []
    assert Invitation.objects.filter(sent_count=4).count() == 5


def test_only_what_is_sent_counts(organization, alice, bob, limit):
    limit(inviter="3/1d")
    Suppression.objects.create(key="quiet@acme.test", organization=organization)
    send(organization, actor_of(alice), "jane@acme.test")
    batch = send(
        organization,
        actor_of(alice),
        *("jane@acme.test", "bob@northwind.test", "quiet@acme.test", "x@", "new@acme.test", "new@acme.test"),
    )
    assert (batch.sent, len(batch.outcomes)) == (1, 6)
    assert used() == {f"user:{alice.pk}": 2}


def test_nothing_new_uses_nothing_up_and_is_never_refused(organization, alice, bob, limit):
    limit(inviter="0/1d", organization="0/1d")
    assert send(organization, actor_of(alice), "bob@northwind.test").sent == 0
    assert not Quota.objects.exists()


def test_a_new_period_begins_with_nothing_used(organization, alice, limit):
    limit(inviter="2/1h", organization="3/1d")
    send(organization, actor_of(alice), *many(2))
    pass_time(timedelta(hours=1))
    assert send(organization, actor_of(alice), *many(1, "q")).sent == 1


def test_periods_begin_at_full_multiples_by_the_clock_of_the_database(organization, alice, limit):
    limit(inviter="2/1h")
    send(organization, actor_of(alice), "jane@acme.test")
    row = Quota.objects.annotate(now=Now()).get()
    assert (row.starts_at.minute, row.starts_at.second, row.starts_at.microsecond) == (0, 0, 0)
    assert timedelta(0) <= row.now - row.starts_at < timedelta(hours=1)
    (share,) = shares(actor=actor_of(alice), organization=organization)
    assert (share.name, share.left, share.ends_at) == ("inviter", 1, row.starts_at + timedelta(hours=1))
    assert share.seconds <= 3600


def test_by_default_a_new_organization_sends_ten_thousand_in_its_first_call(organization, alice):
    """Q02."""
    assert send(organization, actor_of(alice), *many(10_000)).sent == 10_000
    left = {share.name: share.left for share in shares(actor=actor_of(alice), organization=organization)}
    assert left == {"inviter": 10_000, "organization": 40_000}


def test_what_is_left_takes_one_query(organization, alice, django_assert_num_queries):
    send(organization, actor_of(alice), "jane@acme.test")
    with django_assert_num_queries(1):
        assert len(shares(actor=actor_of(alice), organization=organization)) == 2


def test_sentences_group_numbers_as_the_language_does(organization, alice, limit):
    limit(inviter="5000/1d")
    send(organization, actor_of(alice), *many(1_500))
    with translation.override("de"), pytest.raises(errors.InviterLimit) as caught:
        send(organization, actor_of(alice), *many(4_000, "q"))
    with translation.override("de"):
        assert "3.500" in str(caught.value)
    assert caught.value.as_problem()["left"] == 3_500


def test_old_counts_are_forgotten_and_current_ones_are_not(organization, alice, limit):
    limit(inviter="5/1d", organization="5/7d")
    send(organization, actor_of(alice), "jane@acme.test")
    assert forget_quotas() == 0
    assert len(used()) == 2
    pass_time(timedelta(days=7))
    assert forget_quotas() == 2


# Resending ---------------------------------------------------------------------------------------------


def resend(organization, user, row):
    return resend_invitation(actor=actor_of(user), organization=organization, invitation_id=row.pk)


def resend_all(organization, user):
    return resend_invitations(actor=actor_of(user), organization=organization, selection=Selection(q="acme"))


@pytest.fixture
def invitation(organization, alice):
    return send(organization, actor_of(alice), "jane@acme.test").outcomes[0].invitation


def test_the_same_invitation_is_resent_once_in_ten_minutes(organization, alice, bob, invitation):
    """Q07."""
    resend(organization, alice, invitation)
    with pytest.raises(errors.ResendLimit, match="Nothing was sent; try again in 10 minutes") as caught:
        resend(organization, bob, invitation)
    assert 590 < caught.value.values["retry_after"] <= 600
    assert caught.value.values["limit"] == "resend"
    assert Delivery.objects.count() == 2
    pass_time(timedelta(minutes=10))
    assert resend(organization, bob, invitation).sent_count == 3


def test_the_first_mail_does_not_count_whenever_it_was(organization, alice, invitation):
    pass_time(timedelta(minutes=9, seconds=59))
    resend(organization, alice, invitation)
    with pytest.raises(errors.ResendLimit):
        resend(organization, alice, invitation)


def test_as_many_as_are_allowed_and_the_oldest_says_when(organization, alice, invitation, limit):
    limit(resend="2/1h")
    resend(organization, alice, invitation)
    pass_time(timedelta(minutes=20))
    resend(organization, alice, invitation)
    with pytest.raises(errors.ResendLimit, match="in 40 minutes"):
        resend(organization, alice, invitation)


@pytest.mark.parametrize("state", ["failed", "bounced"])
def test_what_did_not_arrive_is_resent_at_once(organization, alice, invitation, state):
    resend(organization, alice, invitation)
    Delivery.objects.owed().update(state=state, next_at=None)
    assert resend(organization, alice, invitation).sent_count == 3


def test_what_has_ended_says_so_rather_than_wait(organization, alice, invitation):
    resend(organization, alice, invitation)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    with pytest.raises(errors.NotPending, match="revoked"):
        resend(organization, alice, invitation)


def test_of_many_those_sent_a_short_while_ago_are_skipped(organization, alice):
    first, second, third = (o.invitation for o in send(organization, actor_of(alice), *many(3)).outcomes)
    resend(organization, alice, first)
    resend(organization, alice, second)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=second.pk)
    selection = Selection(ids=[str(row.pk) for row in (first, second, third)])
    result = resend_invitations(actor=actor_of(alice), organization=organization, selection=selection)
    assert [outcome for _, outcome in result.results] == ["too_soon", "not_pending", "resent"]
    assert (result.done, result.skipped) == (1, 2)
    assert str(result) == (
        "1 invitation sent again. 1 sent a short while ago, skipped. 1 skipped: no longer pending."
    )


def test_resending_many_counts_all_or_nothing(organization, alice, limit):
    limit(inviter="10/1d")
    rows = [outcome.invitation for outcome in send(organization, actor_of(alice), *many(6)).outcomes]
    Invitation.objects.filter(pk=rows[0].pk).update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=8)
    )
    with pytest.raises(errors.InviterLimit) as caught:
        resend_all(organization, alice)
    assert caught.value.values["left"] == 4
    assert Delivery.objects.count() == Invitation.objects.count() == 6
    assert not Delivery.objects.exclude(state="queued").exists()
    assert used() == {f"user:{alice.pk}": 6}
    some = Selection(ids=[str(row.pk) for row in rows[:4]])
    assert resend_invitations(actor=actor_of(alice), organization=organization, selection=some).done == 4
    assert used() == {f"user:{alice.pk}": 10}


# One address, all organizations ------------------------------------------------------------------------


def hand_over(number, state="sent", key="jane@acme.test", **values):
    """Messages to an address that have left."""
    organization = Organization.objects.first()
    for i in range(number):
        invitation = Invitation.objects.create(
            organization=organization,
            email=key,
            key=key,
            nonce=f"{Invitation.objects.count():022d}",
            status="revoked",
            invited_at=Now(),
            last_sent_at=Now(),
            expires_at=Now() + timedelta(days=7),
            ended_at=Now(),
            invited_by_type="operator",
        )
        Delivery.objects.create(
            organization=organization,
            invitation=invitation,
            key=key,
            state=state,
            next_at=None,
            at=Now() - timedelta(minutes=i),
            message_id=f"<{invitation.pk}@acme.test>",
            **values,
        )


def test_an_address_is_held_back_from_the_tenth_message_on(organization, beta):
    hand_over(9)
    assert held_back(["jane@acme.test"]) == {}
    hand_over(1, state="delivered")
    oldest = Delivery.objects.order_by("at").first()
    assert held_back(["jane@acme.test", "sue@acme.test"]) == {"jane@acme.test": oldest.at + timedelta(days=1)}
    hand_over(1)
    later = held_back(["jane@acme.test"])["jane@acme.test"]
    assert later == Delivery.objects.order_by("at")[1].at + timedelta(days=1)


def test_bounced_and_complained_messages_were_handed_over_too(organization, limit):
    limit(address="2/1d")
    hand_over(1, state="bounced")
    hand_over(1, state="complained")
    assert set(held_back(["jane@acme.test"])) == {"jane@acme.test"}


def test_what_did_not_leave_or_went_to_somebody_else_or_is_old_does_not_count(organization, limit):
    limit(address="1/1d")
    hand_over(1, state="failed")
    hand_over(1, state="canceled")
    hand_over(1, kind="asked", recipient="jane@acme.test")
    hand_over(1, key="sue@acme.test")
    assert held_back(["jane@acme.test"]) == {}
    hand_over(1)
    Delivery.objects.update(at=Now() - timedelta(days=1))
    assert held_back(["jane@acme.test", "sue@acme.test"]) == {}


def _explain(execute, sql, params, many, context):
    """Asserts that a query uses the index, with its values bound as they are."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    if connection.vendor == "postgresql":
        execute("SET LOCAL enable_seqscan = off", None, many, context)
    plan = execute(f"{explain} {sql}", params, many, context)
    # What PostgreSQL chooses for a handful of rows depends on what it has counted.
    assert connection.vendor != "sqlite" or "delivery_by_address" in str(context["cursor"].fetchall())
    return execute(sql, params, many, context) or plan


def test_fifty_addresses_take_one_query_by_the_index(organization, django_assert_num_queries, limit):
    hand_over(10)
    with connection.execute_wrapper(_explain), django_assert_num_queries(1):
        held_back([*many(49), "jane@acme.test"])
    with django_assert_num_queries(1):
        assert len(held_back([*many(49), "jane@acme.test"])) == 1
    limit()
    with django_assert_num_queries(0):
        assert held_back(["jane@acme.test"]) == {}


# Creating organizations --------------------------------------------------------------------------------


def create(user, name):
    return create_organization(actor=actor_of(user), name=name, slug=name.lower(), owner=user)


def test_a_person_creates_no_more_organizations_than_allowed(organization, alice, bob, limit, settings):
    limit(creation="2/1d")
    settings.GUESTLIST = settings.GUESTLIST | {"CREATE_ORGANIZATIONS": "anyone"}
    create(alice, "One")
    with pytest.raises(errors.SlugTaken):
        create(alice, "One")
    create(alice, "Two")
    with pytest.raises(errors.CreationLimit, match="0 of 2 in 1 day"):
        create(alice, "Three")
    assert not Organization.objects.filter(slug="three").exists()
    assert used() == {f"creator:user:{alice.pk}": 2}
    create(bob, "Three")
    create_organization(actor=Actor.operator(), name="Four", slug="four", owner=alice)


# Settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "complaint"),
    [({"inviter": "many"}, "inviter: 'many' is not a limit"), ({"invitor": "1/1d"}, "no limit invitor")],
)
def test_a_limit_that_is_none_stops_the_start(settings, given, complaint):
    settings.GUESTLIST = settings.GUESTLIST | {"LIMITS": given}
    with pytest.raises(ImproperlyConfigured, match=f"LIMITS.*{complaint}"):
        conf()


def test_limits_that_are_not_given_are_as_by_default():
    limits = parse_limits({"inviter": "none"})
    assert limits.inviter is None
    assert (limits.resend.count, limits.resend.period) == (1, timedelta(minutes=10))
