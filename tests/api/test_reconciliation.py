"""A set of addresses over REST."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist.api.resources import invitations as resources
from guestlist.models import Delivery, Event, Invitation, Quota
from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/invitations"
SET = {"emails": ["jane@acme.test"]}


def rows():
    return [list(m.objects.order_by("pk").values()) for m in (Invitation, Delivery, Event, Quota)]


def test_without_a_key_there_is_nothing_to_do(anonymous, organization):
    assert_problem(anonymous("PUT", URL, SET), 401, "not_signed_in")


def test_a_key_without_the_permission_is_told_its_name(reader, organization):
    response = reader("PUT", URL, SET)
    assert_problem(response, 403, "not_allowed")
    assert "Member: Manage" in response.data["detail"]


def test_the_key_of_another_organization_finds_nothing(stranger, organization):
    assert_problem(stranger("PUT", URL, SET), 404, "not_found")
    assert not Invitation.objects.exists()


def test_a_set_is_brought_about_and_the_answer_is_the_plan(manager, invite, bob):
    invite("jane@acme.test", "old@acme.test")
    body = {"emails": ["jane@acme.test", bob.email, "Eve@acme.test", "eve@acme.test"]}
    response = manager("PUT", f"{URL}?prune=true", body)
    assert response.status_code == 200
    resources.Reconciled.model_validate(response.data)
    assert [r["outcome"] for r in response.data["results"]] == [
        "already_invited",
        "already_member",
        "sent",
        "duplicate",
    ]
    counts = ("dry_run", "sent", "skipped", "duplicates", "invalid", "revoked")
    assert [response.data[k] for k in counts] == [False, 1, 2, 1, 0, 1]
    (revocation,) = response.data["revocations"]
    assert (revocation["email"], revocation["outcome"]) == ("old@acme.test", "revoked")
    path = f"{URL}/{revocation['invitation']['id']}"
    assert manager("GET", path).data == revocation["invitation"]
    assert manager("GET", f"{URL}?status=pending").data["total"] == 2


def test_the_same_set_again_is_200_and_changes_nothing(manager, organization):
    first = manager("PUT", f"{URL}?prune=true", SET)
    before = rows()
    again = manager("PUT", f"{URL}?prune=true", SET)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.data["sent"], again.data["revoked"]) == (0, 0)
    assert again.data["results"][0]["invitation"] == first.data["results"][0]["invitation"]
    assert rows() == before


def test_a_dry_run_says_what_would_happen(manager, invite):
    invite("old@acme.test")
    before = rows()
    response = manager("PUT", f"{URL}?dry_run=true&prune=true", SET)
    assert response.status_code == 200
    resources.Reconciled.model_validate(response.data)
    assert response.data["results"] == [{"email": "jane@acme.test", "outcome": "would_send"}]
    assert response.data["revocations"][0]["outcome"] == "would_revoke"
    assert rows() == before


def test_raw_text_is_a_set_too(manager, invite):
    invite("old@acme.test")
    text = "Jane Doe <jane@acme.test>; eve@acme.test\n"
    response = manager("PUT", f"{URL}?prune=1", {"text": text, "language": "de", "lifetime": "36h"})
    assert (response.data["sent"], response.data["revoked"]) == (2, 1)
    assert set(Invitation.objects.pending().values_list("language", flat=True)) == {"de"}


def test_text_that_is_no_address_is_named_and_ends_nothing(manager, invite):
    invite("jane@acme.test")
    response = manager("PUT", f"{URL}?prune=true", {"emails": ["jane@acme.tset", "jane@"]})
    resources.Reconciled.model_validate(response.data)
    assert response.data["warnings"] == ["not_pruned"]
    assert response.data["results"][1]["reason"] == "missing_domain"
    assert (response.data["sent"], response.data["invalid"], response.data["revoked"]) == (1, 1, 0)


def test_who_declined_is_left_alone(manager, invite):
    invite("jane@acme.test")
    Invitation.objects.update(status="declined", ended_at="2026-01-01T00:00:00Z")
    response = manager("PUT", URL, SET)
    resources.Reconciled.model_validate(response.data)
    assert response.data["results"] == [{"email": "jane@acme.test", "outcome": "declined"}]
    assert manager("POST", URL, SET).data["sent"] == 1


def test_the_empty_list_is_a_set(manager, invite):
    invite("jane@acme.test")
    assert manager("PUT", URL, {"emails": []}).data["revoked"] == 0
    assert manager("PUT", f"{URL}?prune=true", {"emails": []}).data["revoked"] == 1


@pytest.mark.parametrize("text", ["", " ,;\n", "<html></html>", "Name,Email\n", "Email> \x85Email"])
@pytest.mark.parametrize("query", ["", "?prune=true", "?prune=true&dry_run=true"])
def test_text_without_any_address_is_no_set(manager, invite, text, query):
    invite("jane@acme.test")
    before = rows()
    assert_problem(manager("PUT", f"{URL}{query}", {"text": text}), 422, "no_addresses")
    assert rows() == before


@pytest.mark.parametrize("emails", [[""], [" "], ["<html></html>"]])
def test_a_list_of_what_is_no_address_prunes_nothing(manager, invite, emails):
    invite("jane@acme.test")
    response = manager("PUT", f"{URL}?prune=true", {"emails": emails})
    assert (response.data["warnings"], response.data["revoked"]) == (["not_pruned"], 0)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"emails": ["a@acme.test"], "text": "b@acme.test"},
        {"emails": None},
        {"emails": "a@acme.test"},
        {"emails": [], "prune": True},
        {"emails": [], "role": "owner"},
    ],
)
def test_what_is_no_set_ends_nothing(manager, invite, body):
    invite("jane@acme.test")
    assert_problem(manager("PUT", f"{URL}?prune=true", body), 422, "invalid_input")
    assert Invitation.objects.pending().count() == 1


@pytest.mark.parametrize("query", ["dry_run=perhaps", "dry_run=", "dry_run", "prune=all", "dryrun=true"])
def test_a_parameter_that_is_not_understood_ends_nothing(manager, invite, query):
    invite("jane@acme.test")
    before = rows()
    response = manager("PUT", f"{URL}?prune=true&{query}", {"emails": ["eve@acme.test"]})
    assert_problem(response, 422, "invalid_input")
    assert response.data["errors"][0]["field"] == query.partition("=")[0]
    assert rows() == before


def test_beyond_a_limit_nothing_happens_at_all(manager, invite, limit):
    limit(inviter="2/1d")
    invite("old@acme.test")
    before = rows()
    response = manager("PUT", f"{URL}?prune=true", {"emails": ["jane@acme.test", "eve@acme.test"]})
    assert_problem(response, 429, "inviter_limit")
    assert int(response["Retry-After"]) > 0
    assert response.data["left"] == 1
    assert rows() == before


def test_what_is_left_of_the_limits_is_said(manager, organization, limit):
    limit(inviter="20/1d")
    assert '"inviter";r=19;' in manager("PUT", URL, SET)["RateLimit"]


@pytest.mark.parametrize("key", ["emails", "text"])
def test_more_than_ten_thousand_addresses_change_nothing(manager, invite, key):
    invite("old@acme.test")
    addresses = [f"p{i}@acme.test" for i in range(10_001)]
    body = {key: addresses if key == "emails" else "\n".join(addresses)}
    assert_problem(manager("PUT", f"{URL}?prune=true", body), 422, "too_many_addresses")
    assert Invitation.objects.pending().count() == 1


@pytest.mark.parametrize(("method", "path"), [("POST", URL), ("PUT", f"{URL}?prune=true")])
def test_ten_thousand_addresses_are_one_answer_and_cost_as_many_queries_as_one(
    manager, organization, limit, method, path
):
    limit(inviter="30000/1d", organization="30000/1d")
    manager("PUT", URL, {"emails": []})  # writes the time of use

    def queries(count):
        manager("PUT", f"{URL}?prune=true", {"emails": [f"old{i}@acme.test" for i in range(count)]})
        emails = [f"p{i}of{count}@acme.test" for i in range(count)]
        with CaptureQueriesContext(connection) as captured:
            response = manager(method, path, {"emails": emails})
        assert response.data["sent"] == len(response.data["results"]) == count
        assert [result["email"] for result in response.data["results"]] == emails
        assert {result["outcome"] for result in response.data["results"]} == {"sent"}
        assert response.data.get("revoked", count) == count
        return len(captured)

    assert queries(1) == queries(10_000)
