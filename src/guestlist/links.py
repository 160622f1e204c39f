"""Tokens in links. They are computed, never stored: a copy of the database opens nothing."""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from django.conf import settings

from guestlist.conf import conf

INVITATION = "gli_"
_NONCE, _MAC = 16, 32
# 48 bytes are 64 characters without padding, so every character of a token counts.
_BODY = re.compile(r"[A-Za-z0-9_-]{64}")
# Keeps the work and the queries for a malformed token those of a well-formed one.
_NOTHING = "A" * 64


def new_nonce() -> str:
    """The 16 random bytes of an invitation's row, base64url without padding (22 characters)."""
    return _text(secrets.token_bytes(_NONCE))


def invitation_token(nonce: str, invitation_id: UUID) -> str:
    """The token of the mailed link of an invitation."""
    mac = next(_macs(_bytes(nonce) + invitation_id.bytes))
    return INVITATION + _text(_bytes(nonce) + mac)


def invitation_url(nonce: str, invitation_id: UUID) -> str:
    """The mailed link of an invitation, on the public address from configuration."""
    return f"{conf().url}/i/{invitation_token(nonce, invitation_id)}"


def token_nonce(token: str) -> str:
    """The part of `token` by which its row is found; of a malformed one, a nonce that no row has."""
    return _text(_bytes(_body(token))[:_NONCE])


def is_token_of(token: str, nonce: str, invitation_id: UUID) -> bool:
    """Whether `token` was made for this invitation, under the secret key or one of its fallbacks."""
    given = _bytes(_body(token))
    message = _bytes(nonce) + invitation_id.bytes
    # All keys are tried, so the time taken does not tell which one fitted.
    fits = [hmac.compare_digest(given, _bytes(nonce) + mac) for mac in _macs(message)]
    return any(fits) and token.startswith(INVITATION)


def mask_token(path: str) -> str:
    """`path` with every token in it cut to its prefix, for logs."""
    return re.sub(r"\b(gl[a-z]_)[A-Za-z0-9_-]+", r"\1…", path)


def _body(token: str) -> str:
    body = token.removeprefix(INVITATION)
    return body if _BODY.fullmatch(body) else _NOTHING


def _macs(message: bytes) -> Iterator[bytes]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = hmac.digest(secret.encode(), b"guestlist.invitation-link", sha256)
        yield hmac.digest(key, message, sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
