"""Limits over REST: 429 with when to come back, and what is left."""

import re
from types import SimpleNamespace

import pytest

from guestlist.actions import guesses
from guestlist.models import Delivery, Invitation
from tests.api.conftest import ApiClient, assert_problem

URL = "northwind/invitations"


@pytest.fixture(autouse=True)
def _the_minute_does_not_end(monkeypatch):
    monkeypatch.setattr(guesses, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))


def emails(number, name="p"):
    return {"emails": [f"{name}{i}@acme.test" for i in range(number)]}


def test_beyond_a_limit_nothing_is_sent_and_the_answer_says_what_is_left_and_when_to_come_back(
    manager, limit
):
    """Q01."""
    limit(inviter="5/1d", organization="50/1d")
    assert manager("POST", URL, emails(3)).status_code == 201
    response = manager("POST", URL, emails(3, "q"))
    assert_problem(response, 429, "inviter_limit")
    assert Invitation.objects.count() == Delivery.objects.count() == 3
    problem = response.data
    assert (problem["limit"], problem["allowed"], problem["left"]) == ("inviter", 5, 2)
    assert response["Retry-After"] == str(problem["retry_after"])
    assert 0 < problem["retry_after"] <= 86_400
    assert response["RateLimit"] == f'"inviter";r=2;t={problem["retry_after"]}'
    assert manager("POST", URL, emails(2, "q")).status_code == 201


def test_the_limit_of_the_organization_names_itself(manager, limit):
    """Q02."""
    limit(organization="2/1d")
    response = manager("POST", URL, emails(3))
    assert_problem(response, 429, "organization_limit")
    assert "Northwind" in response.data["detail"]


def test_sending_says_what_is_left_of_each_limit(manager):
    response = manager("POST", URL, emails(3))
    assert response["RateLimit-Policy"] == '"inviter";q=20000;w=86400, "organization";q=50000;w=86400'
    found = re.fullmatch(r'"inviter";r=19997;t=(\d+), "organization";r=49997;t=(\d+)', response["RateLimit"])
    assert found
    assert all(0 < int(seconds) <= 86_400 for seconds in found.groups())


def test_resending_counts_and_says_what_is_left(manager):
    first, second = (each["invitation"]["id"] for each in manager("POST", URL, emails(2)).data["results"])
    one = manager("POST", f"{URL}/{first}/resend")
    assert one["RateLimit"].startswith('"inviter";r=19997;')
    several = manager("POST", f"{URL}/resend", {"ids": [first, second]})
    assert (several.data["resent"], several.data["skipped"]) == (1, 1)
    assert several["RateLimit"].startswith('"inviter";r=19996;')


def test_without_limits_nothing_is_said_of_them(manager, limit):
    limit()
    response = manager("POST", URL, emails(3))
    assert "RateLimit" not in response.headers
    assert "RateLimit-Policy" not in response.headers


def test_resending_twice_at_once_is_refused_for_one_and_skipped_among_many(manager, invite):
    """Q07."""
    first, second = invite("jane@acme.test", "sue@acme.test")
    assert manager("POST", f"{URL}/{first['id']}/resend").status_code == 200
    response = manager("POST", f"{URL}/{first['id']}/resend")
    assert_problem(response, 429, "resend_limit")
    assert 590 < int(response["Retry-After"]) <= 600
    many = manager("POST", f"{URL}/resend", {"ids": [first["id"], second["id"]]})
    assert [result["outcome"] for result in many.data["results"]] == ["too_soon", "resent"]
    assert (many.data["resent"], many.data["skipped"]) == (1, 1)


# Keys that do not exist --------------------------------------------------------------------------------


def test_bad_keys_are_refused_for_a_while_and_good_ones_never(manager, organization):
    """Q05."""
    guesser = ApiClient("glk_nosuchkeynosuchkey")
    for _ in range(100):
        assert guesser("GET", URL).status_code == 401
    response = guesser("GET", URL)
    assert_problem(response, 429, "too_many_tries")
    assert 0 < int(response["Retry-After"]) <= 60
    assert guesser("GET", URL, REMOTE_ADDR="192.0.2.7").status_code == 401
    assert manager("GET", URL).status_code == 200


def test_whoever_gives_no_key_has_not_guessed(anonymous, organization, limit):
    limit(guesses="1/1m")
    assert {anonymous("GET", URL).status_code for _ in range(5)} == {401}
