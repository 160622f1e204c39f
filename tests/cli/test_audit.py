"""`guestlist audit …`."""

import csv
import io
import json

import pytest
from django.db import OperationalError

from guestlist.models import Event
from tests.actions.test_audit import lose, open_the_table
from tests.actions.test_send_invitations import send
from tests.cli.test_commands import assert_refused
from tests.web.test_audit_log_page import write


@pytest.mark.parametrize("words", [("list",), ("export",), ("verify",)])
def test_an_unknown_organization_is_refused(run, organization, words):
    result = run("audit", *words, "nope")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: There is no organization")


@pytest.mark.parametrize(
    "words",
    [("list",), ("export", "northwind", "--format", "xml"), ("list", "northwind", "--limit", "0")],
)
def test_wrong_usage_is_status_2(run, organization, words):
    assert run("audit", *words).exit_code == 2


def test_a_filter_that_means_nothing_is_refused(run, organization):
    assert_refused(run("audit", "list", "northwind", "--type", "nope", "--json"), "invalid_filter")
    assert_refused(run("audit", "list", "northwind", "--since", "yesterday", "--json"), "invalid_time")


def test_events_are_listed_the_newest_first(run, organization, alice):
    send(organization, alice, "jane@example.com\njohn@example.com")
    found = run("audit", "list", "northwind", "--json").data["items"]
    assert [item["number"] for item in found] == [*range(len(found), 0, -1)]
    assert found[0] == Event.objects.get(number=len(found)).as_resource()
    table = run("audit", "list", "northwind", "--limit", "1").stdout.splitlines()
    assert table[0].split() == ["NUMBER", "WHEN", "WHO", "WHAT", "SUBJECT", "FROM"]
    assert len(table) == 2
    assert "Alice Archer" in table[1]


def test_events_are_chosen(run, organization, alice):
    send(organization, alice, "jane@example.com")
    by_type = run("audit", "list", "northwind", "--type", "invitation.sent", "--json").data
    assert [item["subject"]["name"] for item in by_type["items"]] == ["jane@example.com"]
    by_person = run("audit", "list", "northwind", "--person", "operator", "--json").data["items"]
    assert {item["actor"]["type"] for item in by_person} == {"operator"}
    assert "no such events" in run("audit", "list", "northwind", "--since", "2999-01-01").stdout


def test_no_control_character_reaches_the_terminal(run, organization):
    write(organization, 1, subject_name="\x1b[31mred\u202e")
    for words in (("list",), ("list", "--json"), ("export",)):
        verb, *rest = words
        result = run("audit", verb, "northwind", *rest)
        assert result.exit_code == 0
        assert not any((c < " " and c != "\n") or c in "\u202e\x7f" for c in result.stdout)


def test_the_whole_log_is_exported_the_oldest_first(run, organization):
    write(organization, 2300, subject_name="=1+1")
    last = organization.event_number
    lines = [json.loads(line) for line in run("audit", "export", "northwind").stdout.splitlines()]
    assert [line["number"] for line in lines] == [*range(1, last + 1)]
    text = run("audit", "export", "northwind", "--format", "csv").stdout.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["number"]) for row in rows] == [*range(1, last + 1)]
    assert rows[-1]["subject_name"] == "'=1+1"


def test_a_whole_log_is_verified(run, organization, beta):
    result = run("audit", "verify")
    assert (result.exit_code, result.stdout) == (
        0,
        "The audit logs of 2 organizations are whole, and can only grow.\n",
    )
    assert run("audit", "verify", "northwind").stdout == "The audit log is whole, and can only grow.\n"
    answer = run("audit", "verify", "--json").data
    assert (answer["ok"], answer["problems"], len(answer["items"])) == (True, [], 2)


def test_what_is_missing_is_named_with_its_organization(run, organization, beta):
    write(organization, 20)
    last = organization.event_number
    open_the_table()
    lose(organization, 5, 6, 7, last)
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert f"PROBLEM  northwind: missing of {last} events: 5–7, {last}\n" in result.stdout
    assert "PROBLEM  An event can be changed.\n" in result.stdout
    assert "beta" not in result.stdout
    answer = run("audit", "verify", "northwind", "--json")
    assert answer.exit_code == 1
    assert answer.data["items"][0]["missing"] == [[5, 7], [last, last]]
    assert run("audit", "verify", "beta").exit_code == 1  # whoever can delete here can delete there


def test_help_shows_an_example_of_every_command(run):
    for verb in ("list", "export", "verify"):
        assert f"guestlist audit {verb}" in run("audit", verb, "--help").stdout


def test_json_tells_the_total_and_where_the_next_page_begins(run, organization):
    write(organization, 3)
    every = run("audit", "list", "northwind", "--json").data
    assert (every["total"], every["next_cursor"]) == (len(every["items"]), None)
    part = run("audit", "list", "northwind", "--limit", "2", "--json").data
    assert part["total"] == every["total"] > len(part["items"]) == 2
    assert part["next_cursor"] == str(every["items"][1]["number"])


def test_a_database_that_cannot_be_reached_is_one_sentence(run, organization, monkeypatch):
    def fail(slug):
        raise OperationalError

    monkeypatch.setattr("guestlist.actions.slugs.find_organization", fail)
    plain = run("audit", "list", "northwind")
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert plain.stderr == "Error: The database can’t be used now; try again later.\n"
    assert_refused(run("audit", "list", "northwind", "--json"), "database_unavailable")
