"""Deleting an organization: who may, what stops, who takes it back, and when it is gone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from guestlist import errors
from guestlist.actions import due
from guestlist.actions.acceptance import find_invitation
from guestlist.actions.api_keys import create_api_key
from guestlist.actions.deletion import delete_organization, purge_deleted, restore_organization
from guestlist.actions.deliveries import claim_deliveries
from guestlist.actions.digests import write_digests
from guestlist.actions.expiry import expire_due
from guestlist.actions.organizations import create_setup_link, find_setup_link, update_organization
from guestlist.actions.reminders import remind_due
from guestlist.actors import Actor
from guestlist.delivery.clock import Clock
from guestlist.links import invitation_token
from guestlist.models import (
    ApiKey,
    Delivery,
    Event,
    FormerSlug,
    Invitation,
    Membership,
    Organization,
    Role,
    Suppression,
)
from guestlist.models.fields import new_id
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user


def delete(organization, user, name="Northwind"):
    return delete_organization(actor=actor_of(user), organization=organization, name=name)


def restore(organization, user):
    return restore_organization(actor=actor_of(user), organization_id=organization.pk)


def days_ago(organization, days, **more):
    at = timezone.now() - timedelta(days=days, **more)
    Organization.objects.filter(pk=organization.pk).update(deleted_at=at)


def test_who_may_not(organization, bob, charlie, mallory, dora, beta):
    for member in (bob, charlie):
        with pytest.raises(errors.NotAllowed, match="Organization: Delete"):
            delete(organization, member)
    for stranger in (mallory, dora):
        with pytest.raises(errors.NotFound):
            delete(organization, stranger)
    assert Organization.objects.present().count() == 2


def test_whoever_could_not_delete_it_cannot_restore_it(
    organization, alice, bob, charlie, mallory, dora, beta
):
    delete(organization, alice)
    for person in (bob, charlie, mallory, dora):
        with pytest.raises(errors.NotFound):
            restore(organization, person)
    with pytest.raises(errors.NotFound):
        restore_organization(actor=actor_of(alice), organization_id=new_id())
    assert Organization.objects.get(pk=organization.pk).deleted_at


def test_a_key_restores_nothing(organization, alice):
    permissions = ["organization.delete", "organization.update"]
    create_api_key(actor=actor_of(alice), organization=organization, name="CI", permissions=permissions)
    key = ApiKey.objects.get()
    delete(organization, alice)
    with pytest.raises(errors.NotFound):
        restore_organization(
            actor=Actor("api_key", str(key.pk), key.name, subject=key), organization_id=organization.pk
        )


@pytest.mark.parametrize("name", ["", "northwind", "Northwin", "Northwind Inc", "NORTHWIND"])
def test_the_name_has_to_be_typed(organization, alice, name):
    with pytest.raises(errors.NameMismatch, match="Northwind"):
        delete(organization, alice, name)
    assert Organization.objects.present().exists()


def test_it_is_deleted_once_and_restored_once(organization, alice):
    delete(organization, alice, " Northwind ")
    with pytest.raises(errors.NotFound):
        delete(organization, alice)
    restore(organization, alice)
    with pytest.raises(errors.NotFound):
        restore(organization, alice)
    events = Event.objects.filter(type__in=["organization.deleted", "organization.restored"])
    deleted, restored = events.order_by("number")
    assert deleted.changes["deleted_at"][0] is None
    assert restored.changes["deleted_at"] == deleted.changes["deleted_at"][::-1]
    assert restored.actor_name == "Alice Archer"


def test_another_role_with_the_permission_restores_it(organization, alice):
    Role.objects.create(organization=organization, name="Closer", permissions=["organization.delete"])
    dana = make_user("dana@northwind.test", "Dana Diaz")
    join(organization, dana, "Closer")
    delete(organization, alice)
    assert restore(organization, dana).deleted_at is None


def test_no_action_finds_it(organization, alice, make_key):
    send(organization, alice, "jane@acme.test")
    delete(organization, alice)
    for actor in (actor_of(alice), Actor.operator()):
        with pytest.raises(errors.NotFound):
            update_organization(actor=actor, organization=organization, name="Southwind")
    with pytest.raises(errors.NotFound):
        send(organization, alice, "joe@acme.test")
    row = Invitation.objects.get()
    with pytest.raises(errors.OrganizationGone, match="Northwind no longer takes invitations"):
        find_invitation(token=invitation_token(row.nonce, row.pk))


@pytest.mark.parametrize("number", [1, 60])
def test_queued_mail_is_canceled_in_the_same_statements_for_any_number(
    organization, alice, beta, dora, django_assert_num_queries, number
):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(number)))
    send(beta, dora, "jane@acme.test")
    with django_assert_num_queries(10 + connection.features.has_select_for_update):
        delete(organization, alice)
    canceled = Delivery.objects.filter(organization=organization)
    assert {(row.state, row.next_at) for row in canceled} == {("canceled", None)}
    assert [row["state"] for row in canceled.first().history] == ["canceled"]
    claimed = claim_deliveries(worker=new_id(), limit=100)
    assert {row.organization_id for row in claimed} == {beta.pk}


def test_what_time_brings_skips_it(organization, alice, beta, dora, monkeypatch):
    monkeypatch.setattr(due, "_AHEAD", 3)
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(5)))
    send(beta, dora, "jane@acme.test")
    Delivery.objects.update(state="sent", next_at=None)
    delete(organization, alice)
    soon = timezone.now() + timedelta(days=1)
    Invitation.objects.update(remind_at=timezone.now() - timedelta(hours=1), expires_at=soon)
    before = Event.objects.filter(organization=organization).count()
    assert remind_due() == 1
    past = timezone.now() - timedelta(hours=2)
    earlier = past - timedelta(days=1)
    Invitation.objects.update(expires_at=past, invited_at=earlier, last_sent_at=earlier)
    assert expire_due() == 1
    Invitation.objects.update(unreported_at=past)
    write_digests()
    assert set(Delivery.objects.filter(kind="digest").values_list("organization", flat=True)) <= {beta.pk}
    assert Event.objects.filter(organization=organization).count() == before
    assert Invitation.objects.filter(organization=organization, status="pending").count() == 5


def test_a_setup_link_is_dead_while_it_is_deleted(alice, beta, dora):
    Membership.objects.all().delete()
    code = create_setup_link(actor=Actor.operator(), organization=beta, email="eve@beta.test").code
    delete_organization(actor=Actor.operator(), organization=beta, name="Beta")
    with pytest.raises(errors.SetupLinkDead):
        find_setup_link(code=code)
    restore_organization(actor=Actor.operator(), organization_id=beta.pk)
    assert find_setup_link(code=code).organization == beta


def test_its_short_name_stays_taken(organization, alice, beta, dora):
    delete(organization, alice)
    with pytest.raises(errors.SlugTaken):
        update_organization(actor=actor_of(dora), organization=beta, slug="northwind")


def test_after_thirty_days_nobody_restores_it(organization, alice):
    delete(organization, alice)
    days_ago(organization, 29, hours=23)
    assert purge_deleted() == 0
    assert restore(organization, alice)
    delete(organization, alice)
    days_ago(organization, 30, seconds=1)
    for actor in (actor_of(alice), Actor.operator()):
        with pytest.raises(errors.NotFound):
            restore_organization(actor=actor, organization_id=organization.pk)


def test_after_thirty_days_it_is_gone_whole_and_nothing_else_is(
    organization, alice, bob, beta, dora, make_key, django_assert_max_num_queries
):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(3_000)))
    send(beta, dora, "jane@acme.test")
    update_organization(actor=actor_of(alice), organization=organization, slug="south")
    Suppression.objects.create(organization=organization, key="x@acme.test")
    make_key(organization)
    create_api_key(actor=actor_of(alice), organization=organization, name="Own", permissions=[])
    delete(organization, alice)
    days_ago(organization, 30, seconds=1)
    users, others = User.objects.count(), Event.objects.filter(organization=beta).count()
    with django_assert_max_num_queries(60):
        assert purge_deleted() == 1
    assert purge_deleted() == 0
    connection.check_constraints()
    assert list(Organization.objects.all()) == [beta]
    for relation in Organization._meta.related_objects:
        rows = relation.related_model._base_manager.exclude(**{relation.field.name: beta.pk})
        assert not rows.exists(), relation
    assert User.objects.count() == users
    assert Event.objects.count() == others
    assert Invitation.objects.count() == 1
    assert not FormerSlug.objects.exists()


def test_an_organization_that_is_there_is_not_purged(organization, alice, beta, dora):
    delete(organization, alice)
    assert purge_deleted() == 0
    assert Organization.objects.count() == 2


def test_events_of_a_deleted_organization_still_cannot_be_deleted(organization, alice):
    from django.db import DatabaseError, transaction

    delete(organization, alice)
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.filter(organization=organization)._raw_delete("default")
    assert Event.objects.filter(organization=organization).exists()


def test_the_clock_of_a_worker_removes_it(organization, alice, beta):
    delete(organization, alice)
    days_ago(organization, 31)
    Clock().tick()
    assert list(Organization.objects.all()) == [beta]
