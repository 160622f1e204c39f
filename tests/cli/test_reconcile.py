"""`guestlist invitations reconcile`, as the operator types it."""

import os
import sys

import pytest

from guestlist import cli
from guestlist.models import Delivery, Event, Invitation
from tests.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
FILE = b"Name,Email\nJane,jane@acme.test\nEve,eve@acme.test\n"


@pytest.fixture
def reconcile(run, organization):
    return lambda *words, **stdin: run("invitations", "reconcile", "northwind", *words, **stdin)


@pytest.fixture
def old(run, organization):
    """An invitation that no set names."""
    run("invitations", "send", "northwind", "old@acme.test")
    return Invitation.objects.get()


@pytest.fixture
def at_terminal(monkeypatch):
    """Types an answer at a real terminal; the exit status of the command."""

    def type_(answer, *words):
        master, slave = os.openpty()
        os.write(master, answer.encode())
        with os.fdopen(slave, "r") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", terminal)
            with pytest.raises(SystemExit) as left:
                cli.app()(["invitations", "reconcile", "northwind", *words])
        os.close(master)
        return left.value.code

    return type_


def pending():
    return sorted(Invitation.objects.pending().values_list("email", flat=True))


def test_the_missing_are_invited_and_nobody_else_is_touched(reconcile, old, bob):
    result = reconcile("jane@acme.test", "old@acme.test", bob.email)
    assert result.exit_code == 0
    assert result.stdout == "Done: 1 sent, 1 already member, 1 already invited.\n  + jane@acme.test\n"
    assert pending() == ["jane@acme.test", "old@acme.test"]


def test_a_file_is_a_set_and_prune_revokes_what_is_not_in_it(reconcile, old):
    result = reconcile("--file", "-", "--prune", "--yes", stdin=FILE)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Done: 2 sent, 1 revoked."
    assert lines[1:4] == ["  + jane@acme.test", "  + eve@acme.test", "  - old@acme.test"]
    assert pending() == ["eve@acme.test", "jane@acme.test"]
    assert Event.objects.filter(type="invitation.revoked", actor_type="operator").count() == 1


def test_doing_it_again_changes_nothing(reconcile, old):
    reconcile("--file", "-", "--prune", "--yes", stdin=FILE)
    before = [list(m.objects.order_by("pk").values()) for m in (Invitation, Delivery, Event)]
    result = reconcile("--file", "-", "--prune", "--yes", stdin=FILE)
    assert (result.exit_code, result.stdout) == (0, "Nothing to do: 2 already invited.\n")
    assert [list(m.objects.order_by("pk").values()) for m in (Invitation, Delivery, Event)] == before


def test_a_dry_run_tells_the_plan_and_changes_nothing(reconcile, old):
    result = reconcile("--file", "-", "--prune", "--dry-run", stdin=FILE)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Dry run: 2 would be sent, 1 would be revoked.",
        "  + jane@acme.test",
        "  + eve@acme.test",
        "  - old@acme.test",
    ]
    assert pending() == ["old@acme.test"]


def test_json_is_what_rest_answers(reconcile, organization, make_key, old):
    result = reconcile("jane@acme.test", "jane@", "--prune", "--dry-run", "--json")
    path = "northwind/invitations?prune=true&dry_run=true"
    response = ApiClient(make_key(organization))("PUT", path, {"emails": ["jane@acme.test", "jane@"]})
    assert result.data == response.data
    assert result.data["warnings"] == ["not_pruned"]


@pytest.mark.parametrize("words", [("--prune",), ("--prune", "--file", "-"), ("--prune", "--json")])
def test_without_a_terminal_pruning_needs_a_yes(reconcile, old, words):
    result = reconcile("jane@acme.test", *words, stdin="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert pending() == ["old@acme.test"]


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_at_a_terminal_whoever_does_not_say_yes_changes_nothing(at_terminal, old, capsys, answer):
    assert at_terminal(answer, "jane@acme.test", "--prune") == 1
    shown = capsys.readouterr()
    assert "  - old@acme.test" in shown.out
    assert "Revoke 1 invitation?" in shown.err
    assert pending() == ["old@acme.test"]


def test_at_a_terminal_a_yes_does_it(at_terminal, old, capsys):
    assert at_terminal("y\n", "jane@acme.test", "--prune") == 0
    assert "Done: 1 sent, 1 revoked." in capsys.readouterr().out
    assert pending() == ["jane@acme.test"]


def test_at_a_terminal_nobody_is_asked_where_nothing_is_revoked(at_terminal, old, capsys):
    assert at_terminal("", "jane@acme.test", "old@acme.test", "--prune") == 0
    assert "Revoke" not in capsys.readouterr().err


def test_where_an_address_is_mistyped_nothing_is_revoked_and_the_status_says_so(reconcile, old):
    result = reconcile("--file", "-", "--prune", "--yes", stdin=FILE + b"Bob,bob@\n")
    assert result.exit_code == 1
    assert "row 4: bob@" in result.stdout
    assert "Nothing was revoked" in result.stdout
    assert pending() == ["eve@acme.test", "jane@acme.test", "old@acme.test"]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"Name,Email\n", b"<html></html>", b"Email> \xc2\x85Email"]
)
@pytest.mark.parametrize("words", [("--prune", "--yes"), ("--prune", "--dry-run"), ()])
def test_a_file_without_any_address_is_refused(reconcile, old, content, words):
    result = reconcile("--file", "-", *words, stdin=content)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert reconcile("--file", "-", *words, "--json", stdin=content).data["code"] == "no_addresses"
    assert pending() == ["old@acme.test"]


def test_more_than_ten_thousand_are_refused_whole(reconcile, old):
    content = "\n".join(f"p{i}@acme.test" for i in range(10_001)).encode()
    result = reconcile("--file", "-", "--prune", "--yes", "--json", stdin=content)
    assert (result.exit_code, result.data["code"]) == (1, "too_many_addresses")
    assert pending() == ["old@acme.test"]


def test_nothing_given_is_wrong_usage(reconcile, old):
    assert reconcile("--prune", "--yes").exit_code == 2
    assert pending() == ["old@acme.test"]


def test_language_and_lifetime_are_those_that_were_told(reconcile):
    assert reconcile("jane@acme.test", "--language", "xx", "--json").data["code"] == "language_unknown"
    assert reconcile("jane@acme.test", "--language", "de", "--lifetime", "never").exit_code == 0
    assert Invitation.objects.get().language == "de"


def test_an_unknown_organization_is_refused(run, organization):
    result = run("invitations", "reconcile", "nope", "jane@acme.test", "--json")
    assert (result.exit_code, result.data["code"]) == (1, "not_found")
