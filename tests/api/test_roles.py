"""Roles and permissions over REST."""

import pytest

from guestlist.api.resources import roles as resources
from guestlist.models import Event, Membership, Role
from guestlist.permissions import all_permissions
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/roles"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def keeper(organization, make_key) -> ApiClient:
    """A key that may do all with roles, and manage members."""
    return ApiClient(make_key(organization, permissions=[*ROLE_PERMISSIONS, "member.manage"]))


@pytest.fixture
def role(organization):
    """A role of Northwind by name."""
    return lambda name: Role.objects.get(organization=organization, name=name)


ROLE_PERMISSIONS = ("role.read", "role.create", "role.update", "role.delete")


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "", None, "Role: Read"),
        ("POST", "", {"name": "Editor"}, "Role: Create"),
        ("GET", "/{id}", None, "Role: Read"),
        ("PATCH", "/{id}", {"name": "Editor"}, "Role: Update"),
        ("DELETE", "/{id}", None, "Role: Delete"),
        ("POST", "/{id}/duplicate", None, "Role: Create"),
    ],
)
def test_each_call_needs_its_own_permission(organization, make_key, role, method, path, body, needed):
    code = f"role.{needed.rpartition(' ')[2].lower()}"
    lacking = ApiClient(make_key(organization, permissions=sorted(all_permissions() - {code})))
    before = Event.objects.count()
    response = lacking(method, URL + path.format(id=role("Member").pk), body)
    assert_problem(response, 403, "not_allowed")
    assert needed in response.data["detail"]
    assert Event.objects.count() == before


@pytest.mark.parametrize("path", ["", "/duplicate"])
@pytest.mark.parametrize("unknown", ["nope", ANY])
def test_an_unknown_role_is_not_found(keeper, path, unknown):
    calls = [("POST", None)] if path else [("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)]
    for method, body in calls:
        assert_problem(keeper(method, f"{URL}/{unknown}{path}", body), 404, "not_found")


def test_nobody_makes_a_role_that_can_do_more_than_they_can(keeper, role):
    above = {"permissions": ["audit.read"]}
    refusals = [
        keeper("POST", URL, {"name": "Auditor", **above}),
        keeper("PATCH", f"{URL}/{role('Member').pk}", above),
        keeper("PATCH", f"{URL}/{role('Admin').pk}", {"name": "Boss"}),
        keeper("POST", f"{URL}/{role('Admin').pk}/duplicate"),
        keeper("DELETE", f"{URL}/{role('Admin').pk}?successor=none"),
        keeper("DELETE", f"{URL}/{role('Member').pk}?successor={role('Admin').pk}"),
    ]
    for refusal in refusals:
        assert_problem(refusal, 403, "above_own_role")
    assert Role.objects.count() == 3


def test_owner_stays_as_it_is(organization, make_key, role):
    full = ApiClient(make_key(organization, permissions=sorted(all_permissions())))
    path = f"{URL}/{role('Owner').pk}"
    assert_problem(full("PATCH", path, {"name": "Boss"}), 409, "fixed_role")
    assert_problem(full("DELETE", path), 409, "fixed_role")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_input"),
        ({"name": 1}, 422, "invalid_input"),
        ({"name": "x", "permisions": []}, 422, "invalid_input"),
        ({"name": "x", "permissions": "role.read"}, 422, "invalid_input"),
        ({"name": " "}, 422, "name_empty"),
        ({"name": "win.example.com"}, 422, "name_has_link"),
        ({"name": "ADMIN"}, 409, "role_name_taken"),
        ({"name": "x", "permissions": ["role.fly"]}, 422, "unknown_permission"),
    ],
)
def test_what_will_not_do_makes_no_role(keeper, role, body, status, code):
    assert_problem(keeper("POST", URL, body), status, code)
    assert_problem(keeper("PATCH", f"{URL}/{role('Member').pk}", body), status, code)
    assert sorted(Role.objects.values_list("name", flat=True)) == ["Admin", "Member", "Owner"]


def test_a_role_is_created_shown_changed_and_deleted(keeper):
    made = keeper("POST", URL, {"name": "Editor", "permissions": ["member.manage", "role.read"]})
    assert made.status_code == 201
    resources.Role.model_validate(made.data)
    assert made.data == {
        "id": made.data["id"],
        "name": "Editor",
        "permissions": ["member.manage", "role.read"],
        "fixed": False,
        "member_count": 0,
    }
    path = f"{URL}/{made.data['id']}"
    assert keeper("GET", path).data == made.data
    renamed = keeper("PATCH", path, {"name": "Author"})
    assert renamed.data == made.data | {"name": "Author"}
    assert keeper("PATCH", path, {"permissions": []}).data == renamed.data | {"permissions": []}
    gone = keeper("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert_problem(keeper("GET", path), 404, "not_found")
    types = Event.objects.order_by("number").values_list("type", "actor_type", "door")
    assert [each for each in types if each[0].startswith("role.")] == [
        ("role.created", "api_key", "api"),
        ("role.updated", "api_key", "api"),
        ("role.updated", "api_key", "api"),
        ("role.deleted", "api_key", "api"),
    ]


def test_a_copy_has_the_same_permissions(keeper):
    made = keeper("POST", URL, {"name": "Editor", "permissions": ["member.manage"]}).data
    copy = keeper("POST", f"{URL}/{made['id']}/duplicate")
    assert copy.status_code == 201
    assert copy.data == made | {"id": copy.data["id"], "name": "Copy of Editor"}
    named = keeper("POST", f"{URL}/{made['id']}/duplicate", {"name": "Author"})
    assert named.data == made | {"id": named.data["id"], "name": "Author"}
    assert_problem(
        keeper("POST", f"{URL}/{made['id']}/duplicate", {"name": "Author"}), 409, "role_name_taken"
    )


def test_a_role_with_members_goes_only_when_it_is_said_what_they_get(keeper, charlie, role):
    path, spare = f"{URL}/{role('Member').pk}", keeper("POST", URL, {"name": "Spare"}).data["id"]
    assert_problem(keeper("DELETE", path), 409, "role_has_members")
    for unknown in ("nope", ANY, role("Member").pk):
        assert_problem(keeper("DELETE", f"{path}?successor={unknown}"), 422, "unknown_role")
    assert keeper("DELETE", f"{path}?successor={spare}").status_code == 204
    assert keeper("GET", f"{URL}/{spare}").data["member_count"] == 1
    assert keeper("DELETE", f"{URL}/{spare}?successor=none").status_code == 204
    assert Membership.objects.get(user=charlie).role is None


def test_a_role_of_another_organization_is_no_successor(keeper, beta, charlie, role):
    theirs = Role.objects.get(organization=beta, name="Member")
    response = keeper("DELETE", f"{URL}/{role('Member').pk}?successor={theirs.pk}")
    assert_problem(response, 422, "unknown_role")


def test_roles_are_listed_searched_sorted_and_paged(keeper, alice, charlie):
    page = keeper("GET", URL).data
    resources.RoleList.model_validate(page)
    assert [(r["name"], r["member_count"]) for r in page["items"]] == [
        ("Owner", 1),
        ("Admin", 0),
        ("Member", 1),
    ]
    assert (page["next_cursor"], page["total"]) == (None, 3)
    assert [r["name"] for r in keeper("GET", f"{URL}?q=AD").data["items"]] == ["Admin"]
    assert [r["name"] for r in keeper("GET", f"{URL}?sort=-name").data["items"]] == [
        "Owner",
        "Member",
        "Admin",
    ]
    first = keeper("GET", f"{URL}?limit=2").data
    rest = keeper("GET", f"{URL}?limit=2&cursor={first['next_cursor']}").data
    assert [r["name"] for r in first["items"] + rest["items"]] == ["Owner", "Admin", "Member"]
    assert_problem(keeper("GET", f"{URL}?sort=members"), 422, "invalid_filter")


def test_a_list_of_40_roles_takes_as_many_queries_as_one_of_3(keeper, organization, statements):
    few = statements(keeper, "GET", URL)
    Role.objects.bulk_create(Role(organization=organization, name=f"R{n}") for n in range(37))
    assert statements(keeper, "GET", URL) == few


def test_any_key_is_told_what_there_is_to_allow(organization, make_key, anonymous):
    assert_problem(anonymous("GET", "/api/v1/permissions"), 401, "not_signed_in")
    answer = ApiClient(make_key(organization, permissions=()))("GET", "/api/v1/permissions")
    assert answer.status_code == 200
    resources.PermissionList.model_validate(answer.data)
    assert {item["code"] for item in answer.data["items"]} == all_permissions()
    assert answer.data["total"] == len(all_permissions())
    assert answer.data["items"][0] == {
        "code": "member.manage",
        "label": "Member: Manage",
        "sentence": "See members and invitations, invite, give roles, remove.",
    }


def test_permissions_are_in_english_whatever_the_caller_speaks(organization, make_key):
    caller = ApiClient(make_key(organization, permissions=()))
    answers = [
        caller("GET", "/api/v1/permissions", HTTP_ACCEPT_LANGUAGE=code).content for code in ("de", "en")
    ]
    assert answers[0] == answers[1]
