"""What the domain name system says of the domain in `From`."""

from collections.abc import Iterator
from email.utils import parseaddr
from ipaddress import ip_address

import dns.exception
import dns.resolver
from dns.rdatatype import RdataType

# Seconds for one question; whoever runs `doctor` is waiting.
PATIENCE = 3
# Names that nobody can own (RFC 2606, RFC 6762).
_PRIVATE = ("localhost", "test", "invalid", "example", "local", "internal")


def domain_of(sender: str) -> str:
    """The domain of a `From`."""
    # Python 3.11.2, that of Debian 12, reads nothing where the domain is an IP address in brackets.
    address = parseaddr(sender)[1] or sender.rstrip("> ")
    return address.rpartition("@")[2].lower()


def is_public(domain: str) -> bool:
    """Whether the domain could be in the public domain name system."""
    try:
        ip_address(domain.strip("[]"))
    except ValueError:
        return "." in domain and domain.rpartition(".")[2] not in _PRIVATE
    return False


def takes_mail(domain: str) -> bool:
    """Whether mail to the domain has somewhere to go (RFC 5321, 7505). Raises LookupError."""
    if exchanges := _ask(domain, RdataType.MX):
        return any(not line.endswith(" .") for line in exchanges)
    return bool(_ask(domain, RdataType.A) or _ask(domain, RdataType.AAAA))


def missing_records(domain: str) -> list[str]:
    """Which of SPF (RFC 7208) and DMARC (RFC 7489) the domain lacks. Raises LookupError."""
    missing = []
    if not any(line.lower().startswith("v=spf1") for line in _texts(domain)):
        missing.append("SPF")
    places = (f"_dmarc.{name}" for name in _and_parents(domain))
    if not any(line.lower().startswith("v=dmarc1") for place in places for line in _texts(place)):
        missing.append("DMARC")
    return missing


def _and_parents(domain: str) -> Iterator[str]:
    """The domain and those it is part of; no more than a few questions."""
    labels = domain.split(".")
    for number in range(min(len(labels) - 1, 4)):
        yield ".".join(labels[number:])


def _texts(name: str) -> list[str]:
    return [line.replace('" "', "").strip('"') for line in _ask(name, RdataType.TXT)]


def _ask(name: str, kind: RdataType) -> list[str]:
    try:
        return [record.to_text() for record in dns.resolver.resolve(f"{name}.", kind, lifetime=PATIENCE)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise LookupError(" ".join(str(error).split()) or type(error).__name__) from error
