"""/metrics: who may read it, and that its numbers are those of the database."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from guestlist.actions.invitations import send_invitations
from guestlist.addresses import parse_items
from guestlist.models import Delivery, MailQueue, Tally, WebhookDelivery
from guestlist_server.environment import read
from tests.conftest import actor_of
from tests.delivery.webhook_script import make_webhook

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-24-characters"
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Whatever", "Forwarded", "X-Real-IP", "Via")


@pytest.fixture
def server(settings, tmp_path):
    """Configures the server by its environment variables."""

    def configure(**variables):
        settings.ENV = read({"GUESTLIST_DATA_DIR": str(tmp_path)} | variables)
        settings.ALLOWED_HOSTS = [*settings.ENV.allowed_hosts, "testserver"]

    return configure


@pytest.fixture
def invite(organization, alice):
    def send(*emails):
        actor = actor_of(alice)
        send_invitations(actor=actor, organization=organization, parsed=parse_items(list(emails)))
        return list(Delivery.objects.order_by("pk"))

    return send


@pytest.fixture
def read_metrics(client):
    """What a scrape says: name and labels → value."""

    def read_them():
        answer = client.get("/metrics")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answer.content.decode())
        samples = [sample for family in families for sample in family.samples]
        return {(s.name, *s.labels.values()): s.value for s in samples}

    return read_them


@pytest.mark.parametrize("header", FORWARDING)
def test_without_a_token_it_does_not_exist_through_a_proxy(client, header):
    assert client.get("/metrics", headers={header: "192.0.2.1"}).status_code == 404


def test_without_a_token_it_does_not_exist_for_other_machines(client):
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200


@pytest.mark.parametrize(
    "variables", [{"GUESTLIST_URL": "https://guestlist.example.com"}, {"GUESTLIST_BIND": "0.0.0.0"}]
)
def test_without_a_token_a_public_server_has_none_even_on_its_own_machine(client, server, variables):
    server(**variables)
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("header", ["", TOKEN, f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", "Bearer é"])
def test_with_a_token_nobody_reads_it_without(client, server, header):
    server(GUESTLIST_METRICS_TOKEN=TOKEN)
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"guestlist_" not in answer.content


def test_with_a_token_it_is_read_from_anywhere(client, server):
    server(GUESTLIST_METRICS_TOKEN=TOKEN, GUESTLIST_URL="https://guestlist.example.com")
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "192.0.2.1"}
    answer = client.get("/metrics", headers=headers, REMOTE_ADDR="192.0.2.1")
    assert answer.status_code == 200
    assert b"guestlist_build_info{" in answer.content


@pytest.mark.parametrize("token", ["fifteen-letters", "with a blank in it", "ümlaut-" * 4])
def test_a_token_that_is_easily_guessed_or_cannot_be_sent_stops_the_start(server, token):
    with pytest.raises(Exception, match=r"^GUESTLIST_METRICS_TOKEN: "):
        server(GUESTLIST_METRICS_TOKEN=token)


def test_an_empty_server_says_zero(read_metrics):
    found = read_metrics()
    for state in ("queued", "deferred", "failed"):
        assert found["guestlist_deliveries", state] == 0
    for outcome in ("sent", "deferred", "failed", "canceled"):
        assert found["guestlist_deliveries_total", outcome] == 0
    assert found["guestlist_delivery_oldest_due_seconds",] == 0
    assert found["guestlist_delivery_failing",] == 0
    assert ("guestlist_delivery_failing_since_timestamp_seconds",) not in found
    assert found["guestlist_delivery_latency_seconds_count",] == 0


def test_depth_counts_each_state(read_metrics, invite):
    rows = invite(*(f"p{n}@acme.test" for n in range(7)))
    _set(rows[:2], state="deferred")
    _set(rows[2:5], state="failed", next_at=None)
    _set(rows[5:6], state="sent", next_at=None)
    found = read_metrics()
    assert found["guestlist_deliveries", "queued"] == 1
    assert found["guestlist_deliveries", "deferred"] == 2
    assert found["guestlist_deliveries", "failed"] == 3
    assert ("guestlist_deliveries", "sent") not in found


def test_depth_is_counted_up_to_a_number(read_metrics, invite, monkeypatch):
    monkeypatch.setattr("guestlist_server.metrics.MOST_COUNTED", 3)
    invite(*(f"p{n}@acme.test" for n in range(7)))
    assert read_metrics()["guestlist_deliveries", "queued"] == 3


def test_the_oldest_due_is_neither_held_nor_waiting_for_its_time(read_metrics, invite):
    held, waiting, due, _younger = invite("a@acme.test", "b@acme.test", "c@acme.test", "d@acme.test")
    _set([held], next_at=Now() - timedelta(hours=3), leased_until=Now() + timedelta(seconds=30))
    _set([waiting], next_at=Now() + timedelta(hours=1), created_at=Now() - timedelta(hours=9))
    _set([due], next_at=Now() - timedelta(minutes=10))
    assert read_metrics()["guestlist_delivery_oldest_due_seconds",] == pytest.approx(600, abs=5)


def test_failing_as_a_whole_is_said_with_its_beginning(read_metrics):
    since = datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    MailQueue.objects.create(failing_since=since, reason="535 no")
    found = read_metrics()
    assert found["guestlist_delivery_failing",] == 1
    assert found["guestlist_delivery_failing_since_timestamp_seconds",] == since.timestamp()


def test_calls_of_webhooks_are_counted_and_those_that_fail(read_metrics, organization, invite):
    make_webhook(organization, "https://a.example/")
    failing = make_webhook(organization, "https://b.example/", failing_since=Now())
    make_webhook(organization, "https://c.example/", failing_since=Now(), why_off="gone", off_since=Now())
    invite("jane@acme.test")
    WebhookDelivery.objects.filter(webhook=failing).update(state="deferred")
    found = read_metrics()
    assert found["guestlist_webhook_calls", "queued"] == 1
    assert found["guestlist_webhook_calls", "deferred"] == 1
    assert found["guestlist_webhooks_failing",] == 1


def test_outcomes_and_latency_are_those_that_the_worker_wrote_down(read_metrics):
    written = {"outcome:sent": 12, "outcome:failed": 1, "latency:0.1": 5, "latency:5": 6, "latency:+Inf": 1}
    for name, value in {**written, "latency:sum": 4021.5}.items():
        Tally.objects.create(name=name, value=value)
    found = read_metrics()
    assert found["guestlist_deliveries_total", "sent"] == 12
    assert found["guestlist_deliveries_total", "failed"] == 1
    name = "guestlist_delivery_latency_seconds"
    buckets = [found[f"{name}_bucket", b] for b in ("0.1", "0.5", "1", "5", "30", "300", "3600", "+Inf")]
    assert buckets == [5, 5, 5, 11, 11, 11, 11, 12]
    assert (found[f"{name}_count",], found[f"{name}_sum",]) == (12, 4021.5)


def test_a_scrape_asks_the_same_few_questions_whatever_is_there(client, invite):
    invite(*(f"p{n}@acme.test" for n in range(120)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/metrics")
    assert len(asked) == 9


def test_nothing_in_it_names_a_person_or_an_organization(client, invite):
    invite("jane@acme.test")
    text = client.get("/metrics").content.decode()
    assert "jane" not in text
    assert "orthwind" not in text


def _set(rows, **values):
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**values)
