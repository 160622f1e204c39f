"""Webhooks as the operator types them."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from guestlist.actions.webhooks import secret_of
from guestlist.cli import webhook_log
from guestlist.models import Event, Webhook, WebhookDelivery
from guestlist.webhook_messages import TYPES
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db
# The settings of the tests are those of a server on loopback, whose webhooks may lead there.
TARGET = "http://127.0.0.1:9/hooks"
EACH = [
    ("update", "--description", "x"),
    ("turn-off",),
    ("turn-on",),
    ("rotate-secret",),
    ("delete",),
    ("test",),
    ("deliveries",),
    ("redeliver", "--since", "2026-01-01"),
]


@pytest.fixture
def hook(run, organization):
    return run("webhooks", "create", "northwind", TARGET, "--description", "CRM", "--json").data


@pytest.fixture
def call(run, hook):
    """A call about an invitation to Jane that the receiver refused."""
    run("invitations", "send", "northwind", "jane@example.com")
    entry = {"at": "2026-03-01T09:30:00Z", "state": "failed", "detail": "No", "attempt": 1}
    values = {"detail": "No", "attempts": 1, "status": 400, "answer": "bad\x1b", "history": [entry]}
    WebhookDelivery.objects.update(state="failed", next_at=None, **values)
    return WebhookDelivery.objects.get()


@pytest.mark.parametrize("words", EACH, ids=lambda words: words[0])
def test_an_unknown_one_is_refused(run, organization, beta, hook, words):
    verb, *rest = words
    run("webhooks", "create", "beta", TARGET, "--description", "Theirs")
    theirs = str(Webhook.objects.get(description="Theirs").pk)
    for slug, name in (
        ("nope", "CRM"),
        ("northwind", "Theirs"),
        ("northwind", theirs),
        ("northwind", "\udcff"),
        ("northwind", ""),
    ):
        assert_refused(run("webhooks", verb, slug, name, *rest, "--json"), "not_found")
    run("webhooks", "create", "northwind", TARGET, "--description", "CRM")
    assert_refused(run("webhooks", verb, "northwind", "CRM", *rest, "--json"), "not_found")
    assert set(Webhook.objects.values_list("why_off", flat=True)) == {""}


def test_the_secret_is_printed_once(run, organization):
    result = run(
        "webhooks", "create", "northwind", TARGET, "--type", "member.left", "--type", "member.joined"
    )
    row = Webhook.objects.get()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].strip() == secret_of(row)
    assert (row.types, row.created_by, row.api_key) == (["member.joined", "member.left"], None, None)
    assert Event.objects.get(type="webhook.created").actor_type == "operator"
    for words in (("list", "northwind"), ("list", "northwind", "--json")):
        assert secret_of(row) not in run("webhooks", *words).stdout


def test_programs_get_what_rest_answers(run, hook):
    assert hook["secret"] == secret_of(Webhook.objects.get())
    assert hook["types"] == list(TYPES)
    (item,) = run("webhooks", "list", "northwind", "--json").data["items"]
    assert item | {"secret": hook["secret"]} == hook


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("https://10.0.0.1/",), "webhook_target_forbidden"),
        (("https://no-such-host.invalid/",), "webhook_target_unknown"),
        (("http://1.1.1.1/",), "webhook_url_insecure"),
        (("nonsense",), "webhook_url_invalid"),
        ((TARGET, "--type", "nope"), "webhook_type_unknown"),
    ],
)
def test_what_is_wrong_is_refused(run, organization, words, code):
    assert_refused(run("webhooks", "create", "northwind", *words, "--json"), code)
    assert not Webhook.objects.exists()


def test_an_address_that_leads_nowhere_is_refused_for_a_change_too(run, hook):
    refused = run("webhooks", "update", "northwind", "CRM", "--url", "https://10.0.0.1/", "--json")
    assert_refused(refused, "webhook_target_forbidden")
    assert Webhook.objects.get().url == TARGET


@pytest.mark.parametrize(
    "words",
    [
        ("update", "northwind", "CRM"),
        ("redeliver", "northwind", "CRM"),
        ("redeliver", "northwind", "CRM", "x", "--since", "2026-01-01"),
        ("redeliver", "northwind", "CRM", "x", "--state", "failed"),
        ("create", "northwind"),
    ],
)
def test_wrong_usage_is_told_apart(run, hook, words):
    assert run("webhooks", *words).exit_code == 2


def test_one_is_changed(run, hook):
    words = ("--url", "http://127.0.0.1:9/x", "--type", "member.left", "--description", "Shop")
    changed = run("webhooks", "update", "northwind", TARGET, *words, "--json").data
    assert (changed["url"], changed["types"]) == ("http://127.0.0.1:9/x", ["member.left"])
    assert changed["description"] == "Shop"
    assert (
        "Changed the webhook CRM."
        in run("webhooks", "update", "northwind", "Shop", "--description", "CRM").stdout
    )


def test_one_is_turned_off_and_on_and_deleted(run, hook):
    off = run("webhooks", "turn-off", "northwind", "CRM", "--json").data
    assert (off["enabled"], off["disabled_reason"]) == (False, "turned_off")
    assert "  off  " in run("webhooks", "list", "northwind").stdout
    assert_refused(run("webhooks", "test", "northwind", "CRM", "--json"), "webhook_off")
    assert run("webhooks", "turn-on", "northwind", hook["id"]).stdout == "The webhook CRM is on again.\n"
    assert run("webhooks", "delete", "northwind", "CRM").stdout == "Deleted the webhook CRM.\n"
    assert not Webhook.objects.exists()
    assert run("webhooks", "list", "northwind").stdout == "There are no webhooks yet.\n"


def test_the_list_says_since_when_one_fails(run, hook):
    Webhook.objects.update(failing_since=timezone.now())
    assert f"failing since {timezone.now():%Y-%m-%d}" in run("webhooks", "list", "northwind").stdout


def test_the_secret_is_changed(run, hook):
    new = run("webhooks", "rotate-secret", "northwind", "CRM", "--overlap", "0", "--json").data
    assert new["secret"] == secret_of(Webhook.objects.get()) != hook["secret"]
    assert "whsec_" in run("webhooks", "rotate-secret", "northwind", "CRM").stdout
    assert_refused(
        run("webhooks", "rotate-secret", "northwind", "CRM", "--overlap", "8d", "--json"), "overlap_invalid"
    )


def test_a_test_is_not_waited_for_where_told(run, hook):
    result = run("webhooks", "test", "northwind", "CRM", "--no-wait")
    assert (result.exit_code, "queued" in result.stdout) == (0, True)
    assert WebhookDelivery.objects.get().type == "webhook.test"


def test_where_no_worker_runs_a_test_says_so(run, hook, monkeypatch):
    monkeypatch.setattr(webhook_log, "PATIENCE", 0.3)
    result = run("webhooks", "test", "northwind", "CRM")
    assert result.exit_code == 1
    assert "A worker sends it" in result.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("state", "said", "status"),
    [
        ("delivered", "arrived: the receiver answered 200", 0),
        ("deferred", "did not arrive: Not now. It is tried again later.", 1),
        ("failed", "did not arrive: Not now.", 1),
    ],
)
def test_a_test_waits_for_what_becomes_of_it(run, hook, state, said, status):
    owed = {"next_at": timezone.now() + timedelta(minutes=1)} if state == "deferred" else {"next_at": None}

    def work():
        """What a worker writes, once the test is there."""
        detail = "" if state == "delivered" else "Not now."
        try:
            rows = WebhookDelivery.objects.filter(state="queued")
            while not rows.update(state=state, status=200, detail=detail, **owed):
                stop.wait(0.05)
        finally:
            connection.close()

    stop = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    result = run("webhooks", "test", "northwind", "CRM")
    worker.join()
    assert (result.exit_code, said in result.stdout) == (status, True), result.stdout


def test_calls_are_listed_and_shown(run, hook, call):
    listed = run(
        "webhooks", "deliveries", "northwind", "CRM", "--state", "failed", "--q", "JANE", "--json"
    ).data
    assert [item["id"] for item in listed["items"]] == [str(call.pk)]
    assert "jane@example.com" in run("webhooks", "deliveries", "northwind", "CRM").stdout
    shown = run("webhooks", "deliveries", "northwind", "CRM", str(call.pk), "--json").data
    assert (shown["answer"]["status"], shown["request"]["body"]) == (400, call.body)
    text = run("webhooks", "deliveries", "northwind", "CRM", str(call.pk)).stdout
    assert call.body in text
    assert "Answered 400: bad\\x1b" in text
    assert "2026-03-01 09:30:00  failed  attempt 1  No" in text
    none = run("webhooks", "deliveries", "northwind", "CRM", "--state", "delivered").stdout
    assert none == "There are no such calls.\n"
    for wrong, code in ((("nope",), "not_found"), (("--state", "sent"), "invalid_filter")):
        assert_refused(run("webhooks", "deliveries", "northwind", "CRM", *wrong, "--json"), code)


def test_calls_are_made_again_by_id(run, hook, call):
    words = ("webhooks", "redeliver", "northwind", "CRM", str(call.pk), "nope")
    done = run(*words, "--json")
    assert done.exit_code == 0
    assert done.data == {
        "redelivered": 1,
        "results": [
            {"id": str(call.pk), "outcome": "redelivered"},
            {"id": "nope", "outcome": "not_found"},
        ],
    }
    Webhook.objects.update(leased_by=uuid4(), leased_until=timezone.now() + timedelta(minutes=1))
    WebhookDelivery.objects.update(attempts=2)
    refused = run(*words)
    assert refused.exit_code == 1
    assert "being made right now" in refused.stdout


def test_calls_are_made_again_since_a_time(run, hook, call):
    words = ("webhooks", "redeliver", "northwind", "CRM", "--since")
    assert run(*words, "2999-01-01").stdout == "0 calls are made again.\n"
    assert run(*words, "2020-01-01", "--state", "failed").stdout == "1 call is made again.\n"
    assert WebhookDelivery.objects.get().state == "queued"
    assert_refused(run(*words, "soon", "--json"), "invalid_time")
