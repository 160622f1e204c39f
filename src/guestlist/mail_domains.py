"""Mail domains as people type them in settings: `acme.com`, or `*.acme.com` for everything below it."""

import re
from collections.abc import Collection

from guestlist import errors
from guestlist.addresses import comparison_key

_BETWEEN = re.compile(r"[\s,;،]+")
MOST_DOMAINS = 200


def parse_domain(text: str) -> str:
    """A domain as its A-label in lower case. Raises DomainInvalid."""
    key = comparison_key(f"someone@{text.strip().lower().removeprefix('@').removesuffix('.')}")
    if key is None:
        raise errors.DomainInvalid(domain=text.strip()[:100])
    return key.rpartition("@")[2]


def parse_patterns(text: str) -> list[str]:
    """Domains and `*.` domains out of a box, each once, in their order. Raises DomainInvalid naming the first
    that is none, TooManyDomains.
    """
    words = [word for word in _BETWEEN.split(text) if word]
    if len(words) > MOST_DOMAINS:
        raise errors.TooManyDomains(limit=MOST_DOMAINS)
    return list(dict.fromkeys(_pattern(word) for word in words))


def matches(patterns: Collection[str], key: str) -> bool:
    """Whether the address with this comparison key is at one of the domains."""
    domain = key.rpartition("@")[2]
    return any(domain.endswith(p[1:]) if p.startswith("*.") else domain == p for p in patterns)


def _pattern(word: str) -> str:
    if word.startswith("*."):
        return f"*.{parse_domain(word[2:])}"
    return parse_domain(word)
