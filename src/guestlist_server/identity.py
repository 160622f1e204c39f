"""Identity providers: other people's accounts with which one may sign in here."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_APPS = "allauth.socialaccount.providers"
_HOST = re.compile(r"[a-z0-9.-]+")
# Tenants of Microsoft in which anybody can have an account, with any address they like.
_SHARED_TENANTS = ("common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad")


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider, as allauth wants it; `host` is where its sign-in page stands."""

    id: str
    host: str
    settings: dict[str, Any] = field(repr=False)

    @property
    def app(self) -> str:
        """The Django app that knows how to talk to it."""
        return f"{_APPS}.{self.id}"


def google(text: str) -> Provider | None:
    """`CLIENT_ID:SECRET`; nothing is no provider. Raises ValueError with what to write."""
    if not text:
        return None
    options = {"SCOPE": ["profile", "email"], "OAUTH_PKCE_ENABLED": True}
    return Provider("google", "https://accounts.google.com", _with_app(text, **options))


def github(text: str) -> Provider | None:
    """`CLIENT_ID:SECRET`; nothing is no provider. Raises ValueError with what to write."""
    if not text:
        return None
    return Provider("github", "https://github.com", _with_app(text, SCOPE=["user:email"]))


def microsoft(text: str) -> Provider | None:
    """`CLIENT_ID:SECRET?tenant=TENANT`; nothing is no provider. Raises ValueError with what to write.

    Addresses are believed only from a tenant of one's own: elsewhere anybody may claim any address.
    """
    if not text:
        return None
    credentials, _, query = text.partition("?")
    tenant = dict(parse_qsl(query)).get("tenant", "common")
    options = {
        "TENANT": tenant,
        "VERIFIED_EMAIL": tenant.lower() not in _SHARED_TENANTS,
        "OAUTH_PKCE_ENABLED": True,
    }
    return Provider("microsoft", "https://login.microsoftonline.com", _with_app(credentials, **options))


def openid_connect(text: str) -> Provider | None:
    """`https://CLIENT_ID:SECRET@issuer.example.com/path?name=NAME`; nothing is no provider.

    `&sign_in=https://login.example.com` names the host of the sign-in page where it is not the issuer's.
    Raises ValueError with what to write.
    """
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not (parts.username and parts.password):
        raise ValueError("write https://CLIENT_ID:SECRET@issuer.example.com/path?name=NAME")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError("the issuer has to be reached by https")
    options = dict(parse_qsl(parts.query))
    issuer = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    app = {
        "provider_id": "sso",
        "name": options.get("name", parts.hostname),
        **_credentials(parts.username, parts.password),
        "settings": {"server_url": issuer + parts.path.rstrip("/")},
    }
    host = _origin("the issuer", issuer)
    if sign_in := options.get("sign_in"):
        host = _origin(f"sign_in={sign_in}", sign_in)
    return Provider("openid_connect", host, {"APPS": [app], "OAUTH_PKCE_ENABLED": True})


def _with_app(credentials: str, **options: Any) -> dict[str, Any]:
    client_id, _, secret = credentials.partition(":")
    if not client_id or not secret:
        raise ValueError("write CLIENT_ID:SECRET")
    return {"APPS": [_credentials(client_id, secret)], **options}


def _credentials(client_id: str, secret: str) -> dict[str, str]:
    return {"client_id": unquote(client_id), "secret": unquote(secret)}


def _origin(name: str, url: str) -> str:
    """Scheme, host and port. They end up in a header in which blanks, semicolons and stars mean something."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not (_HOST.fullmatch(host) or _is_ipv6(host)):
        raise ValueError(f"{name} is not an address: write for example https://login.example.com")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _is_ipv6(host: str) -> bool:
    try:
        # A zone (fe80::1%eth0) may be any text.
        return "%" not in host and bool(IPv6Address(host))
    except ValueError:
        return False
