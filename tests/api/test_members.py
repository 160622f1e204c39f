"""Members over REST."""

import pytest

from guestlist.api.resources import members as resources
from guestlist.models import Membership, Role
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/members"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def member_of(organization):
    """The membership of a user in Northwind."""
    return lambda user: Membership.objects.get(organization=organization, user=user)


@pytest.fixture
def role(organization):
    """A role of Northwind by name."""
    return lambda name: Role.objects.get(organization=organization, name=name)


@pytest.fixture
def full(organization, make_key):
    """A key that may do what an Owner may."""
    from guestlist.permissions import all_permissions

    return ApiClient(make_key(organization, permissions=sorted(all_permissions())))


def test_a_key_can_make_nobody_more_than_it_is(manager, charlie, member_of, role):
    path = f"{URL}/{member_of(charlie).pk}"
    for name in ("Owner", "Admin"):
        assert_problem(manager("PATCH", path, {"role": str(role(name).pk)}), 403, "above_own_role")
    assert member_of(charlie).role.name == "Member"


def test_a_key_can_remove_nobody_who_is_more_than_it(manager, alice, bob, member_of):
    for user in (alice, bob):
        assert_problem(manager("DELETE", f"{URL}/{member_of(user).pk}"), 403, "above_own_role")
        assert member_of(user).state == "active"


def test_the_last_owner_stays(full, alice, member_of, role):
    path = f"{URL}/{member_of(alice).pk}"
    assert_problem(full("DELETE", path), 409, "last_owner")
    assert_problem(full("PATCH", path, {"role": None}), 409, "last_owner")
    assert_problem(full("PATCH", path, {"role": str(role("Admin").pk)}), 409, "last_owner")


@pytest.mark.parametrize("value", ["nope", ANY, "", "\ud800"])
def test_an_unknown_role_takes_nothing_away(full, charlie, member_of, value):
    response = full("PATCH", f"{URL}/{member_of(charlie).pk}", {"role": value})
    assert_problem(response, 422, "unknown_role")
    assert member_of(charlie).role.name == "Member"


def test_a_role_of_another_organization_is_unknown(full, beta, charlie, member_of):
    theirs = Role.objects.get(organization=beta, name="Member")
    response = full("PATCH", f"{URL}/{member_of(charlie).pk}", {"role": str(theirs.pk)})
    assert_problem(response, 422, "unknown_role")


@pytest.mark.parametrize("body", [{}, {"role": 1}, {"role": None, "name": "x"}, {"rolle": None}])
def test_a_change_has_to_say_which_role(full, charlie, member_of, body):
    assert_problem(full("PATCH", f"{URL}/{member_of(charlie).pk}", body), 422, "invalid_input")
    assert member_of(charlie).role.name == "Member"


@pytest.mark.parametrize("nothing", ["nope", ANY])
def test_an_id_of_nobody_is_404(full, organization, nothing):
    assert_problem(full("PATCH", f"{URL}/{nothing}", {"role": None}), 404, "not_found")
    assert_problem(full("DELETE", f"{URL}/{nothing}"), 404, "not_found")


def test_members_are_listed_searched_and_filtered(manager, alice, bob, charlie, role):
    page = manager("GET", URL).data
    resources.MemberList.model_validate(page)
    assert page["total"] == 3
    names = [member["name"] for member in page["items"]]
    assert names == sorted(names)
    assert [m["email"] for m in manager("GET", f"{URL}?q={bob.email}").data["items"]] == [bob.email]
    owners = manager("GET", f"{URL}?role={role('Owner').pk}").data["items"]
    assert [m["email"] for m in owners] == [alice.email]
    assert manager("GET", f"{URL}?role=none").data["items"] == []
    assert_problem(manager("GET", f"{URL}?role=nope"), 422, "invalid_filter")


@pytest.mark.parametrize("sort", ["name", "-email", "role", "-role", "joined"])
def test_members_page_by_every_column(manager, alice, bob, charlie, sort):
    seen, cursor = [], ""
    while cursor is not None:
        page = manager("GET", f"{URL}?limit=1&sort={sort}&cursor={cursor}").data
        seen += [member["id"] for member in page["items"]]
        cursor = page["next_cursor"]
    assert len(set(seen)) == len(seen) == 3


def test_a_role_is_given_and_taken_away(full, charlie, member_of, role):
    path = f"{URL}/{member_of(charlie).pk}"
    given = full("PATCH", path, {"role": str(role("Admin").pk)})
    assert given.status_code == 200
    resources.Member.model_validate(given.data)
    assert given.data["role"] == {"id": str(role("Admin").pk), "name": "Admin"}
    assert full("PATCH", path, {"role": None}).data["role"] is None


def test_a_removed_member_is_gone(full, charlie, member_of):
    path = f"{URL}/{member_of(charlie).pk}"
    response = full("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    assert member_of(charlie).state == "removed"
    assert_problem(full("DELETE", path), 404, "not_found")
