"""The environment variables that configure the server, each checked with an error that names it."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from guestlist.conf import (
    DEFAULT_CONNECTIONS,
    DEFAULT_LIMITS,
    Creators,
    Sending,
    parse_connections,
    parse_creators,
    parse_lifetime,
    parse_limit,
    parse_mailbox,
    parse_networks,
    parse_url,
)
from guestlist_server import identity
from guestlist_server.database_url import parse_database
from guestlist_server.email_url import LOOPBACK, Email, parse_email

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8000"
OWN = ("127.0.0.0/8", "::1/128")
_CAPTURE = "guestlist_server.capture.CapturedMail"
_OFF = "django.core.mail.backends.dummy.EmailBackend"


@dataclass(frozen=True, slots=True)
class Environment:
    """The configuration of a server."""

    data_dir: Path
    url: str
    loopback: bool
    secret_key: str = field(repr=False)
    secret_key_fallbacks: list[str] = field(repr=False)
    database: dict[str, Any] = field(repr=False)
    email: Email
    email_sending: Sending
    email_from: str
    bounces_to: str | None
    email_connections: int
    webhook_secret: str = field(repr=False)
    invitation_lifetime: str
    signup: Literal["invited", "open"]
    create_organizations: Creators
    providers: list[identity.Provider] = field(repr=False)
    limits: dict[str, str]
    webhook_networks: list[str]
    trusted_proxies: int
    log_level: str
    metrics_token: str = field(repr=False)

    @property
    def secure(self) -> bool:
        """Whether people reach the server by https."""
        return self.url.startswith("https://")

    @property
    def passkeys(self) -> bool:
        """Whether browsers do passkeys and security keys here: never for an IP address, nor without TLS
        beyond localhost.
        """
        host = urlsplit(self.url).hostname or ""
        return not _is_ip(host) and (self.secure or host == "localhost" or host.endswith(".localhost"))

    @property
    def allowed_hosts(self) -> list[str]:
        """The names the server answers to; everything else is a 400."""
        host = urlsplit(self.url).hostname or ""
        return sorted({host, *(LOOPBACK if self.loopback else ())})


@cache
def environment() -> Environment:
    """The configuration from `os.environ`. Raises ImproperlyConfigured naming the variable."""
    return read(os.environ)


class Reader:
    """Variables, each parsed with an error that names it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def get(self, name: str, parse: Callable[[str], T], default: str) -> T:
        """What `parse` makes of a variable. Raises ImproperlyConfigured."""
        try:
            return parse(self.variables.get(name) or default)
        except (ValueError, OSError) as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error


def read(variables: Mapping[str, str]) -> Environment:
    """The configuration from `variables`. Raises ImproperlyConfigured naming the variable."""

    get = Reader(variables).get
    data_dir = get("GUESTLIST_DATA_DIR", _directory, "data")
    url = get("GUESTLIST_URL", parse_url, variables.get("GUESTLIST_DEFAULT_URL") or DEFAULT_URL)
    # `serve` sets GUESTLIST_BIND for the processes it starts.
    loopback = urlsplit(url).hostname in LOOPBACK and variables.get("GUESTLIST_BIND", "127.0.0.1") in LOOPBACK
    configured = bool(variables.get("EMAIL_URL"))
    unconfigured = Email(_CAPTURE if loopback else _OFF)
    host = urlsplit(url).hostname
    return Environment(
        data_dir=data_dir,
        url=url,
        loopback=loopback,
        secret_key=get("GUESTLIST_SECRET_KEY", _secret, "") or _generated_secret(data_dir),
        secret_key_fallbacks=get("GUESTLIST_SECRET_KEY_FALLBACKS", str.split, ""),
        database=get("DATABASE_URL", parse_database, f"sqlite:///{data_dir}/guestlist.sqlite3"),
        email=get("EMAIL_URL", parse_email, "") if configured else unconfigured,
        email_sending="send" if configured else "capture" if loopback else "off",
        email_from=get("GUESTLIST_EMAIL_FROM", _one_line, f"Guestlist <guestlist@{host}>"),
        bounces_to=get("GUESTLIST_BOUNCES_TO", parse_mailbox, ""),
        email_connections=get("GUESTLIST_EMAIL_CONNECTIONS", parse_connections, str(DEFAULT_CONNECTIONS)),
        webhook_secret=get("GUESTLIST_EMAIL_WEBHOOK_SECRET", _webhook_secret, ""),
        invitation_lifetime=get("GUESTLIST_INVITATION_LIFETIME", _lifetime, "7d"),
        signup=get("GUESTLIST_SIGNUP", _signup, "invited"),
        create_organizations=get("GUESTLIST_CREATE_ORGANIZATIONS", parse_creators, "operator"),
        providers=_providers(get),
        limits=_limits(get),
        # A newcomer tries webhooks with a receiver on the same machine.
        webhook_networks=get("GUESTLIST_WEBHOOK_NETWORKS", _networks, ",".join(OWN if loopback else ())),
        trusted_proxies=get("GUESTLIST_TRUSTED_PROXIES", _count, "0"),
        log_level=get("GUESTLIST_LOG_LEVEL", _level, "INFO"),
        metrics_token=get("GUESTLIST_METRICS_TOKEN", _metrics_token, ""),
    )


def _providers(get: Callable[..., identity.Provider | None]) -> list[identity.Provider]:
    found = (
        get("GUESTLIST_GOOGLE", identity.google, ""),
        get("GUESTLIST_GITHUB", identity.github, ""),
        get("GUESTLIST_MICROSOFT", identity.microsoft, ""),
        get("GUESTLIST_OIDC", identity.openid_connect, ""),
    )
    return [provider for provider in found if provider]


def _limits(get: Callable[..., str]) -> dict[str, str]:
    return {
        "inviter": get("GUESTLIST_LIMIT_INVITER", _limit, DEFAULT_LIMITS["inviter"]),
        "organization": get("GUESTLIST_LIMIT_ORGANIZATION", _limit, DEFAULT_LIMITS["organization"]),
        "resend": get("GUESTLIST_LIMIT_RESEND", _limit, DEFAULT_LIMITS["resend"]),
        "address": get("GUESTLIST_LIMIT_ADDRESS", _limit, DEFAULT_LIMITS["address"]),
        "creation": get("GUESTLIST_LIMIT_CREATION", _limit, DEFAULT_LIMITS["creation"]),
        "guesses": get("GUESTLIST_LIMIT_GUESSES", _limit, DEFAULT_LIMITS["guesses"]),
    }


def _directory(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("it is too short; use at least 32 random characters, or leave it out")
    return text


def _metrics_token(text: str) -> str:
    if text and (len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text):
        raise ValueError("it has to be at least 16 ASCII characters without blanks")
    return text


def _generated_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        # O_EXCL: of several processes that start at once, one writes and the others read.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := secrets.token_urlsafe(48))
    return secret


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text or "@" not in text:
        raise ValueError(f"{text!r} is not a sender: write for example Guestlist <guestlist@example.com>")
    return text


def _webhook_secret(text: str) -> str:
    user, _, password = text.partition(":")
    if text and (not user or len(password) < 16 or not text.isprintable()):
        raise ValueError("write user:password, with at least 16 random characters as the password")
    return text


def _lifetime(text: str) -> str:
    lifetime = parse_lifetime(text)
    if lifetime is not None and lifetime < timedelta(minutes=1):
        raise ValueError(f"{text!r} is too short")
    return text


def _limit(text: str) -> str:
    parse_limit(text)
    return text


def _networks(text: str) -> list[str]:
    return [str(network) for network in parse_networks(filter(None, text.replace(" ", "").split(",")))]


def _signup(text: str) -> Literal["invited", "open"]:
    if text in ("invited", "open"):
        return cast("Literal['invited', 'open']", text)
    raise ValueError(f"{text!r} is neither invited nor open")


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is not a number")
    return int(text)


def _is_ip(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{text!r} is not one of DEBUG, INFO, WARNING, ERROR")
    return text.upper()
