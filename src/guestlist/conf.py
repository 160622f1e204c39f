"""Every setting of the app, its default and its meaning.

A project writes one dictionary, `GUESTLIST`, in its settings; `conf()` is the only reader.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

Sending = Literal["send", "capture", "off"]
Creators = Literal["operator", "anyone"]
_LIFETIME = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Addresses(Protocol):
    """What a project knows of its users' e-mail addresses."""

    def verified_addresses(self, user: Any) -> Iterable[str]:
        """The addresses that `user` has proved to own."""

    def owners(self, keys: Iterable[str]) -> Mapping[str, Any]:
        """Comparison key → id of the user who owns it, verified; one query for any number of keys."""


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
    sign_up: Callable[..., Any] | None
    """Draws and handles the sign-up part of the accept page; None leads to the project's own sign-in."""
    create_organizations: Creators
    """Who may create organizations beside the operator: nobody (`operator`), or `anyone` with a verified
    address."""


DEFAULTS: dict[str, Any] = {
    "URL": "http://127.0.0.1:8000",
    "EMAIL_FROM": None,
    "EMAIL_SENDING": "send",
    "INVITATION_LIFETIME": "7d",
    "ADDRESSES": "guestlist.user_addresses",
    "SIGN_UP": None,
    "CREATE_ORGANIZATIONS": "operator",
}


def parse_lifetime(text: str) -> timedelta | None:
    """`7d`, `36h`, `90m` or `never` as a duration; None is never. Raises ValueError with what to write."""
    if text.strip().lower() == "never":
        return None
    match = _LIFETIME.fullmatch(text.strip().lower())
    if not match or not int(match[1]):
        raise ValueError(f"{text!r} is not a lifetime: write for example 7d, 36h, 90m or never")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_url(text: str) -> str:
    """The public address, without a slash at the end. Raises ValueError with what to write."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not a public address: write for example https://guestlist.example.com")
    return text.strip().rstrip("/")


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
        sign_up=values["SIGN_UP"] and _parsed("SIGN_UP", values["SIGN_UP"], import_string),
        create_organizations=_parsed("CREATE_ORGANIZATIONS", values["CREATE_ORGANIZATIONS"], parse_creators),
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
