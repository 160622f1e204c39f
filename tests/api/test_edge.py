"""The HTTP edge: whatever arrives, the answer is a problem and never a 500."""

import json
import time
import tracemalloc

import pytest

from guestlist.models import Invitation
from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/invitations"


@pytest.mark.parametrize(
    "body", [b"\xff", b'"\xc3', b"{", b"", b"nope", b'{"emails": NaN}', b'{"a": 1' + b"0" * 5000]
)
def test_what_is_not_json_is_refused(manager, organization, body):
    assert_problem(manager("POST", URL, body), *((400, "invalid_json") if body else (422, "invalid_input")))


@pytest.mark.parametrize("unit", [b"[", b'{"emails":', b'{"a":['])
def test_deep_nesting_is_refused(manager, organization, unit):
    assert_problem(manager("POST", URL, unit * 10_000), 400, "invalid_json")
    closed = b'{"emails": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    assert_problem(manager("POST", URL, closed), 400, "invalid_json")


def test_nesting_that_can_be_read_is_refused_with_its_place(manager, organization):
    body = b'{"emails": ' + b"[" * 200 + b"]" * 200 + b"}"
    response = manager("POST", URL, body)
    assert_problem(response, 422, "invalid_input")
    assert response.data["errors"][0]["field"] == "emails[0]"


def test_a_field_given_twice_is_refused(manager, organization):
    assert_problem(manager("POST", URL, b'{"text": "a@x.com", "text": "b@x.com"}'), 400, "invalid_json")


def test_parameters_in_the_address_are_no_body(manager, organization):
    response = manager("POST", f"{URL}?emails=a@example.com", {"emails": ["c@example.com"]})
    assert_problem(response, 422, "invalid_input")
    assert response.data["errors"][0]["code"] == "unknown_field"
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emails": "a@acme.test"}, "emails"),
        ({"emails": [["a@acme.test"]]}, "emails[0]"),
        ({"emails": ["a@acme.test", None]}, "emails[1]"),
        ({"emails": [{"$ne": 1}]}, "emails[0]"),
        ({"emails": [True]}, "emails[0]"),
        ({"emails": 5}, "emails"),
        ({"emails": None}, "emails"),
        ({"emails": {"0": "a@acme.test"}}, "emails"),
        ({"text": ["a@acme.test"]}, "text"),
        ({"text": 1}, "text"),
        ([], "body"),
        ("a@acme.test", "body"),
        (None, "body"),
        (7, "body"),
    ],
)
def test_types_are_not_converted(manager, organization, body, field):
    response = manager("POST", URL, json.dumps(body).encode() if body is not None else b"")
    assert_problem(response, 422, "invalid_input")
    assert response.data["errors"][0].keys() == {"field", "code", "detail"}
    assert response.data["errors"][0]["field"] == field
    assert not Invitation.objects.exists()


def test_half_a_surrogate_pair_spoils_its_own_address_only(manager, organization):
    response = manager("POST", URL, b'{"emails": ["\\ud800@acme.test", "jane@acme.test"]}')
    assert response.status_code == 201
    assert response.data["results"][0] == {
        "input": "\ud800@acme.test",
        "outcome": "invalid",
        "reason": "control_character",
    }
    assert b"\\ud800" in response.content


@pytest.mark.parametrize("body", [b'{"\\ud800": 1}', b'{"text": "\\ud800"}', b'{"text": "\\u0000"}'])
def test_half_a_surrogate_pair_is_never_a_500(manager, organization, body):
    assert manager("POST", URL, body).status_code in (200, 400, 422)


def test_the_list_of_faults_is_short(manager, organization):
    response = manager("POST", URL, {f"f{i}": 1 for i in range(100)})
    assert_problem(response, 422, "invalid_input")
    assert len(response.data["errors"]) == 100


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
def test_json_has_to_say_so(manager, organization, content_type):
    response = manager("POST", URL, {"emails": ["jane@example.com"]}, content_type=content_type)
    assert_problem(response, 415, "unsupported_media_type")
    assert not Invitation.objects.exists()


def test_a_charset_is_no_other_type(manager, organization):
    json_in_utf8 = "application/json; charset=utf-8"
    assert (
        manager("POST", URL, {"emails": ["jane@example.com"]}, content_type=json_in_utf8).status_code == 201
    )


@pytest.mark.parametrize("size", [1_000_001, 1_500_000, 4_000_001])
def test_too_much_text_is_413(manager, organization, size):
    assert_problem(manager("POST", URL, {"text": "a" * size}), 413, "input_too_large")
    assert not Invitation.objects.exists()


def test_a_large_body_is_refused_before_it_is_read(manager, organization):
    response = manager("POST", URL, b"{}", CONTENT_LENGTH="4000001")
    assert_problem(response, 413, "input_too_large")


def test_a_smaller_limit_of_the_project_is_a_problem_too(manager, organization, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert_problem(manager("POST", URL, {"text": "a" * 101}), 413, "input_too_large")


@pytest.mark.parametrize("unit", ["<a@", "(", '"\\', "@,", "a@b,"])
def test_hostile_text_takes_linear_time(manager, organization, unit):
    def seconds(times):
        start = time.process_time()
        assert manager("POST", f"{URL}/preview", {"text": unit * times}).status_code in (200, 422)
        return time.process_time() - start

    seconds(100)
    # The better of two: other processes cost this one time as well.
    assert min(seconds(50_000), seconds(50_000)) < 5 * max(seconds(25_000), 0.05)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/",
        "/api/v1/nope",
        "/api/v1/organizations",
        "/api/v1/organizations/northwind/",
        "/api/v1/a/b/c%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_a_problem(anonymous, organization, method, path):
    assert_problem(anonymous(method, path), 404, "not_found")


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(manager, organization):
    response = manager("DELETE", URL)
    assert_problem(response, 405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) >= {"GET", "POST"}


def test_the_documentation_loads_nothing_from_elsewhere(anonymous):
    page = anonymous.client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "//" not in page.content.decode()
    schema = anonymous("GET", "/api/v1/openapi.json").data
    assert "/organizations/{slug}/invitations" in schema["paths"]
    assert not any("rest" in path for path in schema["paths"])


def test_the_short_address_leads_to_the_documentation(anonymous):
    page = anonymous.client.get("/api/docs", follow=True)
    assert page.redirect_chain == [("/api/v1/docs", 302)]
    assert page.status_code == 200
    assert page.content == anonymous.client.get("/api/v1/docs").content


def test_a_fault_of_ours_is_a_problem_and_is_reported(manager, organization, monkeypatch):
    def fail(**_):
        raise ZeroDivisionError

    monkeypatch.setattr("guestlist.actions.invitations.send_invitations", fail)
    manager.client.raise_request_exception = False
    response = manager("POST", URL, {"emails": ["jane@example.com"]})
    assert_problem(response, 500, "server_error")
    manager.client.raise_request_exception = True
    with pytest.raises(ZeroDivisionError):
        manager("POST", URL, {"emails": ["jane@example.com"]})


def test_a_lost_database_is_503_and_says_when_to_try_again(manager, organization, monkeypatch):
    from django.db import OperationalError

    def fail(**_):
        raise OperationalError

    monkeypatch.setattr("guestlist.actions.invitations.send_invitations", fail)
    response = manager("POST", URL, {"emails": ["jane@example.com"]})
    assert_problem(response, 503, "unavailable")
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize("item", ["1", "[]", "null"])
def test_a_list_of_nothing_but_mistakes_is_refused_at_the_first(manager, item):
    """As many errors as items would take gigabytes."""
    body = f'{{"emails": [{", ".join([item] * 500_000)}]}}'.encode()
    tracemalloc.start()
    response = manager("POST", "northwind/invitations/preview", body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_problem(response, 422, "invalid_input")
    assert [error["field"] for error in response.data["errors"]] == ["emails[0]"]
    assert peak < 40 * len(body)


def test_a_body_of_more_fields_than_there_are_is_refused_unread(manager):
    response = manager("POST", URL, {f"field{number}": 1 for number in range(101)})
    assert_problem(response, 422, "invalid_input")
    assert [error["field"] for error in response.data["errors"]] == ["body"]
