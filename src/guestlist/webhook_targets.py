"""Addresses of webhooks as people write them, and which of them may be called. Nothing here asks the network.

    url  = ( "https" / "http" ) "://" host [ ":" port ] [ "/" … / "?" … ]
    host = name / IPv4 in four decimal numbers / "[" IPv6 "]"

A name is what IDNA makes of it. Every other way of writing an address of the internet (one number, hex,
octal, fewer parts) is refused, for programs disagree about what it means.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import idna

from guestlist import errors
from guestlist.conf import conf

MAX_URL = 2000
_URL = re.compile(r"(https?)://([^/?#@\\]+)([/?][!\x22$-~]*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]%]+)(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A last label like these makes a name an address to some programs.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}
_OWN = (ip_address("127.0.0.1"), ip_address("::1"))

# What the registries of special addresses (RFC 6890 and after) don't give to the public.
_SPECIAL_4 = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# Everything outside the first is special or leads to an IPv4 address; of what is inside it, these are:
# Teredo, benchmarks and other protocols, documentation, 6to4, and what was given back.
_PUBLIC_6 = ip_network("2000::/3")
_SPECIAL_6 = [
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
]


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an address that was cleaned. `authority` is its host, with the port if that is unusual."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the header `Host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def clean_url(text: str) -> str:
    """The address as it is stored, the host in lower case and A-labels. Whether a name leads somewhere that
    may be called is asked when it is resolved.

    Raises WebhookUrlInvalid, WebhookUrlInsecure, WebhookTargetForbidden.
    """
    target = target_of(text)
    _check_host(target)
    url = f"{target.scheme}://{target.authority}{target.path}"
    if len(url) > MAX_URL:
        raise errors.WebhookUrlInvalid
    return url


def target_of(text: str) -> Target:
    """The parts of an address. Raises WebhookUrlInvalid."""
    text = text.strip()
    match = _URL.fullmatch(text) if len(text) <= MAX_URL else None
    authority = _AUTHORITY.fullmatch(match[2]) if match else None
    if match is None or authority is None:
        raise errors.WebhookUrlInvalid
    scheme = match[1].lower()
    port = int(authority[2] or _PORTS[scheme])
    if not 1 <= port <= 65535:
        raise errors.WebhookUrlInvalid
    path = match[3] or "/"
    return Target(scheme, _host(authority[1]), port, path if path.startswith("/") else f"/{path}")


def check_address(address: str, *, scheme: str) -> None:
    """Refuse to call an address of the internet that is not public, unless the settings say that it may be:
    then without TLS too.

    Raises WebhookTargetForbidden, WebhookUrlInsecure.
    """
    try:
        parsed = ip_address(address)
    except ValueError as error:
        raise errors.WebhookTargetForbidden from error
    own = _is_own(parsed)
    if not own and not _is_public(parsed):
        raise errors.WebhookTargetForbidden
    if scheme != "https" and not own:
        raise errors.WebhookUrlInsecure


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return IPv6Address(text[1:-1]).compressed
        except ValueError as error:
            raise errors.WebhookUrlInvalid from error
    name = _name(text)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(IPv4Address(name))
        except ValueError as error:
            raise errors.WebhookUrlInvalid from error
    return name


def _name(text: str) -> str:
    """The name that a resolver is asked for, without a dot at its end."""
    try:
        name = text.lower() if text.isascii() else idna.encode(text, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise errors.WebhookUrlInvalid from error
    name = name.removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise errors.WebhookUrlInvalid
    return name


def _check_host(target: Target) -> None:
    if target.scheme != "https" and not conf().webhook_networks:
        raise errors.WebhookUrlInsecure
    if target.host == "localhost" or target.host.endswith(".localhost"):
        if not any(map(_is_own, _OWN)):
            raise errors.WebhookTargetForbidden
    elif ":" in target.host or _NUMBER.fullmatch(target.host.rpartition(".")[2]):
        check_address(target.host, scheme=target.scheme)


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    """Whether the settings allow it."""
    plain = getattr(address, "scope_id", None) is None
    return plain and any(address in network for network in conf().webhook_networks)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    plain = address.scope_id is None and address in _PUBLIC_6
    return plain and not any(address in network for network in _SPECIAL_6)
