"""What the invited can say: a word with a decline, never again, again after all; and links to hand over."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db.models import F

from guestlist import errors
from guestlist.actions.acceptance import (
    accept_invitation,
    decline_invitation,
    find_invitation,
    find_own_invitation,
    own_invitations,
)
from guestlist.actions.asking import Answer, ask_for_invitation
from guestlist.actions.batches import Selection
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.invitations import (
    preview_invitations,
    resend_invitation,
    resend_invitations,
    revoke_invitation,
)
from guestlist.actions.members import remove_member
from guestlist.actions.suppressions import allow_invitations, own_suppressions, suppress_invitations
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_addresses
from guestlist.delivery.emails import message_of
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership, Suppression
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user

ANYBODY = Actor("invitee", origin=Origin("web"))
VERA = "vera@acme.test"


@pytest.fixture
def vera(db):
    return make_user(VERA, "Vera Vance")


@pytest.fixture
def invitation(organization, alice):
    row = send(organization, alice, VERA).outcomes[0].invitation
    return find_invitation(token=invitation_token(row.nonce, row.pk))


def decline(invitation, **values):
    return decline_invitation(actor=ANYBODY, invitation=invitation, typed_address=VERA, **values)


def expire(invitation):
    week = timedelta(days=8)
    Invitation.objects.filter(pk=invitation.pk).update(
        invited_at=F("invited_at") - week, expires_at=F("expires_at") - week
    )
    return Invitation.objects.for_display().select_related("organization").get(pk=invitation.pk)


def told(kind):
    return list(Delivery.objects.filter(kind=kind).values_list("recipient", flat=True))


def test_only_the_invited_decline_and_nothing_of_a_refused_word_is_kept(invitation, mallory):
    for actor, typed in ((ANYBODY, ""), (ANYBODY, "x@y.test"), (actor_of(mallory), mallory.email)):
        with pytest.raises(errors.AddressNotConfirmed):
            decline_invitation(
                actor=actor, invitation=invitation, typed_address=typed, note="ha", suppress="server"
            )
    invitation.refresh_from_db()
    assert (invitation.status, invitation.decline_note) == ("pending", "")
    assert not Suppression.objects.exists()
    assert not told("declined")


def test_a_word_reaches_the_inviter_on_the_page_and_by_mail(invitation, alice):
    decline(invitation, note="  Not\x00 this\nyear,\u202e thanks ")
    invitation.refresh_from_db()
    assert (invitation.status, invitation.decline_note) == ("declined", "Not this year, thanks")
    message = message_of(Delivery.objects.select_related("invitation", "organization").get(kind="declined"))
    assert message.to == [alice.email]
    assert "vera@acme.test declined the invitation to Northwind" in message.subject
    assert "Not this year, thanks" in message.body


def test_no_mail_goes_out_for_a_decline_without_a_word(invitation):
    decline(invitation, note="   ")
    assert not told("declined")


def test_a_word_with_a_link_stays_on_the_page(invitation):
    decline(invitation, note="see evil.test/win")
    message = message_of(Delivery.objects.select_related("invitation", "organization").get(kind="declined"))
    assert "evil" not in message.body
    assert "evil" not in str(message.alternatives)


def test_a_long_word_is_cut(invitation):
    assert len(decline(invitation, note="x" * 5000).decline_note) == 300


@pytest.mark.parametrize(("suppress", "elsewhere"), [("organization", "sent"), ("server", "suppressed")])
def test_later_invitations_meet_a_suppression(
    organization, alice, beta, dora, invitation, suppress, elsewhere
):
    decline(invitation, suppress=suppress)
    batch = send(organization, alice, f"{VERA.upper()}, new@acme.test")
    assert [o.outcome for o in batch.outcomes] == ["suppressed", "sent"]
    assert batch.as_resource()["skipped"] == 1
    assert "1 asked not to be invited, skipped." in str(batch)
    assert [o.outcome for o in send(beta, dora, VERA).outcomes] == [elsewhere]
    assert Event.objects.get(type="invitation.suppressed").actor_type == "invitee"


def test_the_preview_says_the_same_as_the_send(organization, alice, invitation):
    decline(invitation, suppress="organization")
    preview = preview_invitations(
        actor=actor_of(alice), organization=organization, parsed=parse_addresses(VERA)
    )
    assert [o.outcome for o in preview.outcomes] == ["suppressed"]


def test_a_pending_invitation_of_a_suppressed_address_is_not_mailed_again(organization, alice, beta, dora):
    ours = send(organization, alice, VERA).outcomes[0].invitation
    theirs = send(beta, dora, VERA).outcomes[0].invitation
    decline(find_invitation(token=invitation_token(ours.nonce, ours.pk)), suppress="server")
    theirs.refresh_from_db()
    assert theirs.status == "pending"
    with pytest.raises(errors.Suppressed):
        resend_invitation(actor=actor_of(dora), organization=beta, invitation_id=theirs.pk)
    result = resend_invitations(
        actor=actor_of(dora), organization=beta, selection=Selection(ids=[str(theirs.pk)])
    )
    assert (result.done, result.skipped) == (0, 1)
    theirs.refresh_from_db()
    assert theirs.sent_count == 1


def test_whoever_asked_not_to_be_invited_takes_it_back(organization, alice, invitation, vera, mallory):
    decline(invitation, suppress="organization")
    row = Suppression.objects.get()
    assert not own_suppressions(actor=actor_of(mallory)).exists()
    with pytest.raises(errors.NotFound):
        allow_invitations(actor=actor_of(mallory), suppression_id=row.pk)
    with pytest.raises(errors.AddressNotConfirmed):
        suppress_invitations(actor=actor_of(mallory), invitation=invitation, scope=None)
    assert Suppression.objects.exists()
    allow_invitations(actor=actor_of(vera), suppression_id=row.pk)
    assert send(organization, alice, VERA).sent == 1


def test_the_link_of_an_ended_invitation_changes_who_may_invite(organization, alice, invitation):
    suppress_invitations(actor=ANYBODY, invitation=invitation, scope="organization", typed_address=VERA)
    suppress_invitations(actor=ANYBODY, invitation=invitation, scope="organization", typed_address=VERA)
    assert Suppression.objects.count() == 1
    suppress_invitations(actor=ANYBODY, invitation=invitation, scope=None, typed_address=VERA)
    assert not Suppression.objects.exists()
    events = Event.objects.order_by("number").values_list("type", flat=True)
    assert list(events)[-2:] == ["invitation.suppressed", "invitation.allowed"]


def test_an_invitation_that_is_pending_or_revoked_cannot_be_asked_for(organization, alice, invitation):
    with pytest.raises(errors.NotPending):
        ask_for_invitation(actor=ANYBODY, invitation=invitation)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    with pytest.raises(errors.NotPending):
        ask_for_invitation(actor=ANYBODY, invitation=invitation)
    assert not told("asked")


def test_asking_tells_the_inviter_once_a_day(invitation, alice):
    expired = expire(invitation)
    assert ask_for_invitation(actor=ANYBODY, invitation=expired) == Answer.TOLD
    assert ask_for_invitation(actor=ANYBODY, invitation=expired) == Answer.TOLD_BEFORE
    assert told("asked") == [alice.email]
    Invitation.objects.update(asked_at=F("asked_at") - timedelta(days=1, seconds=1))
    assert ask_for_invitation(actor=ANYBODY, invitation=expired) == Answer.TOLD
    assert len(told("asked")) == 2
    message = message_of(
        Delivery.objects.select_related("invitation", "organization").filter(kind="asked").first()
    )
    assert "/o/northwind/admin/invitations?status=asked&q=vera%40acme.test" in message.body


def test_the_owners_are_told_when_the_inviter_cannot_grant_it(organization, alice, bob, invitation):
    row = send(organization, bob, "other@acme.test").outcomes[0].invitation
    member = Membership.objects.active().get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    ask_for_invitation(actor=ANYBODY, invitation=expire(row))
    assert told("asked") == [alice.email]


@pytest.mark.parametrize("end", [expire, decline])
def test_one_click_grants_what_was_asked_for(organization, alice, invitation, end):
    ended = end(invitation)
    ask_for_invitation(actor=ANYBODY, invitation=ended)
    assert Invitation.objects.asked().count() == 1
    new = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    assert new.pk != invitation.pk
    assert new.status_now == "pending"
    assert not Invitation.objects.asked().exists()
    assert ask_for_invitation(actor=ANYBODY, invitation=ended) == Answer.NEWER_PENDING


def test_a_declined_invitation_nobody_asked_about_is_not_resent(organization, alice, invitation):
    decline(invitation)
    with pytest.raises(errors.NotPending):
        resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)


def test_whoever_asked_not_to_be_invited_allows_it_before_asking(invitation):
    declined = decline(invitation, suppress="organization")
    assert ask_for_invitation(actor=ANYBODY, invitation=declined) == Answer.SUPPRESSED
    assert not told("asked")


def test_word_to_a_manager_leaves_though_the_invitation_has_ended(invitation, settings, mailoutbox):
    from uuid import uuid4

    from tests.conftest import deliver_due

    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "send"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    decline(invitation, note="No, thanks")
    deliver_due(uuid4())
    assert [message.subject for message in mailoutbox] == [
        "vera@acme.test declined the invitation to Northwind"
    ]


def test_own_invitations_are_those_to_verified_addresses(organization, alice, beta, dora, vera, mallory):
    send(organization, alice, VERA)
    theirs = send(beta, dora, "vera@home.test").outcomes[0].invitation
    assert [row.organization for row in own_invitations(actor=actor_of(vera))] == [organization]
    EmailAddress.objects.create(user=vera, email="vera@home.test", verified=False)
    with pytest.raises(errors.NotFound):
        find_own_invitation(actor=actor_of(vera), invitation_id=theirs.pk)
    EmailAddress.objects.update(verified=True)
    assert own_invitations(actor=actor_of(vera)).count() == 2
    assert not own_invitations(actor=actor_of(mallory)).exists()
    found = find_own_invitation(actor=actor_of(vera), invitation_id=theirs.pk)
    assert accept_invitation(actor=actor_of(vera), invitation=found).joined


@pytest.fixture
def no_mail(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}


def hand_over(organization, user, invitation):
    url = create_hand_over_link(actor=actor_of(user), organization=organization, invitation_id=invitation.pk)
    return url.rpartition("/")[2]


def test_links_are_handed_over_only_by_managers_and_where_there_is_no_mail(
    organization, alice, charlie, mallory, invitation, settings
):
    with pytest.raises(errors.EmailConfigured):
        hand_over(organization, alice, invitation)
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    with pytest.raises(errors.NotAllowed):
        hand_over(organization, charlie, invitation)
    with pytest.raises(errors.NotFound):
        hand_over(organization, mallory, invitation)
    assert not Event.objects.filter(type="invitation.link_created").exists()
    token = hand_over(organization, alice, invitation)
    assert token.startswith("glh_")
    assert Event.objects.get(type="invitation.link_created").actor_id == str(alice.pk)


def test_a_new_link_ends_the_one_before_and_an_end_ends_it(no_mail, organization, alice, invitation):
    first, second = hand_over(organization, alice, invitation), hand_over(organization, alice, invitation)
    with pytest.raises(errors.NotFound):
        find_invitation(token=first)
    assert find_invitation(token=second).proves_mailbox is False
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=invitation.pk)
    assert find_invitation(token=second).status_now == "revoked"
    with pytest.raises(errors.NotPending):
        hand_over(organization, alice, invitation)


def test_no_kind_of_link_opens_as_another(no_mail, organization, alice, invitation):
    handed = hand_over(organization, alice, invitation)
    mailed = invitation_token(invitation.nonce, invitation.pk)
    for token in ("gli_" + handed[4:], "glh_" + mailed[4:], "glj_" + mailed[4:], mailed[4:]):
        with pytest.raises(errors.NotFound):
            find_invitation(token=token)


def test_a_removed_members_links_stop_working(no_mail, organization, alice, bob, invitation):
    token = hand_over(organization, bob, invitation)
    member = Membership.objects.active().get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    with pytest.raises(errors.NotFound):
        find_invitation(token=token)
    assert Invitation.objects.get(pk=invitation.pk).status == "pending"


def test_a_link_that_was_handed_over_silences_nobody(no_mail, organization, alice, invitation):
    found = find_invitation(token=hand_over(organization, alice, invitation))
    with pytest.raises(errors.MailboxNotProved):
        decline_invitation(actor=ANYBODY, invitation=found, typed_address=VERA, suppress="server")
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Suppression.objects.exists()


def test_an_address_joined_by_hand_opens_no_other_invitation(
    no_mail, organization, alice, beta, dora, invitation
):
    from guestlist_server.accounts.models import User

    user = User.objects.create_user(VERA, None, name="Handed")
    EmailAddress.objects.create(user=user, email=VERA, verified=False, primary=True)
    found = find_invitation(token=hand_over(organization, alice, invitation))
    assert accept_invitation(actor=actor_of(user), invitation=found).membership.email_verified is False
    other = send(beta, dora, VERA).outcomes[0].invitation
    mailed = find_invitation(token=invitation_token(other.nonce, other.pk))
    with pytest.raises(errors.EmailMismatch):
        accept_invitation(actor=actor_of(user), invitation=mailed)
    assert not own_invitations(actor=actor_of(user)).exists()
