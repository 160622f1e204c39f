"""Messages on the command line."""

import pytest

from guestlist.models import Delivery, Event
from tests.api.conftest import ApiClient
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(run, organization):
    """A message to Jane that the mail server refused; another one waits."""
    run("invitations", "send", "northwind", "jane@example.com", "john@example.com")
    rows = Delivery.objects.filter(key="jane@example.com")
    rows.update(state="failed", next_at=None, detail="550 No such\x1b[31m user")
    return rows.get()


def test_messages_are_listed_for_people_and_for_programs(run, failed):
    shown = run("deliveries", "list", "northwind").stdout
    assert "ID" in shown.splitlines()[0]
    assert "jane@example.com  invitation  failed" in shown
    assert "\x1b" not in shown
    page = run("deliveries", "list", "northwind", "--state", "failed", "--q", "jane", "--json").data
    assert [item["id"] for item in page["items"]] == [str(failed.pk)]
    assert page["items"][0].keys() >= {"to", "kind", "message_id", "history"}
    assert "no such messages" in run("deliveries", "list", "northwind", "--state", "bounced").stdout


def test_an_unknown_state_is_refused(run, failed):
    result = run("deliveries", "list", "northwind", "--state", "lost", "--json")
    assert (result.exit_code, result.data["code"]) == (1, "invalid_filter")


def test_one_message_is_tried_again(run, failed):
    result = run("deliveries", "retry", "northwind", str(failed.pk), "nope", "--json")
    assert result.exit_code == 0
    assert result.data == {
        "retried": 1,
        "skipped": 1,
        "results": [
            {"id": str(failed.pk), "outcome": "retried"},
            {"id": "nope", "outcome": "not_found"},
        ],
    }
    failed.refresh_from_db()
    assert failed.state == "queued"
    assert failed.history[-1]["by"] == "Operator"
    assert Event.objects.get(type="invitation.retried").door == "cli"
    again = run("deliveries", "retry", "northwind", str(failed.pk))
    assert again.exit_code == 1
    assert "it is queued already" in again.stdout


def test_for_one_message_a_program_gets_what_rest_answers(run, organization, failed, make_key):
    tried = run("deliveries", "retry", "northwind", str(failed.pk), "--json")
    assert tried.exit_code == 0
    rest = ApiClient(make_key(organization))
    assert tried.data == rest("GET", f"northwind/deliveries/{failed.pk}").data
    assert tried.data["state"] == "queued"
    again = run("deliveries", "retry", "northwind", str(failed.pk), "--json")
    assert_refused(again, "not_retryable")
    assert again.data == rest("POST", f"northwind/deliveries/{failed.pk}/retry").data
    assert_refused(run("deliveries", "retry", "northwind", "nope", "--json"), "not_found")


def test_all_failed_ones_are_tried_again(run, failed):
    result = run("deliveries", "retry", "northwind", "--all-failed")
    assert (result.exit_code, result.stdout) == (0, "1 message is tried again.\n")
    answer = run("deliveries", "retry", "northwind", "--all-failed", "--json")
    assert (answer.exit_code, answer.data) == (0, {"retried": 0, "skipped": 0})


def test_a_message_of_another_organization_is_not_found(run, failed, beta):
    assert_refused(run("deliveries", "retry", "beta", str(failed.pk), "--json"), "not_found")
    result = run("deliveries", "retry", "beta", str(failed.pk), "nope", "--json")
    assert [each["outcome"] for each in result.data["results"]] == ["not_found"] * 2
    failed.refresh_from_db()
    assert failed.state == "failed"
