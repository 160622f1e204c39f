"""/metrics: how delivery goes, for Prometheus. Everything is read from the database; no process counts."""

import hmac
from collections.abc import Iterator
from importlib.metadata import version

from django.conf import settings
from django.db import Error
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F
from django.db.models.functions import Cast, Now
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from guestlist.models import Delivery, MailQueue, Organization, Tally, Webhook, WebhookDelivery
from guestlist.models.delivery import OWED, State
from guestlist.models.webhook_delivery import OWED_CALLS
from guestlist_server.email_url import LOOPBACK
from guestlist_server.outbox import is_forwarded

# Counting more rows than that would make being watched a burden.
MOST_COUNTED = 100_000
COUNTED = (State.QUEUED, State.DEFERRED, State.FAILED)
OUTCOMES = ("sent", "deferred", "failed", "canceled")
BUCKETS = ("0.1", "0.5", "1", "5", "30", "300", "3600", "+Inf")


def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers, for whoever has the token; without one configured, for this machine only."""
    if not settings.ENV.metrics_token:
        _refuse_unless_local(request)
    elif not _has_token(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("A token is needed.\n", "text/plain", status=401, headers=headers)
    registry = CollectorRegistry()
    registry.register(Deliveries())
    try:
        return HttpResponse(generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4)
    except Error:
        return HttpResponse("The database can’t be reached.\n", "text/plain; charset=utf-8", status=503)


class Deliveries(Collector):
    """What the database says of deliveries, in a fixed number of queries whatever it holds."""

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield InfoMetricFamily(
            "guestlist_build", "The version that runs.", value={"version": version("guestlist")}
        )
        yield _depth()
        yield GaugeMetricFamily(
            "guestlist_delivery_oldest_due_seconds",
            "How long the delivery that is due longest has been due; 0 where nothing is.",
            value=oldest_due_seconds(),
        )
        yield from _failing()
        yield from _webhooks()
        tallies = dict(Tally.objects.values_list("name", "value"))
        outcomes = CounterMetricFamily(
            "guestlist_deliveries", "Attempts by what became of them.", labels=["outcome"]
        )
        for outcome in OUTCOMES:
            outcomes.add_metric([outcome], tallies.get(f"outcome:{outcome}", 0))
        yield outcomes
        yield _latency(tallies)


def oldest_due_seconds() -> float:
    """How long the longest due delivery has been waiting for a worker, by the database's clock."""
    now = Cast(Now(), DateTimeField())
    age = ExpressionWrapper(now - F("next_at"), output_field=DurationField())
    oldest = Delivery.objects.due().order_by("next_at").values_list(age, flat=True).first()
    return max(oldest.total_seconds(), 0) if oldest is not None else 0.0


def _depth() -> Metric:
    depth = GaugeMetricFamily(
        "guestlist_deliveries",
        f"Deliveries in a state that ought to pass; at most {MOST_COUNTED} are counted.",
        labels=["state"],
    )
    for state in COUNTED:
        rows = Delivery.objects.filter(state=state)
        if state in OWED:
            rows = rows.filter(next_at__isnull=False)  # what their index is about
        if state == State.FAILED:
            # Its index begins with the organization.
            rows = rows.filter(organization__in=Organization.objects.values("pk"))
        depth.add_metric([state.value], rows.values("pk")[:MOST_COUNTED].count())
    return depth


def _failing() -> Iterator[Metric]:
    since = MailQueue.objects.values_list("failing_since", flat=True).first()
    yield GaugeMetricFamily(
        "guestlist_delivery_failing", "1 while no mail can be sent at all.", value=int(since is not None)
    )
    if since is not None:
        yield GaugeMetricFamily(
            "guestlist_delivery_failing_since_timestamp_seconds",
            "Since when no mail can be sent at all.",
            value=since.timestamp(),
        )


def _webhooks() -> Iterator[Metric]:
    calls = GaugeMetricFamily(
        "guestlist_webhook_calls",
        f"Calls of webhooks that are owed; at most {MOST_COUNTED} of a state are counted.",
        labels=["state"],
    )
    for state in OWED_CALLS:
        rows = WebhookDelivery.objects.filter(state=state, next_at__isnull=False)  # what their index is about
        calls.add_metric([state.value], rows.values("pk")[:MOST_COUNTED].count())
    yield calls
    yield GaugeMetricFamily(
        "guestlist_webhooks_failing",
        "Webhooks that are on and whose last call failed.",
        value=Webhook.objects.enabled().filter(failing_since__isnull=False).count(),
    )


def _latency(tallies: dict[str, float]) -> Metric:
    """Each message is tallied in one bucket; Prometheus wants those of the smaller ones in it as well."""
    buckets, count = [], 0.0
    for bound in BUCKETS:
        count += tallies.get(f"latency:{bound}", 0)
        buckets.append((bound, count))
    return HistogramMetricFamily(
        "guestlist_delivery_latency_seconds",
        "From the delivery's creation to the mail server's acceptance.",
        buckets=buckets,
        sum_value=tallies.get("latency:sum", 0),
    )


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {settings.ENV.metrics_token}".encode())


def _refuse_unless_local(request: HttpRequest) -> None:
    """A proxy on this machine need not say that it is one; but then the server has a public address."""
    local = settings.ENV.loopback and request.META.get("REMOTE_ADDR") in LOOPBACK
    if not local or is_forwarded(request):
        raise Http404
