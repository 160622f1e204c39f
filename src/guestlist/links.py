"""Tokens in links. They are computed, never stored: a copy of the database opens nothing."""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from django.conf import settings

from guestlist.conf import conf


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of link: how its tokens begin, and what its key is for. No kind opens what another does."""

    prefix: str
    purpose: bytes


MAILED = Kind("gli_", b"guestlist.invitation-link")
HAND_OVER = Kind("glh_", b"guestlist.hand-over-link")
UNSUBSCRIBE = Kind("glu_", b"guestlist.unsubscribe-link")
JOIN = Kind("glj_", b"guestlist.join-link")
_BY_PREFIX = {kind.prefix: kind for kind in (MAILED, HAND_OVER, UNSUBSCRIBE, JOIN)}
_NONCE, _MAC = 16, 32
# 48 bytes are 64 characters without padding, so every character of a token counts.
_BODY = re.compile(r"[A-Za-z0-9_-]{64}")
# Keeps the work and the queries for a malformed token those of a well-formed one.
_NOTHING = "A" * 64
# Not a link: it stands in an address, where nobody keeps the case and there are 64 characters at most.
# 16 bytes of the delivery's id and 10 of a MAC are 42.
_RETURN = Kind("", b"guestlist.return-path")
_RETURN_TOKEN = re.compile(r"[a-z2-7]{42}")
_RETURN_MAC = 10
# Typed by people, so it is short; the tries are counted.
_CODE = Kind("", b"guestlist.domain-code")
_CODE_DIGITS = 8
# Not a link either: what a webhook's calls are signed with.
_SIGNING = Kind("whsec_", b"guestlist.webhook-secret")


def new_nonce() -> str:
    """The 16 random bytes of a link, base64url without padding (22 characters)."""
    return _text(secrets.token_bytes(_NONCE))


def invitation_token(nonce: str, invitation_id: UUID, kind: Kind = MAILED) -> str:
    """The token of a link of an invitation."""
    mac = next(_macs(_bytes(nonce) + invitation_id.bytes, kind))
    return kind.prefix + _text(_bytes(nonce) + mac)


def invitation_url(nonce: str, invitation_id: UUID, kind: Kind = MAILED) -> str:
    """A link of an invitation, on the public address from configuration."""
    return f"{conf().url}/i/{invitation_token(nonce, invitation_id, kind)}"


def unsubscribe_url(nonce: str, invitation_id: UUID) -> str:
    """Where mail programs ask for no more mail (RFC 8058)."""
    return f"{conf().url}/u/{invitation_token(nonce, invitation_id, UNSUBSCRIBE)}"


def join_url(nonce: str, join_link_id: UUID) -> str:
    """A reusable link, on the public address from configuration."""
    return f"{conf().url}/j/{invitation_token(nonce, join_link_id, JOIN)}"


def domain_code(nonce: str, domain_id: UUID) -> str:
    """The 8 digits that show that mail to a domain is read; computed, never stored."""
    mac = next(_macs(_bytes(nonce) + domain_id.bytes, _CODE))
    return _digits(mac)


def is_code_of(code: str, nonce: str, domain_id: UUID) -> bool:
    """Whether `code` was made for this domain, under the secret key or one of its fallbacks."""
    given = code.encode("utf-8", "replace")
    macs = _macs(_bytes(nonce) + domain_id.bytes, _CODE)
    fits = [hmac.compare_digest(given, _digits(mac).encode()) for mac in macs]
    return any(fits)


def webhook_secrets(nonce: str, webhook_id: UUID) -> list[str]:
    """The secret of a webhook (Standard Webhooks: `whsec_` and base64 of 32 bytes), and the same under each
    fallback of the secret key, with which receivers may still verify.
    """
    macs = _macs(_bytes(nonce) + webhook_id.bytes, _SIGNING)
    return [_SIGNING.prefix + base64.b64encode(mac).decode("ascii") for mac in macs]


def token_kind(token: str) -> Kind:
    """What `token` says it is; whatever has no known prefix is looked up as a mailed one."""
    return _BY_PREFIX.get(token[:4], MAILED)


def token_nonce(token: str) -> str:
    """The part of `token` by which its row is found; of a malformed one, a nonce that no row has."""
    return _text(_bytes(_body(token))[:_NONCE])


def is_token_of(token: str, nonce: str, invitation_id: UUID) -> bool:
    """Whether `token` was made for this invitation, under the secret key or one of its fallbacks."""
    kind, given = token_kind(token), _bytes(_body(token))
    message = _bytes(nonce) + invitation_id.bytes
    # All keys are tried, so the time taken does not tell which one fitted.
    fits = [hmac.compare_digest(given, _bytes(nonce) + mac) for mac in _macs(message, kind)]
    return any(fits) and token.startswith(kind.prefix)


def return_path(delivery_id: UUID) -> str | None:
    """Where mail servers return this message if they can’t deliver it; None unless that is configured."""
    mailbox = conf().bounces_to
    if mailbox is None:
        return None
    local, _, domain = mailbox.partition("@")
    mac = next(_macs(delivery_id.bytes, _RETURN))[:_RETURN_MAC]
    return f"{local}+{_base32(delivery_id.bytes + mac)}@{domain}"


def delivery_of_return_path(address: str) -> UUID | None:
    """The delivery whose return path `address` is, in any case; None unless we made it, under the secret key
    or one of its fallbacks.
    """
    local, _, token = address.partition("@")[0].lower().rpartition("+")
    if not local or not _RETURN_TOKEN.fullmatch(token):
        return None
    raw = base64.b32decode(token.upper() + "=" * 6)
    delivery_id, mac = raw[:_NONCE], raw[_NONCE:]
    fits = [hmac.compare_digest(mac, made[:_RETURN_MAC]) for made in _macs(delivery_id, _RETURN)]
    # The last character holds two bits that say nothing; only one way of writing a token is ours.
    return UUID(bytes=delivery_id) if any(fits) and _base32(raw) == token else None


def mask_token(path: str) -> str:
    """`path` with every token in it cut to its prefix, for logs."""
    return re.sub(r"\b(gl[a-z]_)[A-Za-z0-9_-]+", r"\1…", path)


def _body(token: str) -> str:
    body = token.removeprefix(token_kind(token).prefix)
    return body if _BODY.fullmatch(body) else _NOTHING


def _macs(message: bytes, kind: Kind) -> Iterator[bytes]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield hmac.digest(_key(secret, kind.purpose), message, sha256)


@lru_cache(maxsize=64)
def _key(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, sha256)


def _digits(mac: bytes) -> str:
    return f"{int.from_bytes(mac[:8], 'big') % 10**_CODE_DIGITS:0{_CODE_DIGITS}d}"


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode("ascii").lower()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
