"""Roles: the ceiling, the fixed one, names, and what ends with a role."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.members import change_role, remove_member
from guestlist.actions.roles import (
    MOST_ROLES,
    UNDECIDED,
    create_role,
    delete_role,
    duplicate_role,
    list_roles,
    may,
    update_role,
)
from guestlist.actors import Actor, Origin
from guestlist.models import ApiKey, Event, Invitation, Membership, Organization, Role
from guestlist.models.fields import insert_all
from guestlist.permissions import Permission, all_permissions
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


def created(organization, name="Editor", permissions=()):
    return create_role(actor=Actor.operator(), organization=organization, name=name, permissions=permissions)


def create(actor, organization, permissions=(), name="Editor"):
    return create_role(actor=actor_of(actor), organization=organization, name=name, permissions=permissions)


def update(actor, changed, **values):
    return update_role(actor=actor_of(actor), organization=changed.organization, role_id=changed.pk, **values)


def delete(actor, gone, successor=UNDECIDED):
    successor_id = successor.pk if isinstance(successor, Role) else successor
    return delete_role(
        actor=actor_of(actor),
        organization=gone.organization,
        role_id=gone.pk,
        successor_id=successor_id,
    )


def duplicate(actor, first, **values):
    return duplicate_role(actor=actor_of(actor), organization=first.organization, role_id=first.pk, **values)


CALLS = {
    "create": lambda actor, target: create(actor, target.organization),
    "update": lambda actor, target: update(actor, target, name="Other"),
    "duplicate": duplicate,
    "delete": lambda actor, target: delete(actor, target, None),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@each_call
def test_who_may_not(organization, alice, charlie, mallory, dora, beta, call):
    target = created(organization, "Target")
    for outsider in (mallory, dora):
        with pytest.raises(errors.NotFound):
            call(outsider, target)
    with pytest.raises(errors.NotAllowed):
        call(charlie, target)


@pytest.mark.parametrize("verb", ["update", "duplicate", "delete"])
def test_a_role_of_another_organization_is_not_found(organization, beta, dora, verb):
    target = created(organization, "Target")
    target.organization = beta
    with pytest.raises(errors.NotFound):
        CALLS[verb](dora, target)


def test_each_verb_needs_its_own_permission(organization, beta, charlie):
    target = created(organization, "Target")
    own = role(organization, "Member")
    for verb, call in CALLS.items():
        held = {f"role.{other}" for other in ("create", "update", "delete")} - {
            f"role.{'create' if verb == 'duplicate' else verb}"
        }
        Role.objects.filter(pk=own.pk).update(permissions=sorted(held))
        with pytest.raises(errors.NotAllowed):
            call(charlie, target)


def test_nobody_creates_or_copies_beyond_their_own_permissions(organization, bob):
    with pytest.raises(errors.AboveOwnRole):
        create(bob, organization, ["organization.delete"])
    with pytest.raises(errors.AboveOwnRole):
        duplicate(bob, role(organization, "Owner"))


def test_nobody_changes_a_role_that_allows_more_than_their_own(organization, bob):
    above = created(organization, permissions=["organization.delete", "role.read"])
    for change in ({"name": "Harmless"}, {"permissions": []}, {"permissions": ["role.read"]}):
        with pytest.raises(errors.AboveOwnRole):
            update(bob, above, **change)
    with pytest.raises(errors.AboveOwnRole):
        delete(bob, above, None)


def test_nobody_raises_a_role_above_their_own_not_even_their_own(organization, bob):
    for name in ("Member", "Admin"):
        with pytest.raises(errors.AboveOwnRole):
            update(bob, role(organization, name), permissions=sorted(all_permissions()))


def test_nobody_moves_members_to_a_role_above_their_own(organization, bob, charlie):
    with pytest.raises(errors.AboveOwnRole):
        delete(bob, role(organization, "Member"), role(organization, "Owner"))
    assert Membership.objects.get(user=charlie).role.name == "Member"


def test_a_key_is_bounded_by_what_it_was_given(organization, alice):
    key = ApiKey.objects.create(
        organization=organization,
        name="CI",
        hash="x",
        permissions=["role.create", "role.read"],
        created_by=alice,
    )
    actor = Actor("api_key", str(key.pk), key.name, origin=Origin("api"), subject=key)
    with pytest.raises(errors.AboveOwnRole):
        create_role(actor=actor, organization=organization, name="Editor", permissions=["member.manage"])
    create_role(actor=actor, organization=organization, name="Editor", permissions=["role.read"])


def test_owner_is_fixed(organization, alice):
    owner = role(organization, "Owner")
    for change in (lambda: update(alice, owner, name="Boss"), lambda: delete(alice, owner, None)):
        with pytest.raises(errors.FixedRole):
            change()


def test_a_copy_of_owner_is_no_owner(organization, alice):
    copy = duplicate(alice, role(organization, "Owner"))
    assert (copy.name, copy.fixed) == ("Copy of Owner", False)
    assert copy.permission_set == all_permissions()


def test_copies_are_numbered(organization, alice):
    first = created(organization, "x" * 80)
    names = [duplicate(alice, first).name for _ in range(3)]
    assert names[0].startswith("Copy of xxx")
    assert [name[-2:] for name in names] == ["xx", " 2", " 3"]
    assert {len(name) for name in names} == {80}


@pytest.mark.parametrize("name", ["admin", "ADMIN ", "Ad\u202emin"])
def test_a_name_is_taken_in_any_case(organization, alice, name):
    with pytest.raises(errors.RoleNameTaken):
        create(alice, organization, name=name)
    with pytest.raises(errors.RoleNameTaken):
        update(alice, role(organization, "Member"), name=name)


def test_a_name_is_taken_in_any_case_of_any_alphabet(organization, alice):
    create(alice, organization, name="Équipe")
    with pytest.raises(errors.RoleNameTaken):
        create(alice, organization, name="éQUIPE")


def test_the_case_of_a_name_can_be_changed(organization, alice):
    assert update(alice, role(organization, "Member"), name="MEMBER").name == "MEMBER"


@pytest.mark.parametrize(("name", "error"), [(" ", errors.NameEmpty), ("see evil.test", errors.NameHasLink)])
def test_names_are_hostile(organization, alice, name, error):
    with pytest.raises(error):
        create(alice, organization, name=name)


def test_an_unknown_permission_is_refused(organization, alice):
    with pytest.raises(errors.UnknownPermission):
        create(alice, organization, ["member.manage", "no.such"])
    with pytest.raises(errors.UnknownPermission):
        update(alice, role(organization, "Member"), permissions=["no.such"])


def test_there_is_an_end_to_roles(organization, alice):
    there = Role.objects.filter(organization=organization).count()
    rows = [Role(organization=organization, name=f"Role {i}") for i in range(MOST_ROLES - there)]
    Role.objects.bulk_create(rows)
    for refused in (lambda: create(alice, organization), lambda: duplicate(alice, rows[0])):
        with pytest.raises(errors.TooManyRoles):
            refused()
    update(alice, rows[0], name="Renamed")


def test_roles_are_written_down(organization, alice):
    editor = create(alice, organization, ["role.read"])
    update(alice, editor, name="Author", permissions=["audit.read"])
    update(alice, editor, name="Author", permissions=["audit.read"])
    delete(alice, editor)
    events = Event.objects.filter(subject_type="role").order_by("number").values_list("type", "changes")
    assert list(events) == [
        ("role.created", {"name": [None, "Editor"], "permissions": [None, ["role.read"]]}),
        ("role.updated", {"name": ["Editor", "Author"], "permissions": [["role.read"], ["audit.read"]]}),
        ("role.deleted", {"name": ["Author", None], "permissions": [["audit.read"], None]}),
    ]


def test_a_role_with_members_needs_a_successor(organization, alice, charlie):
    with pytest.raises(errors.RoleHasMembers):
        delete(alice, role(organization, "Member"))
    assert Membership.objects.get(user=charlie).role.name == "Member"


def test_members_get_the_successor_or_none(organization, alice, bob, charlie):
    delete(alice, role(organization, "Member"), role(organization, "Admin"))
    assert Membership.objects.get(user=charlie).role.name == "Admin"
    delete(alice, role(organization, "Admin"), None)
    assert {Membership.objects.get(user=user).role for user in (bob, charlie)} == {None}
    moves = Event.objects.filter(type="member.role_changed").order_by("number")
    assert [event.changes["role"] for event in moves] == [
        ["Member", "Admin"],
        ["Admin", None],
        ["Admin", None],
    ]
    assert Event.objects.filter(type="role.deleted").last().number > moves.last().number


def test_the_successor_is_another_role_of_the_organization(organization, beta, alice, charlie):
    member = role(organization, "Member")
    for wrong in (member, role(beta, "Member")):
        with pytest.raises(errors.UnknownRole):
            delete(alice, member, wrong)


def test_those_who_have_left_do_not_hold_a_role_back(organization, alice, charlie):
    member = Membership.objects.get(user=charlie)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    delete(alice, role(organization, "Member"))
    assert not Event.objects.filter(type="member.role_changed").exists()


def test_deleting_takes_the_same_statements_for_any_number(organization, alice):
    def deleting(holders):
        gone = created(organization, permissions=["member.manage"])
        people = [make_user(f"m{i}@of{holders}.test", f"M {i}") for i in range(holders)]
        about = {"organization": organization, "role": gone, "joined_at": organization.created_at}
        rows = [Membership(user=u, name=u.name, email=u.email, email_key=u.email, **about) for u in people]
        insert_all(rows)
        successor = role(organization, "Member")
        with CaptureQueriesContext(connection) as queries:
            delete(alice, gone, successor)
        return len(queries)

    assert deleting(1) == deleting(300) < 30
    assert Event.objects.filter(type="member.role_changed").count() == 301
    organization.refresh_from_db()
    assert organization.event_number == Event.objects.filter(organization=organization).count()


@pytest.mark.parametrize("successor", ["Admin", "Owner", None])
def test_whoever_joins_gets_the_successor_but_is_no_owner(organization, alice, successor):
    editor = created(organization)
    Organization.objects.filter(pk=organization.pk).update(new_member_role=editor)
    delete(alice, editor, successor and role(organization, successor))
    organization.refresh_from_db()
    expected = successor if successor == "Admin" else None
    found = organization.new_member_role
    assert (found and found.name) == expected
    (event,) = Event.objects.filter(type="organization.updated")
    assert event.changes == {"new_member_role": ["Editor", expected]}


@pytest.mark.parametrize("way", ["update", "delete"])
def test_links_handed_over_end_with_the_permission(organization, alice, settings, way):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    manager = created(organization, "Manager", ["member.manage"])
    nina = make_user("nina@northwind.test", "Nina North")
    join(organization, nina, "Manager")
    send(organization, nina, "jane@example.com")
    row = Invitation.objects.get()
    create_hand_over_link(actor=actor_of(nina), organization=organization, invitation_id=row.pk)
    if way == "update":
        update(alice, manager, permissions=["role.read"])
    else:
        delete(alice, manager, role(organization, "Member"))
    row.refresh_from_db()
    assert (row.hand_over_nonce, row.hand_over_by_id) == (None, None)


def test_links_handed_over_stay_where_the_permission_stays(organization, alice, bob, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    send(organization, bob, "jane@example.com")
    row = Invitation.objects.get()
    create_hand_over_link(actor=actor_of(bob), organization=organization, invitation_id=row.pk)
    update(alice, role(organization, "Admin"), permissions=["member.manage"])
    row.refresh_from_db()
    assert row.hand_over_nonce


def test_roles_are_counted_with_their_active_members(organization, alice, bob, charlie):
    member = Membership.objects.get(user=charlie)
    change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=None)
    assert [(found.name, total) for found, total in list_roles(organization)] == [
        ("Owner", 1),
        ("Admin", 1),
        ("Member", 0),
    ]


OWN = {"invoice.approve": "Approve invoices."}


@pytest.fixture
def invoices(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"PERMISSIONS": OWN}


def test_a_projects_permission_is_the_owners_at_once(organization, alice, bob, mallory, settings, invoices):
    allowed = {
        user: may(user=user, slug="northwind", permission="invoice.approve") for user in (alice, bob, mallory)
    }
    assert allowed == {alice: True, bob: False, mallory: False}


def test_a_project_is_answered_by_the_role_of_now(organization, alice, charlie, invoices):
    def asked():
        return may(user=charlie, slug="northwind", permission="invoice.approve")

    member = role(organization, "Member")
    update(alice, member, permissions=["invoice.approve"])
    assert asked()
    update(alice, member, permissions=[])
    assert not asked()


def test_a_project_is_told_no_where_there_is_nobody_or_nothing(organization, alice, rf, invoices):
    from django.contrib.auth.models import AnonymousUser

    assert not may(user=AnonymousUser(), slug="northwind", permission="invoice.approve")
    assert not may(user=alice, slug="nowhere", permission="invoice.approve")
    Organization.objects.update(deleted_at=organization.created_at)
    assert not may(user=alice, slug="northwind", permission="invoice.approve")


def test_a_project_that_asks_for_what_does_not_exist_is_told(organization, alice):
    with pytest.raises(ValueError, match=r"invoice\.approve"):
        may(user=alice, slug="northwind", permission="invoice.approve")


def test_a_permission_that_the_project_gave_up_is_none(organization, alice, charlie, settings):
    Role.objects.filter(name="Member").update(permissions=["invoice.approve", Permission.ROLE_READ])
    held = role(organization, "Member").permission_set
    assert held == {"role.read"}
    settings.GUESTLIST = settings.GUESTLIST | {"PERMISSIONS": OWN}
    assert role(organization, "Member").permission_set == {"role.read", "invoice.approve"}
