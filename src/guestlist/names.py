"""Names of organizations and people are hostile text: they travel into mail that strangers read."""

import re
import unicodedata

from guestlist import errors

MAX_NAME = 80
_SPACE = re.compile(r"\s+")
# What a mail client turns into a link: a scheme, www., an address, an IP, a dotted word that ends in letters.
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*:/|mailto:|//|\bwww\.|\w@\w|\d\.\d+\.\d+\.\d|\w\.(?:xn--\w|[^\W\d_]{2,})",
    re.IGNORECASE,
)
_DOTS = str.maketrans("\u3002\uff61\u2024\ufe52\uff0e", ".....")
# Joiners build emoji and shape Persian and Indic text, but can also hide the dot of a web address.
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_BLANK = re.compile("[\\s\u115f\u1160\u2800\u3164\uffa0\u200c\u200d\ufe00-\ufe0f]+")


def clean_name(text: str) -> str:
    """`text` as it may be shown and mailed: one line, no control or bidirectional-override character,
    at most 80 characters. Raises NameEmpty when nothing to see is left, NameHasLink for a web address.
    """
    name = clean_line(text, MAX_NAME)
    if not _BLANK.sub("", name):
        raise errors.NameEmpty
    if has_link(name):
        raise errors.NameHasLink
    return name


def clean_line(text: str, length: int) -> str:
    """`text` on one line of at most `length` characters, without control or bidirectional-override ones."""
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or _visible(c))
    return _SPACE.sub(" ", visible).strip()[:length].rstrip()


def has_link(text: str) -> bool:
    """Whether a mail program would turn a part of `text` into a link."""
    plain = unicodedata.normalize("NFKC", text.translate(_DOTS))
    return bool(_LINK.search(_JOINERS.sub("", plain)))


def _visible(character: str) -> bool:
    hidden = ("Cc", "Cf", "Cs", "Co", "Cn")
    return character in "\u200c\u200d" or unicodedata.category(character) not in hidden
