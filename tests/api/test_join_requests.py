"""Requests to join over REST."""

import pytest
from django.utils.timezone import now

from guestlist.api.resources import join_requests as resources
from guestlist.models import Invitation, JoinRequest, Suppression
from tests.actions.test_domains import verified
from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/join-requests"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def asked(organization):
    """Makes somebody ask; their request's id."""
    domain = verified(organization, mode="request")

    def ask(email: str, **values) -> str:
        row = JoinRequest.objects.create(
            organization=organization, domain=domain, email=email, key=email, created_at=now(), **values
        )
        return str(row.pk)

    return ask


def test_only_whoever_manages_members_sees_who_asks(reader, asked):
    one = asked("jane@acme.test")
    for method, path, body in [
        ("GET", "", None),
        ("GET", f"/{one}", None),
        ("POST", f"/{one}/grant", None),
        ("POST", f"/{one}/dismiss", None),
        ("POST", "/grant", {"ids": [one]}),
        ("POST", "/dismiss", {"ids": [one]}),
    ]:
        response = reader(method, URL + path, body)
        assert_problem(response, 403, "not_allowed")
        assert "jane" not in response.content.decode()
    assert JoinRequest.objects.get().state == "pending"


def test_a_request_is_granted_by_an_invitation(manager, asked):
    one = asked("jane@acme.test", name="Jane Doe")
    shown = manager("GET", f"{URL}/{one}").data
    resources.JoinRequest.model_validate(shown)
    assert shown == {
        "id": one,
        "email": "jane@acme.test",
        "name": "Jane Doe",
        "domain": "acme.test",
        "status": "pending",
        "created_at": shown["created_at"],
        "ended_at": None,
    }
    granted = manager("POST", f"{URL}/{one}/grant")
    assert granted.status_code == 200
    assert granted.data == shown | {"status": "granted", "ended_at": granted.data["ended_at"]}
    assert Invitation.objects.get().email == "jane@acme.test"
    assert_problem(manager("POST", f"{URL}/{one}/grant"), 404, "not_found")
    assert_problem(manager("POST", f"{URL}/{one}/dismiss"), 404, "not_found")


def test_a_dismissed_request_invites_nobody(manager, asked):
    one = asked("jane@acme.test")
    dismissed = manager("POST", f"{URL}/{one}/dismiss")
    assert (dismissed.status_code, dismissed.data["status"]) == (200, "dismissed")
    assert not Invitation.objects.exists()


def test_an_address_that_wants_no_invitation_waits_on(manager, organization, asked):
    one, other = asked("jane@acme.test"), asked("john@acme.test")
    Suppression.objects.create(key="jane@acme.test", organization=organization)
    assert_problem(manager("POST", f"{URL}/{one}/grant"), 409, "suppressed")
    result = manager("POST", f"{URL}/grant", {"ids": [one, other, ANY, "nope"]})
    resources.Granted.model_validate(result.data)
    assert result.data == {"granted": 1, "left": 1}
    assert manager("GET", f"{URL}/{one}").data["status"] == "pending"


def test_several_are_dismissed_at_once(manager, asked):
    ids = [asked("jane@acme.test"), asked("john@acme.test")]
    result = manager("POST", f"{URL}/dismiss", {"ids": [*ids, ANY]})
    resources.Dismissed.model_validate(result.data)
    assert result.data == {"dismissed": 2}
    assert_problem(manager("POST", f"{URL}/dismiss", {"ids": ids}), 404, "not_found")


@pytest.mark.parametrize("call", ["grant", "dismiss"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_input"),
        ({"ids": "x"}, "invalid_input"),
        ({"ids": [], "all": True}, "invalid_input"),
        ({"ids": []}, "no_requests_chosen"),
        ({"ids": [ANY] * 1001}, "too_many_ids"),
    ],
)
def test_it_has_to_be_said_which(manager, organization, call, body, code):
    assert_problem(manager("POST", f"{URL}/{call}", body), 422, code)


def test_a_request_of_another_organization_is_an_unknown_one(manager, beta):
    theirs = JoinRequest.objects.create(organization=beta, email="w@acme.test", key="w@acme.test").pk
    for unknown in ("nope", ANY, theirs):
        assert_problem(manager("GET", f"{URL}/{unknown}"), 404, "not_found")
        assert_problem(manager("POST", f"{URL}/{unknown}/grant"), 404, "not_found")
        assert_problem(manager("POST", f"{URL}/{unknown}/dismiss"), 404, "not_found")
        assert_problem(manager("POST", f"{URL}/grant", {"ids": [str(unknown)]}), 404, "not_found")
    assert JoinRequest.objects.get().state == "pending"


def test_requests_are_listed_by_what_became_of_them(manager, asked):
    first, second = asked("jane@acme.test"), asked("john@acme.test")
    manager("POST", f"{URL}/{second}/dismiss")

    def ids(query: str) -> list[str]:
        return [each["id"] for each in manager("GET", f"{URL}?{query}").data["items"]]

    assert ids("") == [first, second]
    assert ids("status=pending") == [first]
    assert ids("status=dismissed") == [second]
    assert ids("q=JOHN") == [second]
    assert ids("sort=-email") == [second, first]
    page = manager("GET", f"{URL}?limit=1").data
    assert ids(f"limit=1&cursor={page['next_cursor']}") == [second]
    assert_problem(manager("GET", f"{URL}?status=lost"), 422, "invalid_filter")
    assert_problem(manager("GET", f"{URL}?sort=name"), 422, "invalid_filter")


def test_a_list_of_40_takes_as_many_queries_as_one_of_1(manager, asked, statements):
    counts = set()
    for first, last in ((0, 1), (1, 40)):
        for n in range(first, last):
            asked(f"p{n}@acme.test")
        page = manager("GET", URL).data
        resources.JoinRequestList.model_validate(page)
        assert page["total"] == last
        counts.add(statements(manager, "GET", URL))
    assert len(counts) == 1
