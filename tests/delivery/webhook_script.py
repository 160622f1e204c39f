"""How a test makes a webhook, has its calls made, and lets time pass for it."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from guestlist.actions.batches import Selection
from guestlist.actions.invitations import revoke_invitations
from guestlist.actions.webhook_calls import claim_webhook
from guestlist.delivery.webhooks import Busy, WebhookCaller
from guestlist.links import new_nonce, webhook_secrets
from guestlist.models import Invitation, Organization, Webhook, WebhookDelivery
from guestlist.webhook_messages import TYPES
from tests.conftest import actor_of
from tests.delivery.receiver import Receiver

TIMES_OF_WEBHOOK = ("paused_until", "failing_since", "leased_until", "former_until")
TIMES_OF_CALL = ("next_at", "owed_since", "created_at")


def make_webhook(organization: Organization, url: str, **values: Any) -> Webhook:
    """A webhook of everything, the operator's unless told."""
    row = Webhook(
        **{"organization": organization, "url": url, "types": list(TYPES), "nonce": new_nonce()} | values
    )
    row.save(force_insert=True)
    return Webhook.objects.get(pk=row.pk)


def secret_of(webhook: Webhook) -> str:
    """What the receiver knows."""
    return webhook_secrets(webhook.nonce, webhook.pk)[0]


def call_due() -> int:
    """Make the calls that are due, as a worker does; how many."""
    caller = WebhookCaller(Busy(), threading.Event())
    while caller.call_some():
        pass
    return caller.made


def pass_time(by: timedelta) -> None:
    """Everything that is kept of webhooks happened so much longer ago."""
    for model, names in ((Webhook, TIMES_OF_WEBHOOK), (WebhookDelivery, TIMES_OF_CALL)):
        model.objects.update(**{name: F(name) - by for name in names})


def nobody_is_called() -> bool:
    """Whether no webhook could be claimed now."""
    return claim_webhook(worker=uuid4()) is None


def states() -> list[str]:
    """What became of the calls, in their order."""
    return list(WebhookDelivery.objects.order_by("number", "pk").values_list("state", flat=True))


def waits(webhook: Webhook) -> float:
    """Seconds until the webhook is called again."""
    row = Webhook.objects.annotate(now=Now()).get(pk=webhook.pk)
    return float((row.paused_until - row.now).total_seconds()) if row.paused_until else 0.0


def revoke(organization: Organization, user: Any, *emails: str) -> None:
    """Revoke the invitations of these addresses."""
    ids = [str(i.pk) for i in Invitation.objects.filter(email__in=emails)]
    revoke_invitations(actor=actor_of(user), organization=organization, selection=Selection(ids=ids))


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """What was taken: (type, address), in its order."""
    return [(call.message["type"].partition(".")[2], call.email) for call in receiver.taken]
