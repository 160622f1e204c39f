"""Join links as the operator types them."""

import pytest

from guestlist.actions.join_links import find_join_link
from guestlist.models import Event, JoinLink
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("words", [("list",), ("create", "Team"), ("turn-off", "Team"), ("turn-on", "Team")])
def test_an_unknown_organization_is_refused(run, organization, words):
    command, *rest = words
    assert_refused(run("join-links", command, "nope", *rest, "--json"), "not_found")
    assert not JoinLink.objects.exists()


def test_a_link_is_made_and_its_address_printed(run, organization):
    result = run("join-links", "create", "northwind", "Team", "--expires", "7d", "--max-uses", "3")
    assert result.exit_code == 0
    row = JoinLink.objects.get()
    assert find_join_link(token=result.stdout.strip().rpartition("/")[2]) == row
    assert (row.max_uses, row.created_by_type) == (3, "operator")
    assert Event.objects.get(type="join_link.created").actor_type == "operator"


def test_programs_get_the_resource_with_its_address(run, organization):
    made = run("join-links", "create", "northwind", "Team", "--domains", "acme.test", "--json").data
    assert made == run("join-links", "list", "northwind", "--json").data["items"][0]
    assert (made["name"], made["status"], made["domains"]) == ("Team", "on", ["acme.test"])
    assert (made["expires_at"], made["max_uses"], made["uses"]) == (None, None, 0)
    assert "/j/glj_" in made["url"]


def test_what_is_wrong_is_refused(run, organization):
    act = ("join-links", "create", "northwind", "Team")
    assert_refused(run(*act, "--expires", "soon", "--json"), "expiry_invalid")
    assert_refused(run(*act, "--max-uses", "0", "--json"), "max_uses_invalid")
    assert_refused(run(*act, "--domains", "acme", "--json"), "domain_invalid")
    assert_refused(run("join-links", "list", "northwind", "--sort", "x", "--json"), "invalid_filter")
    assert not JoinLink.objects.exists()


def test_a_link_is_turned_off_and_on_by_name_or_id(run, organization):
    made = run("join-links", "create", "northwind", "Team", "--json").data
    assert "Nobody can join" in run("join-links", "turn-off", "northwind", "Team").stdout
    assert "off" in run("join-links", "list", "northwind").stdout
    assert run("join-links", "turn-on", "northwind", made["id"], "--json").data["status"] == "on"


def test_a_link_that_is_none_or_one_of_two_is_refused(run, organization, beta):
    for words in (("northwind", "Team"), ("northwind", "Team"), ("beta", "Other")):
        run("join-links", "create", *words)
    for name in ("Team", "Other", "\udcff", str(JoinLink.objects.get(name="Other").pk)):
        assert_refused(run("join-links", "turn-off", "northwind", name, "--json"), "not_found")
    assert JoinLink.objects.filter(enabled=True).count() == 3


def test_no_links_are_said_to_be_none(run, organization):
    assert "There are no join links yet." in run("join-links", "list", "northwind").stdout
