"""Who may call the API, and what the others learn."""

import uuid

import pytest
from django.test import Client

from guestlist.actions.api_keys import create_api_key
from guestlist.actions.members import change_role, remove_member
from guestlist.actors import Actor
from guestlist.models import ApiKey, Event, Invitation, Membership
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db
ANY = "01890000-0000-7000-8000-000000000000"
CALLS = [
    ("GET", "", None),
    ("PATCH", "", {"name": "Other"}),
    ("POST", "/invitations", {"emails": ["jane@example.com"]}),
    ("POST", "/invitations/preview", {"emails": ["jane@example.com"]}),
    ("GET", "/invitations", None),
    ("POST", "/invitations/revoke", {"status": "pending"}),
    ("POST", "/invitations/resend", {"status": "pending"}),
    ("GET", f"/invitations/{ANY}", None),
    ("POST", f"/invitations/{ANY}/revoke", None),
    ("POST", f"/invitations/{ANY}/resend", None),
    ("GET", "/deliveries", None),
    ("POST", "/deliveries/retry", None),
    ("POST", f"/deliveries/{ANY}/retry", None),
    ("GET", f"/invitations/{ANY}/deliveries", None),
    ("GET", "/members", None),
    ("PATCH", f"/members/{ANY}", {"role": None}),
    ("DELETE", f"/members/{ANY}", None),
]
each_call = pytest.mark.parametrize(("method", "path", "body"), CALLS)


@each_call
def test_without_a_key_every_call_is_401(anonymous, organization, method, path, body):
    response = anonymous(method, f"northwind{path}", body)
    assert_problem(response, 401, "not_signed_in")
    assert response["WWW-Authenticate"] == "Bearer"


@each_call
def test_a_session_is_no_key(alice, organization, method, path, body):
    caller = ApiClient()
    caller.client.force_login(alice)
    assert_problem(caller(method, f"northwind{path}", body), 401, "not_signed_in")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer nope", "Basic YTpi", "glk_nope", "Bearer \xff\xfe", "Bearer a b"],
)
def test_a_header_that_holds_no_key_is_401(organization, header):
    response = Client().get("/api/v1/organizations/northwind", HTTP_AUTHORIZATION=header)
    assert response.status_code == 401


@each_call
def test_the_key_of_another_organization_sees_the_same_as_for_an_unknown_one(
    stranger, organization, method, path, body
):
    there = stranger(method, f"northwind{path}", body)
    nowhere = stranger(method, f"no-such-organization{path}", body)
    assert_problem(there, 404, "not_found")
    assert there.content == nowhere.content
    assert not Invitation.objects.exists()


@each_call
def test_a_key_without_the_permission_is_refused_and_told_its_name(reader, organization, method, path, body):
    response = reader(method, f"northwind{path}", body)
    if (method, path) == ("GET", ""):
        assert response.status_code == 200
        return
    assert_problem(response, 403, "not_allowed")
    assert ("Organization: Update" if method == "PATCH" and not path else "Member: Manage") in response.data[
        "detail"
    ]


def test_what_belongs_to_another_organization_looks_like_a_random_id(stranger, invite, organization):
    (invitation,) = invite("jane@example.com")
    member = Membership.objects.active().filter(organization=organization).first()
    for path in ("invitations/{}/revoke", "invitations/{}/resend"):
        theirs = stranger("POST", "beta/" + path.format(invitation["id"]))
        assert_problem(theirs, 404, "not_found")
        assert theirs.content == stranger("POST", "beta/" + path.format(uuid.uuid4())).content
    assert_problem(stranger("GET", f"beta/invitations/{invitation['id']}"), 404, "not_found")
    assert_problem(stranger("PATCH", f"beta/members/{member.pk}", {"role": None}), 404, "not_found")
    assert_problem(stranger("DELETE", f"beta/members/{member.pk}"), 404, "not_found")
    assert Invitation.objects.get(pk=invitation["id"]).status == "pending"
    assert Membership.objects.get(pk=member.pk).state == "active"


def test_bulk_calls_touch_nothing_of_another_organization(stranger, invite):
    (invitation,) = invite("jane@example.com")
    response = stranger("POST", "beta/invitations/revoke", {"ids": [invitation["id"]]})
    assert response.data["results"] == [{"id": invitation["id"], "outcome": "not_found"}]
    assert Invitation.objects.get(pk=invitation["id"]).status == "pending"


def test_a_refused_key_learns_no_address(reader, invite):
    (invitation,) = invite("jane@example.com")
    for path in ("invitations", f"invitations/{invitation['id']}", "members", "invitations?q=jane"):
        assert b"jane" not in reader("GET", f"northwind/{path}").content


def test_a_revoked_key_is_401_at_once(manager, organization):
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert_problem(manager("GET", "northwind/invitations"), 401, "not_signed_in")


@pytest.fixture
def bobs(organization, bob) -> ApiClient:
    """A key that Bob, an Admin, made."""
    made = create_api_key(
        actor=actor_of(bob), organization=organization, name="Bob's", permissions=["member.manage"]
    )
    return ApiClient(made.secret)


def test_a_key_loses_what_its_creator_loses(bobs, bob, organization):
    assert bobs("GET", "northwind/invitations").status_code == 200
    member = Membership.objects.active().get(organization=organization, user=bob)
    change_role(actor=Actor.operator(), organization=organization, member_id=member.pk, role_id=None)
    response = bobs("POST", "northwind/invitations", {"emails": ["jane@example.com"]})
    assert_problem(response, 403, "not_allowed")


def test_a_key_ends_with_the_membership_of_its_creator(bobs, bob, organization):
    member = Membership.objects.active().get(organization=organization, user=bob)
    remove_member(actor=Actor.operator(), organization=organization, member_id=member.pk)
    assert_problem(bobs("GET", "northwind"), 401, "not_signed_in")


def test_the_audit_log_names_the_key_and_where_it_called_from(manager, organization):
    manager(
        "POST",
        "northwind/invitations",
        {"emails": ["jane@example.com"]},
        REMOTE_ADDR="203.0.113.7",
        HTTP_USER_AGENT="ci\x1b[31m/1",
    )
    event = Event.objects.get(type="invitation.sent")
    assert (event.actor_type, event.door, event.ip) == ("api_key", "api", "203.0.113.7")
    assert event.user_agent == "ci[31m/1"


def test_an_unreadable_peer_address_is_left_out(manager, organization):
    manager("POST", "northwind/invitations", {"emails": ["jane@example.com"]}, REMOTE_ADDR="unix:")
    assert Event.objects.get(type="invitation.sent").ip is None


def test_a_key_ends_with_the_account_of_its_maker(organization, alice, bob, make_key):
    """S06: switched off, whatever the account made programs do stops; what it sent stays."""
    key = ApiClient(make_key(organization, actor=actor_of(bob)))
    assert key("POST", "northwind/invitations", {"emails": ["jane@example.com"]}).status_code == 201
    bob.is_active = False
    bob.save()
    assert_problem(key("GET", "northwind/members"), 401, "not_signed_in")
    assert Invitation.objects.pending().count() == 1


def test_an_account_that_is_switched_off_is_signed_out(organization, bob, as_user):
    """S06."""
    browser = as_user(bob)
    assert browser.get("/o/northwind/admin/members").status_code == 200
    bob.is_active = False
    bob.save()
    assert browser.get("/o/northwind/admin/members").status_code == 302
