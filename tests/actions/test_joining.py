"""Coming in without a manager's invitation: who can, and what becomes of an address that was typed."""

import pytest
from allauth.account.models import EmailAddress

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.invitations import send_invitations
from guestlist.actions.join_links import (
    create_join_link,
    invite_by_link,
    join_by_link,
    turn_off_join_link,
    update_join_link,
)
from guestlist.actions.joining import invite_self, was_removed
from guestlist.actions.members import leave_organization, remove_member
from guestlist.actors import Origin
from guestlist.addresses import Address, parse_addresses
from guestlist.delivery.wording import values_of
from guestlist.links import invitation_token
from guestlist.models import Delivery, Domain, Event, Invitation, JoinLink, Membership, Role, Suppression
from tests.conftest import actor_of, make_user
from tests.conftest import join as add

pytestmark = pytest.mark.django_db
ORIGIN = Origin("web", "192.0.2.1", "tests")


@pytest.fixture(autouse=True)
def _no_limits(limit):
    limit()


@pytest.fixture
def link(organization, alice):
    return create_join_link(actor=actor_of(alice), organization=organization, name="Team")


def typed(link, email):
    """What is pending after somebody typed the address at the link."""
    invite_by_link(origin=ORIGIN, join_link=link, email=email)
    return Invitation.objects.pending().filter(organization=link.organization, key=email.lower()).first()


def accept(row, user):
    found = find_invitation(token=invitation_token(row.nonce, row.pk))
    return accept_invitation(actor=actor_of(user), invitation=found)


def remove(organization, alice, user):
    member = Membership.objects.active().get(organization=organization, user=user)
    return remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)


def invite(organization, alice, email):
    batch = send_invitations(actor=actor_of(alice), organization=organization, parsed=parse_addresses(email))
    return batch.outcomes[0].invitation


def test_a_removed_person_does_not_join_by_a_link(organization, alice, charlie, link):
    remove(organization, alice, charlie)
    with pytest.raises(errors.RemovedBefore):
        join_by_link(actor=actor_of(charlie), join_link=link)
    assert JoinLink.objects.get().uses == 0


def test_a_removed_person_is_mailed_no_invitation(organization, alice, charlie, link):
    remove(organization, alice, charlie)
    assert typed(link, charlie.email) is None
    assert not Delivery.objects.exists()


def test_a_removed_person_does_not_come_back_with_another_verified_address(
    organization, alice, charlie, link
):
    EmailAddress.objects.create(user=charlie, email="charlie@elsewhere.test", verified=True)
    remove(organization, alice, charlie)
    assert typed(link, "charlie@elsewhere.test") is None


def test_a_removed_person_does_not_come_back_with_an_address_that_is_verified_later(
    organization, alice, charlie, link
):
    remove(organization, alice, charlie)
    row = typed(link, "charlie@elsewhere.test")
    EmailAddress.objects.create(user=charlie, email="charlie@elsewhere.test", verified=True)
    with pytest.raises(errors.RemovedBefore):
        accept(row, charlie)
    assert Invitation.objects.get(pk=row.pk).status == "pending"
    assert JoinLink.objects.get().uses == 0


def test_a_removed_person_does_not_come_back_with_a_new_account(organization, alice, charlie, link):
    remove(organization, alice, charlie)
    EmailAddress.objects.filter(user=charlie).delete()
    again = make_user("c2@elsewhere.test", "Charlie Again")
    EmailAddress.objects.create(user=again, email=charlie.email, verified=True)
    with pytest.raises(errors.RemovedBefore):
        join_by_link(actor=actor_of(again), join_link=link)


def test_a_managers_invitation_lets_a_removed_person_back_in(organization, alice, charlie, link):
    remove(organization, alice, charlie)
    assert accept(invite(organization, alice, charlie.email), charlie).joined
    leave_organization(actor=actor_of(charlie), organization=organization)
    # Whoever left by themselves was not sent away.
    assert join_by_link(actor=actor_of(charlie), join_link=link).fresh


def test_leaving_with_a_second_account_does_not_undo_that_the_first_was_removed(
    organization, alice, charlie, link
):
    second = make_user("charlie@home.test", "Charlie Cook")
    add(organization, second, "Member")
    remove(organization, alice, charlie)
    leave_organization(actor=actor_of(second), organization=organization)
    EmailAddress.objects.create(user=charlie, email="c@home.test", verified=True)
    assert was_removed(organization, {"charlie@home.test"}, charlie.pk)
    with pytest.raises(errors.RemovedBefore):
        join_by_link(actor=actor_of(charlie), join_link=link)


def test_who_was_removed_is_known_by_user_and_by_address(organization, alice, charlie, mallory):
    assert not was_removed(organization, {charlie.email}, charlie.pk)
    remove(organization, alice, charlie)
    assert was_removed(organization, set(), charlie.pk)
    assert was_removed(organization, {charlie.email})
    assert not was_removed(organization, {mallory.email}, mallory.pk)
    assert not was_removed(organization, set())


def test_nobody_joins_a_deleted_organization(organization, mallory, link):
    organization.deleted_at = link.created_at
    organization.save()
    with pytest.raises(errors.NotFound):
        join_by_link(actor=actor_of(mallory), join_link=link)
    with pytest.raises(errors.NotFound):
        invite_by_link(origin=ORIGIN, join_link=link, email="jane@acme.test")
    assert not Invitation.objects.exists()


def test_an_address_at_a_denied_domain_neither_joins_nor_is_mailed(organization, mallory, link):
    organization.denied_domains = ["evil.test"]
    organization.save()
    with pytest.raises(errors.DomainNotAllowed):
        join_by_link(actor=actor_of(mallory), join_link=link)
    assert typed(link, "jane@evil.test") is None


def test_an_address_that_a_link_is_not_for_does_not_join(organization, alice, mallory):
    link = create_join_link(
        actor=actor_of(alice), organization=organization, name="Acme", domains="acme.test"
    )
    with pytest.raises(errors.NoFittingAddress):
        join_by_link(actor=actor_of(mallory), join_link=link)
    with pytest.raises(errors.LinkForDomains):
        invite_by_link(origin=ORIGIN, join_link=link, email="jane@evil.test")
    EmailAddress.objects.create(user=mallory, email="m@acme.test", verified=False)
    with pytest.raises(errors.NoFittingAddress):
        join_by_link(actor=actor_of(mallory), join_link=link)


def test_an_address_that_fits_the_link_but_not_the_organization_does_not_join(organization, alice, mallory):
    organization.allowed_domains = ["evil.test"]
    organization.save()
    link = create_join_link(
        actor=actor_of(alice), organization=organization, name="Acme", domains="acme.test"
    )
    EmailAddress.objects.create(user=mallory, email="m@acme.test", verified=True)
    with pytest.raises(errors.DomainNotAllowed):
        join_by_link(actor=actor_of(mallory), join_link=link)


def test_an_account_without_a_verified_address_does_not_join(link, mallory):
    EmailAddress.objects.filter(user=mallory).update(verified=False)
    with pytest.raises(errors.NoFittingAddress):
        join_by_link(actor=actor_of(mallory), join_link=link)


def test_whoever_joins_gets_the_role_for_new_members(organization, mallory, link):
    organization.new_member_role = Role.objects.get(organization=organization, name="Member")
    organization.save(update_fields=["new_member_role"])
    member = join_by_link(actor=actor_of(mallory), join_link=link).membership
    assert (member.role.name, member.via, member.join_link) == ("Member", "join_link", link)
    assert JoinLink.objects.get().uses == 1
    event = Event.objects.get(type="member.joined", subject_id=str(member.pk))
    assert (event.actor_id, event.changes["via"]) == (str(mallory.pk), [None, "join_link"])


def test_a_member_uses_nothing(organization, charlie, link):
    before = Event.objects.count()
    joined = join_by_link(actor=actor_of(charlie), join_link=link)
    assert not joined.fresh
    assert (JoinLink.objects.get().uses, Event.objects.count()) == (0, before)


def test_joining_accepts_the_invitations_that_wait(organization, alice, mallory, link):
    row = invite(organization, alice, mallory.email)
    other = invite(organization, alice, "jane@acme.test")
    join_by_link(actor=actor_of(mallory), join_link=link)
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.status, other.status) == ("accepted", "pending")


def test_a_typed_address_is_mailed_an_invitation_without_an_inviter(organization, link):
    row = typed(link, "Jane@acme.test")
    assert (row.email, row.invited_by_type, row.join_link) == ("Jane@acme.test", "invitee", link)
    event = Event.objects.get(type="invitation.sent")
    assert (event.actor_type, event.actor_name, event.ip) == ("invitee", "Jane@acme.test", "192.0.2.1")
    said = values_of(Delivery.objects.get())
    assert (said["subject"], said["inviter_email"], said["reply_to"]) == ("Join Northwind", "", "")
    assert JoinLink.objects.get().uses == 0


def test_accepting_what_one_had_mailed_to_oneself_counts_a_use(organization, link):
    row = typed(link, "jane@acme.test")
    jane = make_user("jane@acme.test", "Jane")
    member = accept(row, jane).membership
    assert (member.via, member.join_link, member.invitation) == ("join_link", link, row)
    assert JoinLink.objects.get().uses == 1


def test_a_link_that_is_used_up_ends_what_was_mailed_by_it(organization, alice, mallory):
    link = create_join_link(actor=actor_of(alice), organization=organization, name="One", max_uses="1")
    row, jane = typed(link, "jane@acme.test"), make_user("jane@acme.test", "Jane")
    join_by_link(actor=actor_of(mallory), join_link=link)
    with pytest.raises(errors.JoinLinkClosed):
        accept(row, jane)
    with pytest.raises(errors.JoinLinkClosed):
        invite_by_link(origin=ORIGIN, join_link=link, email="bill@acme.test")
    assert not Membership.objects.filter(user=jane).exists()
    assert JoinLink.objects.get().uses == 1


def test_turning_a_link_off_revokes_what_was_mailed_by_it(organization, alice, link):
    row, others = typed(link, "jane@acme.test"), invite(organization, alice, "bill@acme.test")
    turn_off_join_link(actor=actor_of(alice), organization=organization, join_link_id=link.pk)
    row.refresh_from_db()
    others.refresh_from_db()
    assert (row.status, others.status) == ("revoked", "pending")
    with pytest.raises(errors.NotPending):
        accept(row, make_user("jane@acme.test", "Jane"))


def test_a_link_that_expired_lets_nobody_in(organization, alice, mallory, link):
    row = typed(link, "jane@acme.test")
    JoinLink.objects.update(expires_at=link.created_at)
    with pytest.raises(errors.JoinLinkClosed):
        join_by_link(actor=actor_of(mallory), join_link=link)
    with pytest.raises(errors.JoinLinkClosed):
        accept(row, make_user("jane@acme.test", "Jane"))


def test_a_link_that_is_for_other_domains_now_lets_nobody_in_by_what_it_mailed(organization, alice, link):
    row, jane = typed(link, "jane@acme.test"), make_user("jane@acme.test", "Jane")
    wanted = {"join_link_id": link.pk, "name": "Team", "expires": "", "max_uses": ""}
    update_join_link(actor=actor_of(alice), organization=organization, domains="northwind.test", **wanted)
    with pytest.raises(errors.LinkForDomains):
        accept(row, jane)
    assert not Membership.objects.filter(user=jane).exists()
    assert JoinLink.objects.get().uses == 0
    update_join_link(actor=actor_of(alice), organization=organization, domains="acme.test", **wanted)
    assert accept(row, jane).joined


def test_a_member_who_accepts_what_they_had_mailed_uses_nothing(organization, link):
    row = typed(link, "jane@acme.test")
    jane = make_user("jane@acme.test", "Jane")
    add(organization, jane, None)
    assert not accept(row, jane).joined
    assert JoinLink.objects.get().uses == 0


def test_a_managers_invitation_uses_no_link(organization, alice, link):
    row = invite(organization, alice, "jane@acme.test")
    assert accept(row, make_user("jane@acme.test", "Jane")).membership.via == "invitation"
    assert JoinLink.objects.get().uses == 0


def test_nothing_is_mailed_to_members_and_those_who_want_none(organization, charlie, link):
    Suppression.objects.create(key="no@acme.test", organization=organization)
    for email in (charlie.email, "no@acme.test"):
        assert typed(link, email) is None
    assert not Delivery.objects.exists()


def test_nothing_is_mailed_where_mail_came_back_before(organization, link):
    row = typed(link, "gone@acme.test")
    Delivery.objects.update(hard=True, state="bounced", next_at=None)
    Invitation.objects.update(status="revoked", ended_at=link.created_at)
    assert typed(link, "gone@acme.test") is None
    assert list(Invitation.objects.all()) == [row]


def test_a_pending_address_is_mailed_again_only_after_a_while(organization, link, limit):
    limit(resend="1/10m")
    row = typed(link, "jane@acme.test")
    assert typed(link, "jane@acme.test").sent_count == 1
    Invitation.objects.update(last_sent_at=row.last_sent_at.replace(year=2020))
    again = typed(link, "jane@acme.test")
    assert (again.pk, again.sent_count, Delivery.objects.count()) == (row.pk, 2, 2)
    assert Event.objects.filter(type="invitation.resent", actor_type="invitee").count() == 1


def test_what_was_mailed_by_a_closed_link_comes_in_by_the_one_that_is_open(organization, alice, link):
    first = typed(link, "jane@acme.test")
    other = create_join_link(actor=actor_of(alice), organization=organization, name="Other")
    assert typed(other, "jane@acme.test").pk == first.pk
    JoinLink.objects.filter(pk=link.pk).update(enabled=False)
    accept(first, make_user("jane@acme.test", "Jane"))
    assert JoinLink.objects.get(pk=other.pk).uses == 1


def test_a_managers_invitation_stays_one_when_its_address_is_typed(organization, alice, link):
    row = invite(organization, alice, "jane@acme.test")
    again = typed(link, "jane@acme.test")
    assert (again.pk, again.sent_count, again.join_link) == (row.pk, 2, None)


def test_every_typed_address_counts_so_a_limit_tells_nothing(organization, charlie, link, limit):
    limit(inviter="2/1d")
    assert typed(link, charlie.email) is None
    assert typed(link, "jane@acme.test")
    for email in (charlie.email, "bill@acme.test"):
        with pytest.raises(errors.SelfInvitationLimit):
            invite_by_link(origin=ORIGIN, join_link=link, email=email)


def test_nothing_is_promised_where_no_mail_goes_out(organization, link, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    with pytest.raises(errors.JoiningNeedsEmail):
        invite_by_link(origin=ORIGIN, join_link=link, email="jane@acme.test")
    assert not Invitation.objects.exists()


def test_accepting_what_a_domain_mailed_says_so(organization, link):
    domain = Domain.objects.create(
        organization=organization, domain="acme.test", email="it@acme.test", nonce="A" * 22,
        code_expires_at=link.created_at, verified_at=link.created_at, mode="join",
    )  # fmt: skip
    with access.locked_by_holder(organization) as locked:
        row = invite_self(locked, Address("jane@acme.test", "jane@acme.test"), domain=domain, origin=ORIGIN)
    assert row.domain == domain
    assert accept(row, make_user("jane@acme.test", "Jane")).membership.via == "domain"
