"""API keys as the operator types them."""

import re

import pytest
from django.db.models import F

from guestlist import errors
from guestlist.actions.api_keys import authenticate
from guestlist.actors import Origin
from guestlist.models import ApiKey, Event
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db
CREATE = ("api-keys", "create", "northwind", "--name", "CI", "--permission", "member.manage")


def works(secret):
    try:
        return bool(authenticate(secret=secret, origin=Origin("api")))
    except errors.NotSignedIn:
        return False


@pytest.mark.parametrize(
    "words",
    [("list",), ("create", "--name", "CI", "--permission", "audit.read"), ("rotate", "CI"), ("revoke", "CI")],
)
def test_an_unknown_organization_is_refused(run, organization, words):
    command, *rest = words
    assert_refused(run("api-keys", command, "nope", *rest, "--json"), "not_found")
    assert not ApiKey.objects.exists()


def test_the_key_of_another_organization_is_unknown(run, organization, beta):
    made = run(*CREATE, "--json").data
    for word in (made["id"], made["prefix"], "CI"):
        for command in ("rotate", "revoke"):
            assert_refused(run("api-keys", command, "beta", word, "--json"), "not_found")
    assert works(made["key"])
    assert ApiKey.objects.count() == 1


def test_a_key_is_printed_once_and_works(run, organization):
    result = run(*CREATE, "--expires", "90d")
    assert result.exit_code == 0
    secret = re.search(r"glk_[\w-]{51}", result.stdout)[0]
    assert works(secret)
    row = ApiKey.objects.get()
    assert (row.expires_at - row.created_at).days == 90
    listed = run("api-keys", "list", "northwind").stdout
    assert secret not in listed
    for said in ("CI", f"{secret[:12]}…", "active", "member.manage", "Operator"):
        assert said in listed
    assert secret not in run("api-keys", "list", "northwind", "--json").stdout


def test_programs_get_what_rest_answers(run, organization):
    made = run(*CREATE, "--json").data
    assert {"id", "key", "name", "permissions"} <= made.keys()
    assert made["expires_at"] is None
    listed = run("api-keys", "list", "northwind", "--json").data["items"][0]
    assert listed == {name: value for name, value in made.items() if name != "key"}


def test_what_is_wrong_is_refused(run, organization):
    assert_refused(run(*CREATE, "--expires", "soon", "--json"), "expiry_invalid")
    assert_refused(run("api-keys", "list", "northwind", "--sort", "x", "--json"), "invalid_filter")
    assert_refused(run("api-keys", "list", "northwind", "--status", "x", "--json"), "invalid_filter")
    assert not ApiKey.objects.exists()
    run(*CREATE)
    assert_refused(
        run("api-keys", "rotate", "northwind", "CI", "--overlap", "31d", "--json"), "overlap_invalid"
    )
    assert ApiKey.objects.count() == 1


def test_a_key_is_rotated_and_the_old_one_goes_on(run, organization):
    old = run(*CREATE, "--json").data
    new = run("api-keys", "rotate", "northwind", "CI", "--json").data
    assert (new["name"], new["replaces"]) == ("CI", old["id"])
    assert works(old["key"])
    assert works(new["key"])
    # Both have the name, one of them is meant.
    newest = run("api-keys", "rotate", "northwind", "CI", "--overlap", "0", "--json").data
    assert newest["replaces"] == new["id"]
    assert not works(new["key"])
    assert run("api-keys", "list", "northwind").stdout.count("replaced") == 1
    assert_refused(run("api-keys", "rotate", "northwind", old["id"], "--json"), "key_replaced")


@pytest.mark.parametrize("by", ["id", "name", "prefix"])
def test_a_key_is_revoked_by_id_name_or_beginning(run, organization, by):
    made = run(*CREATE, "--json").data
    assert run("api-keys", "revoke", "northwind", made[by], "--json").data["status"] == "revoked"
    assert not works(made["key"])
    assert_refused(run("api-keys", "revoke", "northwind", made["id"], "--json"), "key_ended")
    assert Event.objects.filter(type="api_key.revoked", actor_type="operator").count() == 1


def test_a_key_that_is_none_or_one_of_two_is_refused(run, organization):
    run(*CREATE)
    run(*CREATE)
    for word in ("CI", "Other", "\udcff", "01890000-0000-7000-8000-000000000000", ""):
        assert_refused(run("api-keys", "revoke", "northwind", word, "--json"), "not_found")
    assert ApiKey.objects.usable().count() == 2
    ApiKey.objects.filter(pk=ApiKey.objects.latest("created_at").pk).update(revoked_at=F("created_at"))
    assert run("api-keys", "revoke", "northwind", "CI").exit_code == 0


def test_the_list_is_filtered_and_searched(run, organization):
    run(*CREATE)
    assert "CI" in run("api-keys", "list", "northwind", "--q", "ci", "--status", "active").stdout
    for words in (("--status", "revoked"), ("--q", "other")):
        assert run("api-keys", "list", "northwind", *words).stdout == "There are no such API keys.\n"


@pytest.mark.parametrize("verb", ["create", "list", "rotate", "revoke"])
def test_help_shows_an_example(run, verb):
    assert f"guestlist api-keys {verb} northwind" in run("api-keys", verb, "--help").stdout
