"""How mail leaves, from one address."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
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


def parse_email(text: str) -> Email:
    """`EMAIL_URL` as Django's settings of mail. Raises ValueError with what to write."""
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
