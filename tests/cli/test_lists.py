"""What lists are asked for on the command line: the same as over REST, refusals too."""

from urllib.parse import urlencode

import pytest

from guestlist.actions.members import change_role
from guestlist.models import Membership, Role
from tests.api.conftest import ApiClient
from tests.cli.test_commands import assert_refused
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db
HOOK = "https://1.1.1.1/hooks"
SEARCHED = (("invitations",), ("deliveries",), ("members",), ("api-keys",))


@pytest.fixture
def rest(organization, make_key):
    """What REST answers."""
    return ApiClient(make_key(organization))


@pytest.mark.parametrize("noun", SEARCHED)
@pytest.mark.parametrize("q", ["x" * 321, "a\0b", "\udcff"], ids=["too long", "NUL", "half a pair"])
def test_what_cannot_be_searched_for_is_refused(run, organization, noun, q):
    refused = run(*noun, "list", "northwind", "--q", q, "--json")
    assert_refused(refused, "invalid_input")
    assert refused.data["errors"][0]["field"] == "q"
    said = run(*noun, "list", "northwind", "--q", q)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("Error: Search for at most 320 characters")


def test_calls_of_a_webhook_cannot_be_searched_for_that_either(run, organization):
    run("webhooks", "create", "northwind", HOOK)
    refused = run("webhooks", "deliveries", "northwind", HOOK, "--q", "x" * 321, "--json")
    assert_refused(refused, "invalid_input")


@pytest.mark.parametrize("noun", SEARCHED)
def test_320_characters_are_searched_for(run, organization, noun):
    assert run(*noun, "list", "northwind", "--q", "x" * 320, "--json").data["items"] == []


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("invitations", "list", "northwind", "--status", "x"), "status"),
        (("invitations", "list", "northwind", "--sort", "x"), "sort"),
        (("deliveries", "list", "northwind", "--state", "x"), "state"),
        (("deliveries", "list", "northwind", "--sort", "x"), "sort"),
        (("members", "list", "northwind", "--sort", "x"), "sort"),
        (("api-keys", "list", "northwind", "--status", "x"), "status"),
        (("audit", "list", "northwind", "--type", "x"), "type"),
        (("webhooks", "deliveries", "northwind", HOOK, "--state", "x"), "state"),
    ],
)
def test_the_option_that_was_wrong_is_named(run, organization, words, field):
    run("webhooks", "create", "northwind", HOOK)
    refused = run(*words, "--json")
    assert_refused(refused, "invalid_filter")
    assert [each["field"] for each in refused.data["errors"]] == [field]


# Members ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "role"),
    [
        ({}, None),
        ({"q": "NORTHWIND.test"}, None),
        ({"q": "nobody"}, None),
        ({"sort": "-name"}, None),
        ({"sort": "role"}, None),
        ({"sort": "-joined"}, None),
        ({"sort": "role"}, "admin"),
        ({"sort": "email"}, "Member"),
        ({}, "none"),
    ],
)
def test_members_are_found_as_over_rest(run, rest, organization, alice, bob, charlie, options, role):
    member = Membership.objects.get(user=charlie)
    change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=None)
    asked = dict(options)
    if role:
        found = Role.objects.filter(organization=organization, name__iexact=role).first()
        asked["role"] = str(found.pk) if found else role
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    words += ["--role", role] if role else []
    answer = rest("GET", f"northwind/members?{urlencode(asked)}").data
    assert run("members", "list", "northwind", *words, "--json").data == answer


def test_a_role_is_meant_by_its_id_before_its_name(run, organization, bob):
    admin = Role.objects.get(organization=organization, name="Admin")
    run("roles", "create", "northwind", str(admin.pk))
    listed = run("members", "list", "northwind", "--role", str(admin.pk), "--json").data
    assert [each["email"] for each in listed["items"]] == [bob.email]


def test_members_of_a_role_that_is_none_are_refused(run, organization, beta):
    theirs = Role.objects.get(organization=beta, name="Admin")
    for role in ("Emperor", str(theirs.pk), "\0", "\udcff"):
        assert_refused(run("members", "list", "northwind", "--role", role, "--json"), "unknown_role")


def test_where_no_member_fits_that_is_said(run, organization):
    assert run("members", "list", "northwind", "--q", "nobody").stdout == "There are no such members.\n"
