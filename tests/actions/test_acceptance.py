"""Accepting and declining: who may, who wins, and what the truth is afterwards."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db.models import F

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, decline_invitation, find_invitation
from guestlist.actions.invitations import revoke_invitation
from guestlist.actors import Actor, Origin
from guestlist.links import MAILED, invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user

ANYBODY = Actor("invitee", origin=Origin("web"))


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def token(invitation):
    return invitation_token(invitation.nonce, invitation.pk)


@pytest.fixture
def vera(db):
    return make_user("vera@acme.test", "Vera Vance")


def test_somebody_else_is_refused_and_nothing_changes(invitation, token, mallory):
    with pytest.raises(errors.EmailMismatch):
        accept_invitation(actor=actor_of(mallory), invitation=find_invitation(token=token))
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Membership.objects.filter(user=mallory).exists()


def test_an_unverified_address_does_not_count(token, mallory):
    EmailAddress.objects.create(user=mallory, email="vera@acme.test", verified=False)
    with pytest.raises(errors.EmailMismatch):
        accept_invitation(actor=actor_of(mallory), invitation=find_invitation(token=token))


def test_a_key_or_the_operator_cannot_accept(token, db):
    with pytest.raises(errors.EmailMismatch):
        accept_invitation(actor=Actor.operator(), invitation=find_invitation(token=token))


def test_the_owner_of_the_address_joins_without_a_role(organization, invitation, token, vera):
    acceptance = accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))
    assert acceptance.joined
    assert acceptance.membership.role is None
    invitation.refresh_from_db()
    assert invitation.status == "accepted"
    assert list(Event.objects.order_by("number").values_list("type", flat=True))[-2:] == [
        "invitation.accepted",
        "member.joined",
    ]


def test_a_used_link_says_what_it_is(token, vera):
    accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))
    with pytest.raises(errors.NotPending, match="accepted"):
        accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))
    assert Membership.objects.filter(user=vera).count() == 1


def test_a_revoked_link_is_dead(organization, alice, invitation, token, vera):
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    with pytest.raises(errors.NotPending, match="revoked"):
        accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))
    assert not Membership.objects.filter(user=vera).exists()
    assert Delivery.objects.get().state == "canceled"


def test_an_expired_link_is_dead_by_the_databases_clock(invitation, token, vera):
    Invitation.objects.update(
        invited_at=F("invited_at") - timedelta(days=8),
        expires_at=F("expires_at") - timedelta(days=7, seconds=1),
    )
    with pytest.raises(errors.NotPending, match="expired"):
        accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))


def test_a_member_who_opens_a_second_invitation_stays_one_member(organization, alice, token, vera):
    accept_invitation(actor=actor_of(vera), invitation=find_invitation(token=token))
    second = send(organization, alice, "vera@home.test").outcomes[0].invitation
    EmailAddress.objects.create(user=vera, email="vera@home.test", verified=True)
    acceptance = accept_invitation(
        actor=actor_of(vera), invitation=find_invitation(token=invitation_token(second.nonce, second.pk))
    )
    assert not acceptance.joined
    assert Membership.objects.filter(user=vera, state="active").count() == 1


def test_declining_takes_the_owner_or_the_typed_address(invitation, token, mallory):
    with pytest.raises(errors.AddressNotConfirmed):
        decline_invitation(actor=ANYBODY, invitation=find_invitation(token=token), typed_address="")
    with pytest.raises(errors.AddressNotConfirmed):
        decline_invitation(
            actor=actor_of(mallory),
            invitation=find_invitation(token=token),
            typed_address="mallory@evil.test",
        )
    decline_invitation(
        actor=ANYBODY, invitation=find_invitation(token=token), typed_address=" VERA@acme.test "
    )
    invitation.refresh_from_db()
    assert invitation.status == "declined"
    assert Event.objects.get(type="invitation.declined").actor_type == "invitee"


def test_every_changed_character_makes_the_token_unknown(token, db, django_assert_num_queries):
    changed = [
        token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        for i in range(len(MAILED.prefix), len(token))
    ]
    for bad in [
        *changed,
        token[:-1],
        token + "A",
        token.swapcase(),
        token.upper(),
        "",
        "gli_",
        "glh_" + token[4:],
        token[4:],
        "é" * 64,
    ]:
        with django_assert_num_queries(1), pytest.raises(errors.NotFound):
            find_invitation(token=bad)


def test_links_live_on_when_the_key_moves_to_the_fallbacks(token, settings, db):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, long enough to be one, yes"
    with pytest.raises(errors.NotFound):
        find_invitation(token=token)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert find_invitation(token=token).email == "vera@acme.test"


def test_no_table_holds_a_token(token, organization, db):
    from django.apps import apps

    for model in apps.get_models():
        for row in model._default_manager.values_list():
            assert token not in repr(row)
            assert token[4:] not in repr(row)
