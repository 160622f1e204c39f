"""Text that no database stores, no mail takes and no page shows, in every field that takes text."""

import pytest

from guestlist.models import Role
from guestlist.permissions import all_permissions
from tests.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
TEXTS = [
    "\x00",
    "\ud800",
    "a\ud800b\x00@acme.test",
    "{0}{x}",
    "%s",
    "\u202ex",
    "x" * 100_000,
    "9" * 5_000 + "d",
]
FIELDS = [
    ("PATCH", "", "name"),
    ("PATCH", "", "slug"),
    ("PATCH", "/settings", "accent"),
    ("PATCH", "/settings", "language"),
    ("PATCH", "/settings", "invitation_lifetime"),
    ("PATCH", "/settings", "allowed_domains[]"),
    ("PATCH", "/settings", "denied_domains[]"),
    ("PATCH", "/settings", "new_member_role"),
    ("POST", "/roles", "name"),
    ("POST", "/roles", "permissions[]"),
    ("POST", "/roles/{role}/duplicate", "name"),
    ("POST", "/join-links", "name"),
    ("POST", "/join-links", "expires"),
    ("POST", "/join-links", "domains[]"),
    ("POST", "/domains", "domain"),
    ("POST", "/domains", "email"),
    ("POST", "/domains", "mode"),
    ("POST", "/join-requests/grant", "ids[]"),
    ("POST", "/join-requests/dismiss", "ids[]"),
    ("POST", "/members/change-role", "ids[]"),
    ("POST", "/members/change-role", "role"),
    ("POST", "/members/remove", "ids[]"),
    ("POST", "/members/remove", "q"),
    ("POST", "/members/remove", "with_role"),
]
# What else a body needs.
WITH = {
    "/join-links": {"name": "Team"},
    "/roles": {"name": "Editor"},
    "/domains": {"domain": "acme.test", "email": "it@acme.test"},
    "/members/change-role": {"role": None},
}
QUERIES = [
    *(("/events", name) for name in ("type", "actor", "person", "since", "until", "q", "sort", "cursor")),
    *(("/events.csv", name) for name in ("type", "actor", "q")),
    *(("/roles", name) for name in ("q", "sort", "cursor")),
    *(("/join-links", name) for name in ("q", "sort", "cursor")),
    *(("/domains", name) for name in ("q", "sort", "cursor")),
    *(("/join-requests", name) for name in ("q", "status", "sort", "cursor")),
    *(("/members", name) for name in ("q", "role", "sort", "cursor")),
    *(("/members.csv", name) for name in ("q", "role", "sort")),
]


@pytest.fixture
def full(organization, make_key, limit) -> ApiClient:
    """A key that may do everything, as often as it likes."""
    limit()
    return ApiClient(make_key(organization, permissions=sorted(all_permissions())))


@pytest.mark.parametrize(("method", "path", "field"), FIELDS)
def test_any_text_is_taken_or_refused(full, alice, organization, method, path, field):
    role = Role.objects.get(organization=organization, name="Member").pk
    for text in TEXTS:
        value = [text] if field.endswith("[]") else text
        name = field.removesuffix("[]")
        body = {**WITH.get(path, {}), name: value} | ({"ids": []} if name == "role" else {})
        response = full(method, f"{organization.slug}{path.format(role=role)}", body)
        assert response.status_code in (200, 201, 403, 404, 409, 422), (text[:20], response.content[:300])
        organization.refresh_from_db()


@pytest.mark.parametrize(("path", "name"), QUERIES)
def test_any_parameter_is_taken_or_refused(full, alice, path, name):
    for text in ("%00", "%ED%A0%80", "%FF", "{0}", "%25s", "%E2%80%AE", "x" * 3000, "9" * 30, "-", "null"):
        response = full("GET", f"northwind{path}?{name}={text}")
        if response.streaming:
            b"".join(response.streaming_content)
        assert response.status_code in (200, 422), (text[:20], response.content[:300])
