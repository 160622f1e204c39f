"""Names of organizations and people are hostile text: they travel into mail that strangers read."""

import re
import unicodedata

from guestlist import errors

MAX_NAME = 80
_SPACE = re.compile(r"\s+")
# A mail client turns these into links: a scheme, www., or a dotted word that ends in letters.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|\bwww[.。．]|\w[.。．](?:xn--\w|[^\W\d_]{2,})", re.IGNORECASE)


def clean_name(text: str) -> str:
    """`text` as it may be shown and mailed: one line, no control or bidirectional-override character,
    at most 80 characters. Raises InvalidName when nothing is left or it holds a web address.
    """
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or _visible(c))
    name = _SPACE.sub(" ", visible).strip()[:MAX_NAME].rstrip()
    if not name:
        raise errors.NameEmpty
    if _LINK.search(name):
        raise errors.NameHasLink
    return name


def _visible(character: str) -> bool:
    # Zero-width joiners build emoji and shape Persian and Indic text; every other Cf and Cc goes.
    return character in "\u200c\u200d" or unicodedata.category(character) not in (
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
    )
