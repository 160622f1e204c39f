"""Webhooks and their calls over REST."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pydantic import TypeAdapter

from guestlist.actions.webhooks import secret_of
from guestlist.api.resources import webhooks as resources
from guestlist.models import ApiKey, Event, Webhook, WebhookDelivery
from guestlist.webhook_messages import TYPES
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
NOBODYS = "01890000-0000-7000-8000-000000000000"
URL = "northwind/webhooks"
# The settings of the tests are those of a server on loopback, whose webhooks may lead there.
TARGET = "http://127.0.0.1:9/hooks"


def fits(kind, data):
    TypeAdapter(kind).validate_python(data)
    return data


@pytest.fixture
def api(organization, make_key):
    return ApiClient(make_key(organization, permissions=["webhook.manage", "member.manage", "role.read"]))


@pytest.fixture
def webhook(api):
    return api("POST", URL, {"url": TARGET, "description": "CRM"}).data


@pytest.fixture
def call(api, webhook):
    """A call about an invitation to Jane that the receiver refused."""
    api("POST", "northwind/invitations", {"emails": ["jane@example.com"]})
    entry = {"at": "2026-01-01T00:00:00Z", "state": "failed", "detail": "No", "attempt": 1}
    values = {"detail": "No", "attempts": 1, "status": 400, "answer": "bad", "history": [entry]}
    WebhookDelivery.objects.update(state="failed", next_at=None, **values)
    return WebhookDelivery.objects.get()


def test_a_key_without_the_permission_cannot_ask_the_network(manager, webhook):
    path = f"{URL}/{webhook['id']}"
    for method, place in (("POST", URL), ("PATCH", path)):
        for url in ("https://no-such-host.invalid/", "https://10.0.0.1/"):
            assert_problem(manager(method, place, {"url": url}), 403, "not_allowed")


def test_one_is_made_and_its_secret_shown_once(api, organization):
    response = api("POST", URL, {"url": TARGET, "types": ["member.left", "member.joined"]})
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    made = fits(resources.DisclosedWebhook, response.data)
    row = Webhook.objects.get()
    secret = made.pop("secret")
    assert secret == secret_of(row)
    assert made == {
        "id": str(row.pk),
        "url": TARGET,
        "description": "",
        "types": ["member.joined", "member.left"],
        "enabled": True,
        "disabled_reason": None,
        "disabled_at": None,
        "failing_since": None,
        "delivered_at": None,
        "created_at": made["created_at"],
    }
    assert row.api_key == ApiKey.objects.get()
    for path in (URL, f"{URL}/{row.pk}"):
        content = api("GET", path).content.decode()
        assert secret not in content
        assert row.nonce not in content
    assert fits(resources.WebhookList, api("GET", URL).data)["items"] == [made]
    assert fits(resources.Webhook, api("GET", f"{URL}/{row.pk}").data) == made


def test_without_types_it_is_told_all_that_the_key_may_read(api, organization, make_key):
    assert api("POST", URL, {"url": TARGET}).data["types"] == list(TYPES)
    clerk = ApiClient(make_key(organization, permissions=["webhook.manage"]))
    assert clerk("POST", URL, {"url": TARGET}).data["types"] == ["organization.updated"]
    refused = clerk("POST", URL, {"url": TARGET, "types": ["member.left"]})
    assert_problem(refused, 403, "webhook_type_unreadable")
    assert "Member: Manage" in refused.data["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://no-such-host.invalid/"}, "webhook_target_unknown"),
        ({"url": "https://10.0.0.1/"}, "webhook_target_forbidden"),
        ({"url": "http://1.1.1.1/"}, "webhook_url_insecure"),
        ({"url": "ftp://1.1.1.1/"}, "webhook_url_invalid"),
        ({"url": "https://\ud800/"}, "webhook_url_invalid"),
        ({"types": ["nope"]}, "webhook_type_unknown"),
        ({"types": []}, "webhook_without_types"),
        ({"types": "member.left"}, "invalid_input"),
        ({"url": None}, "invalid_input"),
        ({"enabled": "no"}, "invalid_input"),
        ({"secret": "whsec_x"}, "invalid_input"),
        ({"types": None}, "invalid_input"),
    ],
)
def test_what_is_wrong_is_refused(api, webhook, body, code):
    refused = api("PATCH", f"{URL}/{webhook['id']}", body)
    assert_problem(refused, 422, code)
    assert refused.data["errors"]
    if "enabled" not in body:
        assert_problem(api("POST", URL, {"url": TARGET} | body), 422, code)
    assert Webhook.objects.get().url == TARGET


def test_nothing_to_change_is_a_mistake(api, webhook):
    assert_problem(api("PATCH", f"{URL}/{webhook['id']}", {}), 422, "invalid_input")
    assert_problem(api("POST", URL, {}), 422, "invalid_input")


def test_there_is_room_for_ten(api, webhook):
    for _ in range(9):
        api("POST", URL, {"url": TARGET})
    assert_problem(api("POST", URL, {"url": TARGET}), 409, "too_many_webhooks")


def test_one_is_changed_turned_off_and_on(api, webhook):
    path = f"{URL}/{webhook['id']}"
    changed = fits(
        resources.Webhook, api("PATCH", path, {"url": "http://127.0.0.1:9/x", "description": ""}).data
    )
    assert (changed["url"], changed["description"]) == ("http://127.0.0.1:9/x", "")
    assert changed["types"] == webhook["types"]
    off = fits(resources.Webhook, api("PATCH", path, {"enabled": False}).data)
    assert (off["enabled"], off["disabled_reason"]) == (False, "turned_off")
    assert off["disabled_at"]
    assert_problem(api("POST", f"{path}/test"), 409, "webhook_off")
    assert api("PATCH", path, {"enabled": True}).data["disabled_at"] is None


def test_one_is_deleted_and_then_not_found(api, webhook, call):
    path = f"{URL}/{webhook['id']}"
    response = api("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    assert not WebhookDelivery.objects.exists()
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"url": "https://no-such-host.invalid/"}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
        ("GET", f"/deliveries/{call.pk}", None),
        ("POST", f"/deliveries/{call.pk}/redeliver", None),
    ):
        assert_problem(api(method, path + rest, body), 404, "not_found")


@pytest.mark.parametrize("path", ["nope", "nope/deliveries", "nope/deliveries/nope", NOBODYS])
def test_an_id_that_is_none_is_not_found(api, organization, path):
    assert_problem(api("GET", f"{URL}/{path}"), 404, "not_found")


def test_the_secret_is_changed(api, webhook):
    path = f"{URL}/{webhook['id']}/rotate-secret"
    response = api("POST", path)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    new = fits(resources.DisclosedWebhook, response.data)
    assert new["secret"] == secret_of(Webhook.objects.get()) != webhook["secret"]
    api("POST", path, {"overlap": "0"})
    assert Webhook.objects.get().former_until is None
    assert_problem(api("POST", path, {"overlap": "8d"}), 422, "overlap_invalid")
    assert Event.objects.filter(type="webhook.secret_rotated").count() == 2


def test_a_test_event_is_owed(api, webhook):
    response = api("POST", f"{URL}/{webhook['id']}/test")
    assert response.status_code == 201
    made = fits(resources.WebhookCall, response.data)
    assert (made["type"], made["state"], made["subject"]["name"]) == ("webhook.test", "queued", "CRM")
    listed = fits(resources.WebhookCallList, api("GET", f"{URL}/{webhook['id']}/deliveries").data)
    assert listed["items"] == [made]


def test_a_call_says_what_was_sent_and_answered(api, webhook, call):
    path = f"{URL}/{webhook['id']}/deliveries"
    (item,) = fits(resources.WebhookCallList, api("GET", path).data)["items"]
    shown = fits(resources.WholeWebhookCall, api("GET", f"{path}/{call.pk}").data)
    assert shown | item == shown
    assert (shown["type"], shown["subject"]["name"]) == ("invitation.sent", "jane@example.com")
    assert shown["request"]["body"] == call.body
    assert shown["request"]["headers"]["webhook-id"] == shown["message_id"] == call.message_id
    assert shown["answer"] == {"status": 400, "body": "bad"}
    assert [entry["attempt"] for entry in shown["history"]] == [1]
    assert webhook["secret"] not in str(shown)


def test_calls_are_chosen_by_state_and_text(api, webhook, call):
    path = f"{URL}/{webhook['id']}/deliveries"
    api("POST", f"{URL}/{webhook['id']}/test")

    def found(query):
        return [item["type"] for item in api("GET", f"{path}?{query}").data["items"]]

    assert found("") == ["webhook.test", "invitation.sent"]
    assert found("state=failed") == ["invitation.sent"]
    assert found("q=JANE") == ["invitation.sent"]
    assert found(f"q={call.message_id}") == ["invitation.sent"]
    assert_problem(api("GET", f"{path}?state=sent"), 422, "invalid_filter")
    assert_problem(api("GET", f"{path}?sort=at"), 422, "invalid_input")


def test_webhooks_are_searched(api, webhook):
    api("POST", URL, {"url": "http://127.0.0.1:9/other"})

    def found(query):
        return [item["description"] for item in api("GET", f"{URL}?q={query}").data["items"]]

    assert (found("crm"), found("OTHER"), found(""), found("x")) == (["CRM"], [""], ["", "CRM"], [])


def test_pages_follow_one_another_while_calls_come(api, webhook, call):
    path, seen, cursor = f"{URL}/{webhook['id']}/deliveries", [], ""
    for n in range(4):
        api("POST", "northwind/invitations", {"emails": [f"p{n}@x.test"]})
    while cursor is not None:
        page = api("GET", f"{path}?limit=2&cursor={cursor}").data
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        api("POST", "northwind/invitations", {"emails": [f"more{len(seen)}@x.test"]})
    assert len(seen) == len(set(seen)) == 5


def test_a_page_of_forty_costs_what_one_of_one_does(api, webhook, call, django_assert_num_queries):
    path = f"{URL}/{webhook['id']}/deliveries"
    api("GET", path)
    with django_assert_num_queries(6):
        api("GET", path)
    api("POST", "northwind/invitations", {"emails": [f"p{n}@x.test" for n in range(40)]})
    with django_assert_num_queries(6):
        assert len(api("GET", path).data["items"]) == 41


def test_one_call_is_made_again(api, webhook, call):
    path = f"{URL}/{webhook['id']}/deliveries/{call.pk}/redeliver"
    response = api("POST", path)
    assert response.status_code == 200
    again = fits(resources.WholeWebhookCall, response.data)
    assert (again["state"], again["history"][-1]["by"]) == ("queued", "Test key")
    assert again["message_id"] == call.message_id
    later = timezone.now() + timedelta(minutes=1)
    Webhook.objects.update(leased_by=uuid.uuid4(), leased_until=later)
    WebhookDelivery.objects.update(attempts=2)
    assert_problem(api("POST", path), 409, "call_under_way")


def test_all_calls_since_a_time_are_made_again(api, webhook, call):
    path = f"{URL}/{webhook['id']}/deliveries/redeliver"
    before = (call.created_at - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    later = (call.created_at + timedelta(minutes=1)).isoformat()
    assert api("POST", path, {"since": later}).data == {"redelivered": 0}
    assert api("POST", path, {"since": before, "state": "delivered"}).data == {"redelivered": 0}
    done = fits(resources.Redelivered, api("POST", path, {"since": before, "state": "failed"}).data)
    assert done == {"redelivered": 1}
    assert WebhookDelivery.objects.get().state == "queued"


@pytest.mark.parametrize(
    "since", [None, "", "soon", 5, True, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_that_is_none_is_refused(api, webhook, call, since):
    refused = api("POST", f"{URL}/{webhook['id']}/deliveries/redeliver", {"since": since})
    assert_problem(refused, 422, "invalid_input")
    assert refused.data["errors"][0]["field"] == "since"
    assert_problem(api("POST", f"{URL}/{webhook['id']}/deliveries/redeliver", {}), 422, "invalid_input")


def test_calls_about_what_the_key_may_not_read_are_not_there(organization, make_key, webhook, call):
    clerk = ApiClient(make_key(organization, permissions=["webhook.manage"]))
    path = f"{URL}/{webhook['id']}/deliveries"
    assert clerk("GET", path).data["items"] == []
    assert "jane@example.com" not in clerk("GET", path).content.decode()
    assert_problem(clerk("GET", f"{path}/{call.pk}"), 404, "not_found")
    assert_problem(clerk("POST", f"{path}/{call.pk}/redeliver"), 404, "not_found")
    assert clerk("POST", f"{path}/redeliver", {"since": "2020-01-01"}).data == {"redelivered": 0}
    moved = clerk("PATCH", f"{URL}/{webhook['id']}", {"url": "http://127.0.0.1:9/mine"})
    assert_problem(moved, 403, "webhook_type_unreadable")


def test_the_same_call_again_makes_no_second_one(api):
    made = [api("POST", URL, {"url": TARGET}, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]
    assert made[0].content == made[1].content
    assert secret_of(Webhook.objects.get()) == made[1].data["secret"]
