"""Every address of the pages and every call of the API, for those who do not belong there.

An id or a short name of another organization is answered exactly as one that does not exist. A new address or
call that is in neither table fails here.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from guestlist.actions.invitations import send_invitations
from guestlist.addresses import parse_items
from guestlist.api.app import api
from guestlist.models import (
    ApiKey,
    Delivery,
    Domain,
    Event,
    Invitation,
    JoinLink,
    JoinRequest,
    Membership,
    Organization,
    Role,
    Webhook,
    WebhookDelivery,
)
from guestlist.web.urls import urlpatterns
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db
NOBODYS = uuid.UUID("01890000-0000-7000-8000-000000000000")


@dataclass(frozen=True)
class Page:
    """How a page of an organization is asked for. `needs` is the permission that its 403 names; None is any
    member's page.
    """

    methods: tuple[str, ...]
    needs: str | None = "Member: Manage"


READ, POST, ASK = ("get",), ("post",), ("get", "post")
# Pages of an organization by the names of their addresses.
PAGES: dict[str, Page] = {
    "organization": Page(READ, None),
    "leave": Page(ASK, None),
    "members": Page(READ),
    "change_role": Page(POST),
    "remove_member": Page(ASK),
    "change_roles": Page(ASK),
    "remove_members": Page(ASK),
    "export_members": Page(READ),
    "member": Page(READ),
    "transfer_ownership": Page(ASK),
    "invitations": Page(READ),
    "new_invitations": Page(ASK),
    "preview_invitations": Page(POST),
    "revoke_invitations": Page(ASK),
    "resend_invitations": Page(POST),
    "invitation": Page(READ),
    "revoke_invitation": Page(ASK),
    "resend_invitation": Page(POST),
    "dismiss_request": Page(POST),
    "hand_over_link": Page(POST),
    "delivery": Page(READ),
    "retry_deliveries": Page(ASK),
    "try_again": Page(POST),
    "retry_delivery": Page(POST),
    "settings": Page(ASK, "Organization: Update"),
    "settings_invitations": Page(ASK, "Organization: Update"),
    "settings_email": Page(ASK, "Organization: Update"),
    "settings_security": Page(ASK, "Organization: Update"),
    "settings_danger": Page(ASK, "Organization: Delete"),
    "settings_preview": Page(READ, "Organization: Update"),
    "send_test": Page(POST, "Organization: Update"),
    "join_links": Page(READ),
    "new_join_link": Page(ASK),
    "join_link": Page(READ),
    "edit_join_link": Page(ASK),
    "turn_off_join_link": Page(ASK),
    "turn_on_join_link": Page(POST),
    "domains": Page(READ, "Organization: Update"),
    "new_domain": Page(ASK, "Organization: Update"),
    "verify_domain": Page(ASK, "Organization: Update"),
    "send_domain_code": Page(POST, "Organization: Update"),
    "change_domain_mode": Page(POST, "Organization: Update"),
    "remove_domain": Page(ASK, "Organization: Update"),
    "join_requests": Page(READ),
    "grant_requests": Page(POST),
    "dismiss_requests": Page(POST),
    "grant_request": Page(POST),
    "dismiss_join_request": Page(POST),
    "roles": Page(READ, "Role: Read"),
    "new_role": Page(ASK, "Role: Create"),
    "role": Page(ASK, "Role: Read"),
    "duplicate_role": Page(POST, "Role: Create"),
    "delete_role": Page(ASK, "Role: Delete"),
    "audit_log": Page(READ, "Audit: Read"),
    "audit_csv": Page(READ, "Audit: Read"),
    "audit_jsonl": Page(READ, "Audit: Read"),
    "api_keys": Page(READ, "API key: Manage"),
    "new_api_key": Page(ASK, "API key: Manage"),
    "rotate_api_key": Page(ASK, "API key: Manage"),
    "revoke_api_key": Page(ASK, "API key: Manage"),
    "webhooks": Page(READ, "Webhook: Manage"),
    "new_webhook": Page(ASK, "Webhook: Manage"),
    "webhook": Page(READ, "Webhook: Manage"),
    "edit_webhook": Page(ASK, "Webhook: Manage"),
    "turn_off_webhook": Page(ASK, "Webhook: Manage"),
    "turn_on_webhook": Page(POST, "Webhook: Manage"),
    "delete_webhook": Page(ASK, "Webhook: Manage"),
    "rotate_webhook_secret": Page(ASK, "Webhook: Manage"),
    "test_webhook": Page(POST, "Webhook: Manage"),
    "redeliver_webhook_deliveries": Page(ASK, "Webhook: Manage"),
    "webhook_delivery": Page(READ, "Webhook: Manage"),
    "redeliver_webhook_delivery": Page(POST, "Webhook: Manage"),
}
# Pages of a person, and those that a link or nothing at all opens: they name no organization.
OTHERS = {
    "root",
    "help",
    "organizations",
    "new_organization",
    "my_invitations",
    "accept_own_invitation",
    "decline_own_invitation",
    "allow_invitations",
    "invitation_link",
    "decline_invitation",
    "ask_for_invitation",
    "invitation_preferences",
    "join_link_page",
    "find_organization",
    "join_by_domain",
    "ask_by_domain",
    "restore_organization",
    "unsubscribe",
    "switch_account",
}
# Calls of the API: method and path → the body that it takes, and the permission that its 403 names.
CALLS: dict[tuple[str, str], tuple[dict[str, Any] | None, str | None]] = {
    ("GET", ""): (None, None),
    ("PATCH", ""): ({"name": "Other"}, "Organization: Update"),
    ("GET", "/members"): (None, "Member: Manage"),
    ("PATCH", "/members/{member_id}"): ({"role": None}, "Member: Manage"),
    ("DELETE", "/members/{member_id}"): (None, "Member: Manage"),
    ("GET", "/invitations"): (None, "Member: Manage"),
    ("POST", "/invitations"): ({"emails": ["jane@acme.test"]}, "Member: Manage"),
    ("PUT", "/invitations"): ({"emails": ["jane@acme.test"]}, "Member: Manage"),
    ("POST", "/invitations/preview"): ({"emails": ["jane@acme.test"]}, "Member: Manage"),
    ("POST", "/invitations/revoke"): ({"status": "pending"}, "Member: Manage"),
    ("POST", "/invitations/resend"): ({"status": "pending"}, "Member: Manage"),
    ("GET", "/invitations/{invitation_id}"): (None, "Member: Manage"),
    ("POST", "/invitations/{invitation_id}/revoke"): (None, "Member: Manage"),
    ("POST", "/invitations/{invitation_id}/resend"): (None, "Member: Manage"),
    ("GET", "/invitations/{invitation_id}/deliveries"): (None, "Member: Manage"),
    ("GET", "/deliveries"): (None, "Member: Manage"),
    ("POST", "/deliveries/retry"): (None, "Member: Manage"),
    ("GET", "/deliveries/{delivery_id}"): (None, "Member: Manage"),
    ("POST", "/deliveries/{delivery_id}/retry"): (None, "Member: Manage"),
    ("GET", "/api-keys"): (None, "API key: Manage"),
    ("POST", "/api-keys"): ({"name": "CI", "permissions": []}, "API key: Manage"),
    ("GET", "/api-keys/{api_key_id}"): (None, "API key: Manage"),
    ("POST", "/api-keys/{api_key_id}/rotate"): (None, "API key: Manage"),
    ("POST", "/api-keys/{api_key_id}/revoke"): (None, "API key: Manage"),
    ("GET", "/members.csv"): (None, "Member: Manage"),
    ("POST", "/members/change-role"): ({"q": "m", "role": None}, "Member: Manage"),
    ("POST", "/members/remove"): ({"q": "m"}, "Member: Manage"),
    ("GET", "/members/{member_id}"): (None, "Member: Manage"),
    ("GET", "/settings"): (None, "Organization: Update"),
    ("PATCH", "/settings"): ({"digests": False}, "Organization: Update"),
    ("GET", "/roles"): (None, "Role: Read"),
    ("POST", "/roles"): ({"name": "Other"}, "Role: Create"),
    ("GET", "/roles/{role_id}"): (None, "Role: Read"),
    ("PATCH", "/roles/{role_id}"): ({"name": "Other"}, "Role: Update"),
    ("DELETE", "/roles/{role_id}"): (None, "Role: Delete"),
    ("POST", "/roles/{role_id}/duplicate"): (None, "Role: Create"),
    ("GET", "/events"): (None, "Audit: Read"),
    ("GET", "/events.csv"): (None, "Audit: Read"),
    ("GET", "/events/{event_id}"): (None, "Audit: Read"),
    ("GET", "/join-links"): (None, "Member: Manage"),
    ("POST", "/join-links"): ({"name": "Other"}, "Member: Manage"),
    ("GET", "/join-links/{join_link_id}"): (None, "Member: Manage"),
    ("PATCH", "/join-links/{join_link_id}"): ({"name": "Other"}, "Member: Manage"),
    ("POST", "/join-links/{join_link_id}/turn-off"): (None, "Member: Manage"),
    ("POST", "/join-links/{join_link_id}/turn-on"): (None, "Member: Manage"),
    ("GET", "/domains"): (None, "Organization: Update"),
    ("POST", "/domains"): ({"domain": "acme.test", "email": "it@acme.test"}, "Organization: Update"),
    ("GET", "/domains/{domain_id}"): (None, "Organization: Update"),
    ("PATCH", "/domains/{domain_id}"): ({"mode": "off"}, "Organization: Update"),
    ("DELETE", "/domains/{domain_id}"): (None, "Organization: Update"),
    ("POST", "/domains/{domain_id}/send-code"): (None, "Organization: Update"),
    ("POST", "/domains/{domain_id}/verify"): ({"code": "123456"}, "Organization: Update"),
    ("GET", "/join-requests"): (None, "Member: Manage"),
    ("POST", "/join-requests/grant"): ({"ids": [str(NOBODYS)]}, "Member: Manage"),
    ("POST", "/join-requests/dismiss"): ({"ids": [str(NOBODYS)]}, "Member: Manage"),
    ("GET", "/join-requests/{request_id}"): (None, "Member: Manage"),
    ("POST", "/join-requests/{request_id}/grant"): (None, "Member: Manage"),
    ("POST", "/join-requests/{request_id}/dismiss"): (None, "Member: Manage"),
    ("GET", "/webhooks"): (None, "Webhook: Manage"),
    ("POST", "/webhooks"): ({"url": "http://127.0.0.1:9/hooks"}, "Webhook: Manage"),
    ("GET", "/webhooks/{webhook_id}"): (None, "Webhook: Manage"),
    ("PATCH", "/webhooks/{webhook_id}"): ({"url": "http://127.0.0.1:9/others"}, "Webhook: Manage"),
    ("DELETE", "/webhooks/{webhook_id}"): (None, "Webhook: Manage"),
    ("POST", "/webhooks/{webhook_id}/rotate-secret"): (None, "Webhook: Manage"),
    ("POST", "/webhooks/{webhook_id}/test"): (None, "Webhook: Manage"),
    ("GET", "/webhooks/{webhook_id}/deliveries"): (None, "Webhook: Manage"),
    ("POST", "/webhooks/{webhook_id}/deliveries/redeliver"): (
        {"since": "2026-01-01T00:00:00Z"},
        "Webhook: Manage",
    ),
    ("GET", "/webhooks/{webhook_id}/deliveries/{webhook_delivery_id}"): (None, "Webhook: Manage"),
    ("POST", "/webhooks/{webhook_id}/deliveries/{webhook_delivery_id}/redeliver"): (
        None,
        "Webhook: Manage",
    ),
}
# Calls that are about no organization.
OF_NOBODY = {"/permissions"}
each_page = pytest.mark.parametrize("name", PAGES)
each_call = pytest.mark.parametrize(("method", "path"), CALLS)


@pytest.fixture(autouse=True)
def _free(limit, settings):
    limit()
    # Links to hand over are made where there is no mail.
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}


@pytest.fixture
def alphas(organization: Organization, alice: Any) -> dict[str, uuid.UUID]:
    """Something of each kind in Northwind, by the name that addresses give its id."""
    batch = send_invitations(
        actor=actor_of(alice), organization=organization, parsed=parse_items(["vera@acme.test"])
    )
    row = batch.outcomes[0].invitation
    assert row
    assert row.delivery
    member = join(organization, make_user("m@northwind.test", "M"), "Member")
    about = {"organization": organization, "nonce": "A" * 22}
    webhook = Webhook.objects.create(url="http://127.0.0.1:9/hooks", **about)
    call = WebhookDelivery(organization=organization, webhook=webhook, event_id=uuid.uuid4(), number=0)
    call.save()
    return {
        "invitation_id": row.pk,
        "delivery_id": row.delivery.pk,
        "member_id": member.pk,
        "role_id": Role.objects.create(organization=organization, name="Editor").pk,
        "join_link_id": JoinLink.objects.create(name="Team", **about).pk,
        "domain_id": Domain.objects.create(
            domain="acme.test", email="it@acme.test", code_expires_at=row.expires_at, **about
        ).pk,
        "request_id": JoinRequest.objects.create(
            organization=organization, email="w@acme.test", key="w@acme.test"
        ).pk,
        "event_id": Event.objects.filter(organization=organization).latest("number").pk,
        "webhook_id": webhook.pk,
        "webhook_delivery_id": call.pk,
        "api_key_id": ApiKey.objects.create(organization=organization, name="CI", prefix="glk_12345678").pk,
    }


def routes() -> dict[str, Any]:
    return {pattern.name: pattern.pattern for pattern in urlpatterns}


def ids_in(name: str) -> list[str]:
    return [key for key in routes()[name].converters if key != "slug"]


def url(name: str, slug: str, ids: dict[str, uuid.UUID]) -> str:
    return reverse(f"guestlist:{name}", kwargs={"slug": slug} | {key: ids[key] for key in ids_in(name)})


def seen(response: Any, *own: Any) -> tuple[int, str]:
    """What somebody learns from an answer: without what they said themselves, and what is new each time."""
    text = response.content.decode()
    for said in own:
        text = text.replace(str(said), "…")
    text = re.sub(r'(name="csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", text)
    return response.status_code, text


def state(organization: Organization) -> list[object]:
    """What nobody from outside may change."""
    organization.refresh_from_db()
    tables = (
        *(Invitation, Membership, Delivery, Role, JoinLink, Domain, JoinRequest),
        *(Webhook, WebhookDelivery),
    )
    rows = [list(table.objects.filter(organization=organization).order_by("pk").values()) for table in tables]
    keys = ApiKey.objects.filter(organization=organization).order_by("pk")
    rows.append(list(keys.values("pk", "expires_at", "revoked_at")))
    return [organization.event_number, organization.name, *rows]


def test_every_address_is_in_a_table():
    assert set(routes()) == PAGES.keys() | OTHERS
    assert {name for name, pattern in routes().items() if "slug" in pattern.converters} == PAGES.keys()
    assert {key for name in PAGES for key in ids_in(name)} <= {
        "invitation_id",
        "delivery_id",
        "member_id",
        "role_id",
        "join_link_id",
        "domain_id",
        "request_id",
        "webhook_id",
        "webhook_delivery_id",
        "api_key_id",
    }


def test_every_call_is_in_the_table():
    prefix = "/organizations/{slug}"
    known = {
        (method.upper(), path.split(prefix, 1)[1])
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
        if prefix in path
    }
    assert known == CALLS.keys()
    others = {path for path in api.get_openapi_schema()["paths"] if prefix not in path}
    assert {path.removeprefix("/api/v1") for path in others} == OF_NOBODY


@each_page
def test_whoever_is_signed_out_is_led_to_sign_in(organization, alphas, name):
    for method in PAGES[name].methods:
        response = getattr(Client(), method)(url(name, "northwind", alphas))
        assert response.status_code == (302 if method == "get" else 401)
        assert "/accounts/login/" in response.get("Location", response.content.decode())


@each_page
def test_for_an_outsider_the_organization_does_not_exist(organization, beta, dora, alphas, as_user, name):
    """The manager of another organization is an outsider here."""
    client, before = as_user(dora), state(organization)
    for method in PAGES[name].methods:
        there = getattr(client, method)(url(name, "northwind", alphas))
        nowhere = getattr(client, method)(url(name, "no-such-organization", alphas))
        assert there.status_code == 404
        assert seen(there, "northwind") == seen(nowhere, "no-such-organization")
    assert state(organization) == before


@each_page
def test_a_member_without_the_permission_is_told_its_name(organization, charlie, alphas, as_user, name):
    page, client, before = PAGES[name], as_user(charlie), state(organization)
    for method in page.methods if page.needs else ():
        response = getattr(client, method)(url(name, "northwind", alphas))
        assert response.status_code == 403
        assert page.needs in response.content.decode()
        assert "vera@acme.test" not in response.content.decode()
    assert state(organization) == before
    if page.needs is None:
        assert client.get(url(name, "northwind", alphas)).status_code == 200


@pytest.mark.parametrize("name", [name for name in PAGES if ids_in(name)])
def test_an_id_of_another_organization_is_as_unknown_as_any(organization, beta, dora, alphas, as_user, name):
    """Z01, Z04."""
    client, before = as_user(dora), state(organization)
    for method in PAGES[name].methods:
        theirs = getattr(client, method)(url(name, "beta", alphas))
        nobodys = getattr(client, method)(url(name, "beta", dict.fromkeys(alphas, NOBODYS)))
        assert theirs.status_code == nobodys.status_code == 404
        assert seen(theirs, *alphas.values()) == seen(nobodys, NOBODYS)
    assert state(organization) == before


@pytest.mark.parametrize("name", ["join_by_domain", "ask_by_domain", "restore_organization"])
def test_a_persons_pages_do_not_tell_what_exists_elsewhere(organization, beta, dora, alphas, as_user, name):
    Domain.objects.update(verified_at=organization.created_at, mode="join" if "join" in name else "request")
    client, before = as_user(dora), state(organization)
    theirs = organization.pk if name == "restore_organization" else alphas["domain_id"]
    there, nowhere = (client.post(reverse(f"guestlist:{name}", args=[pk])) for pk in (theirs, NOBODYS))
    assert there.status_code == nowhere.status_code == 404
    assert seen(there, theirs) == seen(nowhere, NOBODYS)
    assert state(organization) == before


@pytest.fixture
def call() -> Callable[..., Any]:
    """Calls the API for an organization, its paths filled in with ids."""

    def send(key: str, method: str, slug: str, path: str, ids: dict[str, uuid.UUID]) -> Any:
        return ApiClient(key)(method, slug + path.format(**ids), CALLS[method, path][0])

    return send


@each_call
def test_the_key_of_another_organization_finds_nothing(
    organization, beta, alphas, make_key, call, method, path
):
    """Z01, Z02, Z04."""
    key, before = make_key(beta, permissions=ALL), state(organization)
    there = call(key, method, "northwind", path, alphas)
    nowhere = call(key, method, "no-such-organization", path, alphas)
    assert_problem(there, 404, "not_found")
    assert there.content == nowhere.content
    if "{" in path:
        theirs = call(key, method, "beta", path, alphas)
        nobodys = call(key, method, "beta", path, dict.fromkeys(alphas, NOBODYS))
        assert_problem(theirs, 404, "not_found")
        assert theirs.content == nobodys.content
    assert state(organization) == before


@each_call
def test_a_key_without_the_permission_is_told_its_name(organization, alphas, make_key, call, method, path):
    """Z06, Z13."""
    needs, key = CALLS[method, path][1], make_key(organization, permissions=())
    before = state(organization)
    response = call(key, method, "northwind", path, alphas)
    if needs is None:
        assert response.status_code == 200
    else:
        assert_problem(response, 403, "not_allowed")
        assert needs in response.content.decode()
    assert "vera@acme.test" not in response.content.decode()
    assert state(organization) == before


@pytest.mark.parametrize("door", ["web", "api"])
def test_ids_cannot_be_tried_by_the_thousand(organization, alice, as_user, make_key, limit, caplog, door):
    """Z03: random ids are not found, and then too many."""
    limit(guesses="20/1h")
    client, headers = as_user(alice), {}
    base = "/o/northwind/admin/invitations"
    if door == "api":
        client, base = Client(), "/api/v1/organizations/northwind/invitations"
        headers = {"Authorization": f"Bearer {make_key(organization)}"}
    for _ in range(20):
        assert client.get(f"{base}/{uuid.uuid4()}", headers=headers).status_code == 404
    refused = client.get(f"{base}/{uuid.uuid4()}", headers=headers)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert client.get(base, headers=headers).status_code == 200
    assert "malicious_direct_reference" in caplog.text


ALL = (
    "member.manage",
    "organization.update",
    "role.read",
    "role.create",
    "role.update",
    "role.delete",
    "audit.read",
    "webhook.manage",
    "api_key.manage",
)
