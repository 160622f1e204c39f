"""Messages in words: which one, what became of it and when."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guestlist.actions.retries import is_retryable
from guestlist.models import Delivery
from guestlist.models.delivery import OWED, TO_INVITED, Kind, State
from guestlist.web.access import Visit
from guestlist.web.dates import clock, moment

TONES = {
    State.DEFERRED: "warn",
    State.SENT: "ok",
    State.DELIVERED: "ok",
    State.BOUNCED: "danger",
    State.COMPLAINED: "danger",
    State.FAILED: "danger",
}


def states() -> dict[str, str]:
    """Every state, in the order of a message's life."""
    return {
        State.QUEUED: _("Queued"),
        State.DEFERRED: _("Deferred"),
        State.SENT: _("Sent"),
        State.DELIVERED: _("Delivered"),
        State.BOUNCED: _("Bounced"),
        State.COMPLAINED: _("Marked as spam"),
        State.FAILED: _("Failed"),
        State.CANCELED: _("Canceled"),
    }


def kinds() -> dict[str, str]:
    """Every kind of message."""
    return {
        Kind.INVITATION: _("Invitation"),
        Kind.REMINDER: _("Reminder"),
        Kind.ASKED: _("Request"),
        Kind.DECLINED: _("Declined"),
        Kind.DIGEST: _("Digest"),
        Kind.TEST: _("Test"),
        Kind.DOMAIN_CODE: _("Domain code"),
        Kind.JOIN_REQUEST: _("Requests to join"),
        Kind.WEBHOOK_OFF: _("Webhook turned off"),
    }


def mail_row(visit: Visit, delivery: Delivery) -> dict[str, Any]:
    """What every page shows of a message. Load `invitation` with it."""
    slug = visit.organization.slug
    owed = delivery.state in OWED
    at = (delivery.next_at if owed else delivery.at) or delivery.created_at
    return {
        "id": str(delivery.pk),
        "to": delivery.to,
        "to_invited": delivery.kind in TO_INVITED,
        "kind": kinds()[delivery.kind],
        "state": states()[delivery.state],
        "tone": TONES.get(State(delivery.state), ""),
        "owed": owed,
        "due": owed and at <= timezone.now(),
        "detail": delivery.detail,
        "message_id": delivery.message_id,
        "can_retry": is_retryable(delivery, timezone.now()),
        "retry_url": reverse("guestlist:retry_delivery", args=[slug, delivery.pk]),
        "details_url": delivery.invitation_id
        and reverse("guestlist:invitation", args=[slug, delivery.invitation_id]),
        **time_of(at),
    }


def time_of(at: datetime) -> dict[str, str]:
    """A time as a list shows it, as a program reads it, and in full."""
    return {"at": clock(at), "at_iso": at.isoformat(), "at_title": moment(at)}
