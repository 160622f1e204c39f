"""Roles as the operator types them."""

import pytest

from guestlist.models import Event, Membership, Role
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db


def test_roles_are_listed(run, organization, charlie):
    data = run("roles", "list", "northwind", "--json").data
    assert [item["name"] for item in data["items"]] == ["Owner", "Admin", "Member"]
    assert set(data["items"][0]) == {"id", "name", "permissions", "fixed", "member_count"}
    assert [item["member_count"] for item in data["items"]] == [1, 0, 1]
    assert "Member  1        –" in run("roles", "list", "northwind").stdout


def test_a_role_is_created_changed_duplicated_and_deleted(run, organization, charlie):
    words = ("northwind", "Editor", "--permission", "role.read", "--permission", "audit.read")
    made = run("roles", "create", *words, "--json").data
    assert (made["name"], made["permissions"]) == ("Editor", ["audit.read", "role.read"])
    changed = run("roles", "update", "northwind", "editor", "--name", "Author", "--json").data
    assert changed == made | {"name": "Author"}
    kept = run("roles", "update", "northwind", "Author", "--permission", "none", "--json").data
    assert kept["permissions"] == []
    assert run("roles", "duplicate", "northwind", "Admin").stdout == "Created the role Copy of Admin.\n"
    copy = run("roles", "duplicate", "northwind", made["id"], "--name", "Reader", "--json").data
    assert copy["name"] == "Reader"
    gone = run("roles", "delete", "northwind", "Member", "--successor", "Reader")
    assert gone.stdout == "Deleted the role Member.\n"
    assert Membership.objects.get(user=charlie).role.name == "Reader"
    assert Event.objects.filter(type="role.deleted").get().actor_name == "Operator"


def test_members_can_be_left_without_a_role(run, organization, charlie):
    assert_refused(run("roles", "delete", "northwind", "Member", "--json"), "role_has_members")
    assert run("roles", "delete", "northwind", "Member", "--successor", "none").exit_code == 0
    assert Membership.objects.get(user=charlie).role is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "northwind", "admin"), "role_name_taken"),
        (("create", "northwind", "X", "--permission", "no.such"), "unknown_permission"),
        (("create", "nowhere", "X"), "not_found"),
        (("update", "northwind", "Nope", "--name", "X"), "unknown_role"),
        (("update", "northwind", "Owner", "--name", "X"), "fixed_role"),
        (("duplicate", "northwind", "Nope"), "unknown_role"),
        (("delete", "northwind", "Owner", "--successor", "none"), "fixed_role"),
        (("delete", "northwind", "Member", "--successor", "Nope"), "unknown_role"),
    ],
)
def test_what_cannot_be_is_refused(run, organization, words, code):
    before = list(Role.objects.order_by("pk").values())
    assert_refused(run("roles", *words, "--json"), code)
    assert list(Role.objects.order_by("pk").values()) == before
