"""Whatever is refused below /api/ is a problem, whoever refuses it; and a browser's session opens nothing."""

import io
import json

import pytest
from django.db import OperationalError
from django.test import Client

from guestlist.api.app import api
from guestlist.models import Invitation
from tests.api.conftest import BASE, ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/invitations"


def operations():
    """Every operation as method, path with ids that nothing has, and whether it takes a body."""
    nobody = "01890000-0000-7000-8000-000000000000"
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            ids = {parameter["name"]: nobody for parameter in operation["parameters"]} | {"slug": "northwind"}
            yield method.upper(), f"/api/v1{path.format(**ids)}", "requestBody" in operation


@pytest.fixture
def raising():
    """A client that shows what the server answers to a fault of its own."""
    client = ApiClient()
    client.client.raise_request_exception = False
    return client


class TestSession:
    """The API never looks at a session, and never makes one."""

    def test_whoever_is_signed_in_but_has_no_key_is_refused_everywhere(self, organization, alice, as_user):
        client = as_user(alice)
        for method, path, _ in operations():
            response = client.generic(method, path, b"{}", "application/json")
            response.data = json.loads(response.content)
            assert_problem(response, 401, "not_signed_in")
            assert response["WWW-Authenticate"] == "Bearer"
            assert not response.cookies

    def test_a_session_beside_a_key_changes_nothing(self, organization, bob, as_user, manager):
        manager.client = as_user(bob)
        response = manager("POST", URL, {"emails": ["jane@example.com"]})
        assert response.status_code == 201
        assert response.data["results"][0]["invitation"]["invited_by"]["type"] == "api_key"
        assert not response.cookies

    def test_no_answer_sets_a_cookie(self, manager, organization):
        for path in ("northwind", URL, "/api/v1/nope", "/api/v1/openapi.json", "/api/v1/docs"):
            assert not manager.client.get(
                path if path.startswith("/") else f"{BASE}/{path}",
                headers={"Authorization": f"Bearer {manager.key}"},
            ).cookies


class TestUnknown:
    """What an operation does not list, it refuses."""

    def test_a_parameter_that_is_not_listed_is_refused_by_every_operation(self, organization, make_key):
        call = ApiClient(make_key(organization))
        for method, path, takes_body in operations():
            response = call(method, f"{path}?colour=green", {} if takes_body else None)
            assert_problem(response, 422, "invalid_input")
            fields = [error["field"] for error in response.data["errors"]]
            # A body that lacks a field is refused first.
            assert fields == ["colour"] or takes_body, (method, path)

    def test_a_field_that_is_not_listed_is_refused_by_every_operation(self, organization, make_key):
        call = ApiClient(make_key(organization))
        for method, path, takes_body in operations():
            if takes_body:
                response = call(method, path, {"colour": "green"})
                assert_problem(response, 422, "invalid_input")
                unknown = [e["field"] for e in response.data["errors"] if e["code"] == "unknown_field"]
                assert unknown == ["colour"], (method, path)

    def test_a_body_where_none_is_taken_is_refused(self, organization, make_key):
        call = ApiClient(make_key(organization))
        for method, path, takes_body in operations():
            for body in () if takes_body else (b'{"a": 1}', b"nope", b"[]"):
                response = call(method, path, body)
                assert_problem(response, 422, "invalid_input")
                assert response.data["errors"] == [
                    {"field": "body", "code": "unknown_field", "detail": "This call takes no body."}
                ]

    def test_an_empty_object_is_no_body(self, manager, organization):
        assert manager("GET", "northwind", b" {} ").status_code == 200

    def test_more_parameters_than_the_server_takes_are_refused(self, manager, organization, settings):
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
        many = "&".join(f"p{number}=1" for number in range(20))
        for path in (URL, "northwind"):
            assert_problem(manager("GET", f"{path}?{many}"), 400, "bad_request")


class TestMethods:
    """HEAD is GET without the body; OPTIONS and whatever else say which methods there are."""

    def test_head_is_answered_like_get(self, manager, organization):
        head, get = manager.client.head, manager("GET", URL)
        found = head(f"{BASE}/{URL}", headers={"Authorization": f"Bearer {manager.key}"})
        assert (found.status_code, found["Content-Type"]) == (200, get["Content-Type"])
        assert found.content == b""

    def test_head_needs_a_key_too(self, anonymous, organization):
        assert anonymous.client.head(f"{BASE}/{URL}").status_code == 401

    def test_head_of_what_cannot_be_read_is_405(self, manager, organization):
        refused = manager.client.head(f"{BASE}/{URL}/preview")
        assert refused.status_code == 405
        assert refused["Allow"] == "OPTIONS, POST"

    def test_options_says_what_there_is(self, anonymous, organization):
        for method, path, _ in operations():
            answer = anonymous("OPTIONS", path)
            assert answer.status_code == 204
            assert method in answer["Allow"].split(", ")
            assert ("HEAD" in answer["Allow"]) == ("GET" in answer["Allow"])

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "QUERY"])
    def test_another_method_is_405_and_changes_nothing(self, manager, organization, method):
        response = manager(method, URL, {"emails": ["jane@example.com"]})
        assert_problem(response, 405, "method_not_allowed")
        assert "GET" in response["Allow"]
        assert not Invitation.objects.exists()

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS"])
    def test_an_unknown_address_is_404_for_every_method(self, anonymous, method):
        assert_problem(anonymous(method, "/api/v1/nope"), 404, "not_found")


class TestOutside:
    """What Django refuses before any call sees it."""

    def test_another_host_is_a_problem(self, raising):
        response = raising("GET", f"{BASE}/northwind", HTTP_HOST="evil.test")
        assert_problem(response, 400, "bad_request")

    def test_another_host_of_a_page_is_a_page(self):
        response = Client(raise_request_exception=False).get(
            "/accounts/login/", headers={"Host": "evil.test"}
        )
        assert response.status_code == 400
        assert "html" in response["Content-Type"]

    def test_another_version_is_a_problem(self, raising):
        assert_problem(raising("GET", "/api/v2/organizations"), 404, "not_found")

    def test_a_page_that_does_not_exist_is_a_page(self, client):
        assert "html" in client.get("/no-such-page")["Content-Type"]

    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [(OperationalError, 503, "unavailable"), (ZeroDivisionError, 500, "server_error")],
    )
    def test_a_fault_around_the_call_is_a_problem(self, raising, monkeypatch, fault, status, code):
        def fail(*_):
            raise fault

        monkeypatch.setattr("guestlist.api.bodies._declared_length", fail)
        assert_problem(raising("GET", f"{BASE}/northwind"), status, code)


class TestBodies:
    """What can't be read is refused in the words of the problem."""

    @pytest.mark.parametrize("body", [b'{"emails": ["\xff"]}', b"\xfe\xff\x00{", "{é".encode("latin-1")])
    def test_what_is_no_utf8_is_refused(self, manager, organization, body):
        assert_problem(manager("POST", URL, body), 400, "invalid_json")

    def test_half_a_body_is_refused(self, manager, organization):
        class Broken(io.BytesIO):
            def read(self, *_):
                raise OSError("connection reset")

        for path, takes_body in ((URL, True), (f"{URL}/{'0' * 32}/revoke", False)):
            extra = {"CONTENT_LENGTH": "100", "wsgi.input": Broken()}
            response = manager("POST", path, b"", **extra)
            assert_problem(response, 400, "body_incomplete"), takes_body
        assert not Invitation.objects.exists()

    def test_a_large_body_is_refused_whoever_sends_it_and_wherever(self, anonymous):
        for path in (URL, "/api/v1/nope", "northwind"):
            assert_problem(anonymous("POST", path, b"{}", CONTENT_LENGTH="4000001"), 413, "input_too_large")

    def test_without_a_key_nobody_learns_what_a_call_takes(self, anonymous, organization):
        for body, content_type in ((b"{", "application/json"), (b"a=b", "text/plain")):
            response = anonymous("POST", f"{URL}?colour=1", body, content_type=content_type)
            assert_problem(response, 401, "not_signed_in")
