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
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from guestlist.conf import Creators, Sending, parse_creators, parse_lifetime, parse_url
from guestlist_server import identity

T = TypeVar("T")
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
DEFAULT_URL = "http://127.0.0.1:8000"
_CAPTURE = "guestlist_server.capture.CapturedMail"
_OFF = "django.core.mail.backends.dummy.EmailBackend"
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


@dataclass(frozen=True, slots=True)
class Email:
    """How mail leaves."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    implicit_tls: bool = False
    anymail: dict[str, str] = field(default_factory=dict, repr=False)


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
    invitation_lifetime: str
    signup: Literal["invited", "open"]
    create_organizations: Creators
    providers: list[identity.Provider] = field(repr=False)
    trusted_proxies: int
    log_level: str

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
        database=get("DATABASE_URL", _database, f"sqlite:///{data_dir}/guestlist.sqlite3"),
        email=get("EMAIL_URL", _email, "") if configured else unconfigured,
        email_sending="send" if configured else "capture" if loopback else "off",
        email_from=get("GUESTLIST_EMAIL_FROM", _one_line, f"Guestlist <guestlist@{host}>"),
        invitation_lifetime=get("GUESTLIST_INVITATION_LIFETIME", _lifetime, "7d"),
        signup=get("GUESTLIST_SIGNUP", _signup, "invited"),
        create_organizations=get("GUESTLIST_CREATE_ORGANIZATIONS", parse_creators, "operator"),
        providers=_providers(get),
        trusted_proxies=get("GUESTLIST_TRUSTED_PROXIES", _count, "0"),
        log_level=get("GUESTLIST_LOG_LEVEL", _level, "INFO"),
    )


def _providers(get: Callable[..., identity.Provider | None]) -> list[identity.Provider]:
    found = (
        get("GUESTLIST_GOOGLE", identity.google, ""),
        get("GUESTLIST_GITHUB", identity.github, ""),
        get("GUESTLIST_MICROSOFT", identity.microsoft, ""),
        get("GUESTLIST_OIDC", identity.openid_connect, ""),
    )
    return [provider for provider in found if provider]


def _directory(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("it is too short; use at least 32 random characters, or leave it out")
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


def _lifetime(text: str) -> str:
    lifetime = parse_lifetime(text)
    if lifetime is not None and lifetime < timedelta(minutes=1):
        raise ValueError(f"{text!r} is too short")
    return text


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


def _database(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgresql(parts)
    raise ValueError("write sqlite:///path/to/file or postgresql://user:password@host:5432/name")


def _sqlite(parts: SplitResult) -> dict[str, Any]:
    # As everywhere: sqlite:///relative, sqlite:////absolute.
    path = Path(unquote(parts.path).removeprefix("/")).resolve()
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            # A reader never waits; a writer waits its turn from the start instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
        },
        "TEST": {"NAME": str(path.with_suffix(".test.sqlite3"))},
    }


def _postgresql(parts: SplitResult) -> dict[str, Any]:
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ValueError("name the database: postgresql://user:password@host:5432/name")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 20, "timeout": 10}, **options},
    }


def _email(text: str) -> Email:
    parts = urlsplit(text)
    if parts.scheme == "smtp":
        return _smtp(parts)
    if parts.scheme.startswith("anymail+"):
        return _anymail(parts)
    raise ValueError("write smtp://user:password@host:587?tls=starttls or anymail+PROVIDER://KEY@default")


def _smtp(parts: SplitResult) -> Email:
    if not parts.hostname:
        raise ValueError("name the mail server: smtp://host:587")
    tls = dict(parse_qsl(parts.query)).get("tls") or ("none" if parts.hostname in LOOPBACK else "starttls")
    if tls not in ("starttls", "implicit", "none"):
        raise ValueError(f"tls={tls} is not one of starttls, implicit, none")
    return Email(
        _SMTP,
        host=parts.hostname,
        port=parts.port or {"starttls": 587, "implicit": 465, "none": 25}[tls],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=tls == "starttls",
        implicit_tls=tls == "implicit",
    )


def _anymail(parts: SplitResult) -> Email:
    provider = parts.scheme.removeprefix("anymail+")
    settings = {f"{provider.upper()}_API_KEY": unquote(parts.username or "")}
    settings |= {key.upper(): value for key, value in parse_qsl(parts.query)}
    return Email(f"anymail.backends.{provider}.EmailBackend", anymail=settings)
