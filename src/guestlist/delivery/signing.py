"""Signatures of webhook calls, as Standard Webhooks has them."""

import base64
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256

from guestlist.links import webhook_secrets
from guestlist.models import Webhook


def signed_headers(webhook: Webhook, message_id: str, body: str, at: datetime) -> Mapping[str, str]:
    """The headers by which a receiver knows that a call made at `at` is genuine, and which message it is."""
    seconds = str(int(at.timestamp()))
    content = f"{message_id}.{seconds}.{body}".encode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(secret, content) for secret in _secrets(webhook, at)),
    }


def _secrets(webhook: Webhook, at: datetime) -> Iterator[str]:
    yield from webhook_secrets(webhook.nonce, webhook.pk)
    if webhook.former_nonce and webhook.former_until and webhook.former_until > at:
        yield from webhook_secrets(webhook.former_nonce, webhook.pk)


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, content, sha256)).decode("ascii")
