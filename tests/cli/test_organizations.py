"""Deleting and restoring organizations as the operator types it."""

import pytest

from guestlist.actions.organizations import update_organization
from guestlist.models import Event, Organization
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db


def test_what_is_not_there_is_refused(run, organization):
    for words in (("delete", "nope", "--yes"), ("restore", "nope"), ("restore", "northwind")):
        result = run("organizations", *words, "--json")
        assert (result.exit_code, result.data["code"]) == (1, "not_found")
        assert run("organizations", *words).stderr.startswith("Error: ")


def test_without_yes_it_asks_first(run, organization):
    assert run("organizations", "delete", "northwind", stdin="n\n").exit_code == 1
    assert run("organizations", "delete", "northwind").exit_code == 1
    assert Organization.objects.present().exists()
    assert run("organizations", "delete", "northwind", stdin="y\n").exit_code == 0
    assert not Organization.objects.present().exists()


def test_it_is_deleted_listed_as_such_and_restored(run, organization):
    result = run("organizations", "delete", "northwind", "--yes")
    assert result.stdout.startswith("Deleted Northwind (northwind). It can be restored until ")
    (listed,) = run("organizations", "list", "--json").data["items"]
    assert listed["deleted_at"] < listed["gone_at"]
    assert listed["gone_at"][:10] in run("organizations", "list").stdout
    assert run("members", "list", "northwind").exit_code == 1
    assert run("organizations", "delete", "northwind", "--yes").exit_code == 1
    assert run("organizations", "restore", "northwind").stdout == "Restored Northwind (northwind).\n"
    assert run("members", "list", "northwind").exit_code == 0
    (listed,) = run("organizations", "list", "--json").data["items"]
    assert set(listed) == {"id", "slug", "name", "created_at"}
    assert Event.objects.last().actor_type == "operator"


def test_a_former_short_name_is_understood(run, organization, alice):
    update_organization(actor=actor_of(alice), organization=organization, slug="south")
    assert run("members", "list", "northwind").exit_code == 0
    assert run("organizations", "delete", "northwind", "--yes", "--json").data["slug"] == "south"
