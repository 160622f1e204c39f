"""What a key may do to members when it is its maker who may not."""

import pytest
from django.utils import timezone

from guestlist import errors
from guestlist.actions.api_keys import authenticate, create_api_key
from guestlist.actions.members import change_role, remove_member
from guestlist.actors import Origin
from guestlist.models import ApiKey, Event, Membership, Role
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db
URL = "northwind/members"


def member(user):
    return Membership.objects.filter(user=user).latest("pk")


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


@pytest.fixture
def key_of(organization, make_key):
    """Makes a key of somebody, for managing members."""
    return lambda user: ApiClient(make_key(organization, actor=actor_of(user)))


@pytest.fixture
def full_key_of(organization, make_key):
    """Makes a key with all that its maker may."""

    def make(user):
        permissions = sorted(member(user).permissions)
        return ApiClient(make_key(organization, permissions=permissions, actor=actor_of(user)))

    return make


def test_no_key_of_an_admin_makes_or_unmakes_an_owner(organization, alice, bob, charlie, full_key_of):
    """Z08"""
    admins, owner = full_key_of(bob), str(role(organization, "Owner").pk)
    assert_problem(admins("PATCH", f"{URL}/{member(bob).pk}", {"role": owner}), 403, "own_role")
    assert_problem(admins("PATCH", f"{URL}/{member(charlie).pk}", {"role": owner}), 403, "above_own_role")
    lower = {"role": str(role(organization, "Member").pk)}
    assert_problem(admins("PATCH", f"{URL}/{member(alice).pk}", lower), 403, "above_own_role")
    assert_problem(admins("DELETE", f"{URL}/{member(alice).pk}"), 403, "above_own_role")


def test_a_role_of_its_own_name_is_bounded_by_its_rights(organization, charlie, full_key_of):
    """Z08"""
    manager = Role.objects.create(organization=organization, name="Manager", permissions=["member.manage"])
    both = ["member.manage", "api_key.manage"]
    Role.objects.create(organization=organization, name="Key keeper", permissions=both)
    erin = make_user("erin@northwind.test", "Erin")
    join(organization, erin, "Key keeper")
    keepers = full_key_of(erin)
    path = f"{URL}/{member(charlie).pk}"
    assert keepers("PATCH", path, {"role": str(manager.pk)}).status_code == 200
    for name in ("Owner", "Admin"):
        given = {"role": str(role(organization, name).pk)}
        assert_problem(keepers("PATCH", path, given), 403, "above_own_role")
    assert member(charlie).role == manager


def test_nobody_removes_or_changes_themselves_with_a_key(organization, alice, bob, full_key_of):
    """Z09"""
    join(organization, make_user("other@northwind.test", "Other"), "Owner")
    for user in (alice, bob):
        path = f"{URL}/{member(user).pk}"
        assert_problem(full_key_of(user)("DELETE", path), 403, "own_membership")
        assert_problem(full_key_of(user)("PATCH", path, {"role": None}), 403, "own_role")
        assert member(user).state == "active"


def test_the_last_owner_stays_whoever_asks(organization, alice, bob, make_key):
    """Z09"""
    operators = ApiClient(make_key(organization, permissions=sorted(member(alice).permissions)))
    path = f"{URL}/{member(alice).pk}"
    assert_problem(operators("DELETE", path), 409, "last_owner")
    assert_problem(operators("PATCH", path, {"role": None}), 409, "last_owner")


def test_the_key_of_an_owner_who_is_one_no_more_writes_nothing(organization, alice, charlie, key_of):
    """Z13"""
    other = make_user("other@northwind.test", "Other")
    join(organization, other, "Owner")
    theirs = key_of(other)
    path = f"{URL}/{member(charlie).pk}"
    assert theirs("PATCH", path, {"role": None}).status_code == 200
    change_role(
        actor=actor_of(alice),
        organization=organization,
        member_id=member(other).pk,
        role_id=role(organization, "Member").pk,
    )
    assert_problem(theirs("PATCH", path, {"role": None}), 403, "not_allowed")
    assert_problem(theirs("DELETE", path), 403, "not_allowed")
    assert_problem(theirs("GET", URL), 403, "not_allowed")


def test_the_key_of_a_removed_member_opens_nothing_ever_again(organization, alice, bob, key_of):
    """Z13"""
    theirs = key_of(bob)
    assert theirs("GET", URL).status_code == 200
    remove_member(actor=actor_of(alice), organization=organization, member_id=member(bob).pk)
    assert_problem(theirs("GET", URL), 401, "not_signed_in")
    join(organization, bob, "Admin")
    assert_problem(theirs("GET", URL), 401, "not_signed_in")
    assert ApiKey.objects.get().revoked_at
    assert Event.objects.get(type="api_key.revoked").actor_name == alice.name


def test_a_key_made_by_a_key_ends_with_the_same_membership(organization, alice):
    made = create_api_key(
        actor=actor_of(alice), organization=organization, name="First", permissions=["api_key.manage"]
    )
    actor = authenticate(secret=made.secret, origin=Origin("api"))
    second = create_api_key(
        actor=actor, organization=organization, name="Second", permissions=["api_key.manage"]
    )
    assert second.key.created_by == alice
    Membership.objects.filter(user=alice).update(state="removed", ended_at=timezone.now())
    with pytest.raises(errors.NotSignedIn):
        authenticate(secret=second.secret, origin=Origin("api"))
