"""Every setting of the app, its default and its meaning.

A project writes one dictionary, `GUESTLIST`, in its settings; `conf()` is the only reader.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

Sending = Literal["send", "capture", "off"]
Creators = Literal["operator", "anyone"]
_LIFETIME = re.compile(r"(\d{1,5})([mhd])")
# An address of 64 characters at most before the @, of which `+` and the token take 43.
_MAILBOX = re.compile(r"[A-Za-z0-9._-]{1,20}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LIMIT = re.compile(r"(\d{1,9})/([1-9]\d{0,4}[mhd])")
_PERMISSION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Addresses(Protocol):
    """What a project knows of its users' e-mail addresses."""

    def verified_addresses(self, user: Any) -> Iterable[str]:
        """The addresses that `user` has proved to own."""

    def owners(self, keys: Iterable[str]) -> Mapping[str, Any]:
        """Comparison key → id of the user who owns it, verified; one query for any number of keys."""


class TwoFactor(Protocol):
    """What a project knows of its users' two-factor authentication."""

    def is_on(self, user: Any) -> bool:
        """Whether `user` has set it up; one query at most."""

    def setup_url(self) -> str:
        """The page on which somebody sets it up; `?next=` is added, where to come back to."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in `period`."""

    count: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed; None is any number."""

    inviter: Limit | None
    """Invitations sent or resent by one person or key."""
    organization: Limit | None
    """Invitations sent or resent by one organization."""
    resend: Limit | None
    """Times that one invitation is sent again."""
    address: Limit | None
    """Messages to one address from all organizations; further ones wait, and nobody is refused."""
    creation: Limit | None
    """Organizations created by one person, where anyone may."""
    guesses: Limit | None
    """Links and keys that do not exist, from one network address (IPv6: one /64)."""


@dataclass(frozen=True, slots=True)
class Conf:
    """The app's settings, parsed."""

    url: str
    """Public address of the server without a slash at the end; links in mail start with it."""
    email_from: str
    """The `From` of every message. Nothing that a person typed ever gets into it."""
    email_sending: Sending
    """`send` through Django's mail settings, `capture` (shown at /outbox), or `off` (kept queued)."""
    invitation_lifetime: timedelta | None
    """How long an invitation can be accepted; None is for ever."""
    addresses: Addresses
    """Module or object with `verified_addresses` and `owners`."""
    sign_up_path: str | None
    """Where `sign_up` is found."""
    create_organizations: Creators
    """Who may create organizations beside the operator: nobody (`operator`), or `anyone` with a verified
    address."""
    email_connections: int
    """Connections to the mail server at once, for each worker."""
    bounces_to: str | None
    """The address to which mail servers return what they can’t deliver; `+…` is added to its local part."""
    limits: Limits
    """How much is allowed of what."""
    two_factor: TwoFactor | None
    """Module or object with `is_on` and `setup_url`; None where organizations can’t require it."""
    permissions: Mapping[str, Any]
    """Permissions of the project: code → the sentence that says what it allows, which may be lazy."""
    webhook_networks: Sequence[IPv4Network | IPv6Network]
    """Networks that are not public and to which webhooks may be sent all the same, without TLS too."""

    @property
    def sign_up(self) -> Callable[..., Any] | None:
        """Draws and handles the sign-up part of the accept page; None leads to the project's own sign-in.
        Loaded where it is asked for: a worker never needs the pages. Raises ImproperlyConfigured.
        """
        found: Callable[..., Any] | None = None
        if self.sign_up_path:
            found = _parsed("SIGN_UP", self.sign_up_path, import_string)
        return found


DEFAULT_CONNECTIONS = 4
DEFAULT_LIMITS = {
    "inviter": "20000/1d",
    "organization": "50000/1d",
    "resend": "1/10m",
    "address": "10/1d",
    "creation": "10/1d",
    "guesses": "100/1m",
}
DEFAULTS: dict[str, Any] = {
    "URL": "http://127.0.0.1:8000",
    "EMAIL_FROM": None,
    "EMAIL_SENDING": "send",
    "INVITATION_LIFETIME": "7d",
    "ADDRESSES": "guestlist.user_addresses",
    "SIGN_UP": None,
    "CREATE_ORGANIZATIONS": "operator",
    "EMAIL_CONNECTIONS": DEFAULT_CONNECTIONS,
    "BOUNCES_TO": None,
    "LIMITS": {},
    "TWO_FACTOR": None,
    "PERMISSIONS": {},
    "WEBHOOK_NETWORKS": [],
}


def parse_lifetime(text: str) -> timedelta | None:
    """`7d`, `36h`, `90m` or `never` as a duration; None is never. Raises ValueError with what to write."""
    if text.strip().lower() == "never":
        return None
    match = _LIFETIME.fullmatch(text.strip().lower())
    if not match or not int(match[1]):
        raise ValueError(f"{text!r} is not a lifetime: write for example 7d, 36h, 90m or never")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_limit(text: str) -> Limit | None:
    """`20000/1d` as a limit; `none` is no limit. Raises ValueError with what to write."""
    if text.strip().lower() == "none":
        return None
    match = _LIMIT.fullmatch(text.strip().lower())
    period = parse_lifetime(match[2]) if match else None
    if not match or not period:
        raise ValueError(f"{text!r} is not a limit: write for example 20000/1d, 100/1m or none")
    return Limit(int(match[1]), period)


def parse_limits(given: Mapping[str, str]) -> Limits:
    """The limits, those that are not given as they are by default. Raises ValueError naming the limit."""
    if unknown := set(given) - set(DEFAULT_LIMITS):
        raise ValueError(f"there is no limit {', '.join(sorted(unknown))}")
    values = {}
    for name, text in (DEFAULT_LIMITS | dict(given)).items():
        try:
            values[name] = parse_limit(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return Limits(**values)


def parse_permissions(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Codes like `invoice.approve`, each with its sentence. Raises ValueError naming the code."""
    for code, sentence in given.items():
        if len(code) > 60 or not _PERMISSION.fullmatch(code):
            raise ValueError(f"{code!r} is not a permission: write for example invoice.approve")
        if not str(sentence).strip():
            raise ValueError(f"{code} has no sentence that says what it allows")
    return dict(given)


def parse_connections(number: int | str) -> int:
    """Connections at once, from 1 to 20. Raises ValueError with what to write."""
    if not str(number).isdigit() or not 1 <= int(number) <= 20:
        raise ValueError(f"{number!r} is not a number from 1 to 20")
    return int(number)


def parse_mailbox(text: str | None) -> str | None:
    """An address whose local part leaves room for a token of 42 characters. Raises ValueError."""
    if not text:
        return None
    local, at, domain = text.strip().partition("@")
    if not at or not _MAILBOX.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{text!r} is not a plain address with a short name, like bounces@example.com")
    return f"{local}@{domain}"


def parse_url(text: str) -> str:
    """The public address, without a slash at the end. Raises ValueError with what to write."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not a public address: write for example https://guestlist.example.com")
    return text.strip().rstrip("/")


def parse_networks(given: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Networks like `10.0.0.0/8` or `fd00::/8`; an address is one too. Raises ValueError naming the text."""
    if isinstance(given, str):
        raise ValueError(f"{given!r} is one text; write a list of networks")
    return [ip_network(text.strip()) for text in given]


def parse_creators(text: str) -> Creators:
    """Who may create organizations. Raises ValueError with what to write."""
    if text not in ("operator", "anyone"):
        raise ValueError(f"{text!r} is neither operator nor anyone")
    return cast("Creators", text)


@cache
def conf() -> Conf:
    """The settings as they stand. Raises ImproperlyConfigured naming the key that is wrong."""
    given = getattr(settings, "GUESTLIST", {})
    if unknown := set(given) - set(DEFAULTS):
        raise ImproperlyConfigured(f"GUESTLIST has unknown keys: {', '.join(sorted(unknown))}")
    values = DEFAULTS | given
    return Conf(
        url=_parsed("URL", values["URL"], parse_url),
        email_from=values["EMAIL_FROM"] or settings.DEFAULT_FROM_EMAIL,
        email_sending=_parsed("EMAIL_SENDING", values["EMAIL_SENDING"], _sending),
        invitation_lifetime=_parsed("INVITATION_LIFETIME", values["INVITATION_LIFETIME"], parse_lifetime),
        addresses=cast("Addresses", _parsed("ADDRESSES", values["ADDRESSES"], _imported)),
        sign_up_path=values["SIGN_UP"],
        create_organizations=_parsed("CREATE_ORGANIZATIONS", values["CREATE_ORGANIZATIONS"], parse_creators),
        email_connections=_parsed("EMAIL_CONNECTIONS", values["EMAIL_CONNECTIONS"], parse_connections),
        bounces_to=_parsed("BOUNCES_TO", values["BOUNCES_TO"], parse_mailbox),
        limits=_parsed("LIMITS", values["LIMITS"], parse_limits),
        two_factor=values["TWO_FACTOR"] and _parsed("TWO_FACTOR", values["TWO_FACTOR"], _imported),
        permissions=_parsed("PERMISSIONS", values["PERMISSIONS"], parse_permissions),
        webhook_networks=_parsed("WEBHOOK_NETWORKS", values["WEBHOOK_NETWORKS"], parse_networks),
    )


def _parsed(key: str, value: Any, parse: Callable[[Any], Any]) -> Any:
    try:
        return parse(value)
    except (ValueError, ImportError) as error:
        raise ImproperlyConfigured(f"GUESTLIST[{key!r}]: {error}") from error


def _sending(value: str) -> Sending:
    if value not in ("send", "capture", "off"):
        raise ValueError(f"{value!r} is not one of send, capture, off")
    return cast("Sending", value)


def _imported(path: str) -> Any:
    from importlib import import_module

    try:
        return import_module(path)
    except ModuleNotFoundError:
        return import_string(path)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("GUESTLIST", "DEFAULT_FROM_EMAIL"):
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="guestlist.conf")
