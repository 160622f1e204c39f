"""A client of the REST API."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.described import assert_described

BASE = "/api/v1/organizations"


class ApiClient:
    """Calls the API with a key, and reads the JSON of the answer into `.data`."""

    def __init__(self, key: str | None = None) -> None:
        self.client = Client()
        self.key = key

    def __call__(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """`body` is encoded as JSON, unless it is bytes already."""
        if self.key:
            extra.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.key}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        content_type = extra.pop("content_type", "application/json")
        url = path if path.startswith("/api") else f"{BASE}/{path}"
        response: Any = self.client.generic(method, url, body or b"", content_type, **extra)
        # What is downloaded is no JSON.
        is_json = not response.streaming and response.content
        response.data = json.loads(response.content) if is_json else None
        assert_described(method, url, response)
        return response


@pytest.fixture
def manager(organization, make_key) -> ApiClient:
    """A key of Northwind that may manage members."""
    return ApiClient(make_key(organization, permissions=["member.manage"]))


@pytest.fixture
def reader(organization, make_key) -> ApiClient:
    """A key of Northwind that may do something else."""
    return ApiClient(make_key(organization, permissions=["audit.read"]))


@pytest.fixture
def stranger(beta, make_key) -> ApiClient:
    """A key of another organization, with every permission it needs there."""
    return ApiClient(make_key(beta, permissions=["member.manage", "organization.update"]))


@pytest.fixture
def anonymous() -> ApiClient:
    """No key at all."""
    return ApiClient()


@pytest.fixture
def statements():
    """How many statements a call takes."""

    def count(caller: ApiClient, *call: Any) -> int:
        # The first call of a minute writes down that the key was used.
        caller("GET", "northwind")
        with CaptureQueriesContext(connection) as counted:
            assert caller(*call).status_code == 200
        return len(counted)

    return count


@pytest.fixture
def invite(manager):
    """Invite addresses; their invitations as REST shows them."""

    def send(*emails: str) -> list[dict[str, Any]]:
        response = manager("POST", "northwind/invitations", {"emails": list(emails)})
        return [result["invitation"] for result in response.data["results"]]

    return send


def assert_problem(response: Any, status: int, code: str) -> None:
    """The response is a problem of this kind."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.data["status"] == status
    assert response.data["code"] == code
    assert {"type", "title", "detail"} <= response.data.keys()
