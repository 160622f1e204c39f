"""Where a mail provider reports what became of messages. Without a secret there is no such address."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from guestlist.actions.reports import ReportedOutcome, note_report
from guestlist.delivery.answers import is_hard
from guestlist.models.fields import as_uuid

_BACKEND = re.compile(r"anymail\.backends\.(\w+)\.EmailBackend")
# Opened and clicked are not among them: whether somebody reads is not our business.
OUTCOMES: dict[str, ReportedOutcome] = {
    "delivered": "delivered",
    "bounced": "bounced",
    "rejected": "bounced",
    "failed": "bounced",
    "complained": "complained",
    "deferred": "delayed",
}
# Those reasons of a provider that are about the address.
HARD = ("bounced", "invalid", "blocked", "spam")


def urlpatterns() -> Sequence[URLPattern]:
    """The address for the provider's reports, if a provider and a secret are configured."""
    view = _view()
    if view is None:
        return []
    from anymail.signals import tracking

    tracking.connect(note_event, dispatch_uid="guestlist_server.mail_webhooks")
    return [path(f"email/{_provider()}/tracking/", view, name="email_webhook")]


def note_event(*, event: Any, **_: Any) -> None:
    """Write down what a provider reports. It names our delivery, or the id that it gave the message."""
    outcome = OUTCOMES.get(event.event_type)
    if outcome is None:
        return
    # A full mailbox is called a bounce as well; the server's own words tell.
    hard = event.reject_reason in HARD and is_hard(event.mta_response or "") is not False
    note_report(
        delivery_id=as_uuid(str((event.metadata or {}).get("delivery", ""))),
        provider_id=str(event.message_id or ""),
        outcome=outcome,
        detail=str(event.mta_response or event.description or event.reject_reason or ""),
        hard=outcome == "bounced" and hard,
        at=event.timestamp,
    )


@checks.register
def reports_can_be_verified(**_: Any) -> list[checks.CheckMessage]:
    """What the provider signs its reports with is configured: not found out when the first one comes."""
    view = _view()
    if view is None:
        return []
    try:
        view.view_class(**view.view_initkwargs)  # type: ignore[attr-defined]
    except (ImproperlyConfigured, ImportError) as error:
        return [checks.Error(_what_to_set(error), id="guestlist_server.E001")]
    return []


def _provider() -> str:
    match = _BACKEND.fullmatch(settings.EMAIL_BACKEND)
    return match[1] if match and settings.ANYMAIL.get("WEBHOOK_SECRET") else ""


def _view() -> Callable[..., Any] | None:
    if not _provider():
        return None
    from anymail import urls

    name = f"{_provider()}_tracking_webhook"
    return next((pattern.callback for pattern in urls.urlpatterns if pattern.name == name), None)


def _what_to_set(error: Exception) -> str:
    named = re.search(r"'([A-Z_]+)'", str(error))
    if not named:
        return f"EMAIL_URL: {' '.join(str(error).split())}"
    return (
        f"EMAIL_URL: {_provider()} signs its reports, and the key to verify them is missing: add "
        f"?{named[1].lower()}=KEY at its end, or take GUESTLIST_EMAIL_WEBHOOK_SECRET out"
    )
