"""E-mail addresses as people paste them: which are good, which are not and why, what was passed over.

    text     = line *( line break line )       a row under a CSV or TSV header is its e-mail cells
    line     = [ "To:" ] segment *( ";" segment )
    segment  = part *( "," part )              without any "@" it is refused as a whole
    part     = *( word / quoted / address )
    address  = ( word with "@" / [ name ] "<" word with "@" ">" ) [ "(" comment ")" ]
    name     = words and quoted text; one comma may stand in it: Doe, Jane <jane@acme.test>

Every character is looked at a bounded number of times, so the time taken is linear in the text.
Nothing is repaired into another mailbox, and text that is no address is reported, never dropped.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import idna

MAX_TEXT = 1_000_000
MAX_TOKEN = 320
MAX_LOCAL, MAX_ADDRESS = 64, 254


def N_(text: str) -> str:  # noqa: N802  (gettext finds the texts by this name)
    """Mark `text` for translation where it is shown."""
    return text


REASONS = {
    "missing_at": N_("missing @"),
    "missing_local_part": N_("nothing before the @"),
    "missing_domain": N_("nothing after the @"),
    "multiple_at": N_("more than one @"),
    "unsupported_character": N_("unsupported character before the @"),
    "invalid_local_part": N_("misplaced dot, hyphen or apostrophe before the @"),
    "local_part_too_long": N_("more than 64 characters before the @"),
    "address_too_long": N_("longer than 254 characters"),
    "non_ascii_local_part": N_("accented or non-Latin character before the @"),
    "quoted_local_part": N_("quotation marks before the @"),
    "encoded_word": N_("encoded text instead of an address"),
    "comment_in_address": N_("parenthesis inside the address"),
    "space_in_address": N_("space inside the address"),
    "control_character": N_("invisible control character"),
    "invalid_domain": N_("not a valid domain"),
    "domain_no_dot": N_("domain without a dot"),
    "domain_literal": N_("domain in square brackets"),
    "domain_is_ip": N_("IP address instead of a domain"),
    "display_name_mismatch": N_("the name shows a different address"),
    "ambiguous_address": N_("text stuck to the address"),
    "multiple_addresses": N_("more than one line or address"),
}


class InputTooLarge(ValueError):
    """The text is longer than MAX_TEXT characters."""


@dataclass(frozen=True, slots=True)
class Address:
    """`key` compares, `email` is what mail is sent to: the local part as first typed."""

    key: str
    email: str

    @property
    def domain(self) -> str:
        """Lower case, A-labels."""
        return self.key.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing the text held. `start` and `end` are where, counted in characters of that text."""

    kind: Literal["address", "duplicate", "invalid"]
    token: str
    address: Address | None
    reason: str | None
    warnings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedAddresses:
    """What a text held, in its order; `ignored` is text that is neither an address nor meant as one."""

    items: tuple[Item, ...]
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def addresses(self) -> list[Address]:
        """The good addresses, each once."""
        return [item.address for item in self.items if item.kind == "address" and item.address]

    @property
    def rejects(self) -> list[Item]:
        """What was refused."""
        return [item for item in self.items if item.kind == "invalid"]

    @property
    def duplicates(self) -> int:
        """How many further occurrences of good addresses were dropped."""
        return sum(item.kind == "duplicate" for item in self.items)


def parse_addresses(text: str) -> ParsedAddresses:
    """What the box for addresses holds. Raises InputTooLarge. Cases: tests/cases/email_box.json."""
    if len(text) > MAX_TEXT:
        raise InputTooLarge
    return _answer([_read_box(_Source.of(text))])


def parse_items(values: Iterable[str]) -> ParsedAddresses:
    """The elements of an API array: one item each, in order.

    An element follows the rules of the box, and is refused as `multiple_addresses` where it holds a line
    break or more than one address. `start` and `end` count within the element.
    """
    return _answer([_read_element(_Source.of(value)) for value in values])


def comparison_key(email: str) -> str | None:
    """The key of an address that the system already holds; None if the box would not take it.

    ASCII-lowercased local part + "@" + IDNA2008 (UTS 46, non-transitional) A-label domain.
    """
    checked = _check(email)
    return checked.key if isinstance(checked, Address) else None


def suggested_domain(domain: str) -> str | None:
    """The big mail domain that `domain` is a known misspelling of. Advice only: both may exist."""
    return _MISSPELT.get(domain.lower())


def mask(email: str) -> str:
    """`j***@acme.test`: enough for its owner to know it, too little for anybody else."""
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else "***"


# Characters ------------------------------------------------------------------------------------------

# Unicode's Default_Ignorable_Code_Point without the Hangul fillers, which take up room. A joiner between
# two non-ASCII characters stays: in Persian or Hindi it makes another domain, so IDNA has to judge it.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])"
)
_CONTROL = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
# One character for one, so that positions hold. Nothing in it may stand in a local part.
_SYNTAX = {
    "\n": "\r\v\f\x85\u2028\u2029",
    " ": "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    ",": "\uff0c\u3001\uff64\u060c\ufe10\ufe11\ufe50\ufe51",
    ";": "\uff1b\u061b\ufe14\ufe54",
    "@": "\uff20\ufe6b",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02",
    "<": "\uff1c\u3008\u27e8\ufe64",
    ">": "\uff1e\u3009\u27e9\ufe65",
    "(": "\uff08\ufe59",
    ")": "\uff09\ufe5a",
    "[": "\uff3b",
    "]": "\uff3d",
    ":": "\uff1a\ufe55",
}
_TO_SYNTAX = str.maketrans({odd: plain for plain, odds in _SYNTAX.items() for odd in odds})

_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]*+)\]\((mailto:[^()<>\s]*+)\)", re.IGNORECASE)
_MAILTO = re.compile(r"""(?<![^\s<>(\["',;|])(mailto:[^\s<>|?"]*+)(\?[^\s<>|"]*+)?""", re.IGNORECASE)


def _syntax(visible: str) -> str:
    """`visible` with one spelling for each mark, [name](mailto:…) as "name"<mailto:…> and the query of a
    mailto link, which may name further recipients, blanked. As long as `visible`.
    """
    text = visible.translate(_TO_SYNTAX)
    if "mailto:" not in text.lower():
        return text
    text = _MARKDOWN_LINK.sub(lambda m: f'"{m[1].replace(chr(34), " ")}"<{m[2]}>', text)
    return _MAILTO.sub(lambda m: m[1] + " " * len(m[2] or ""), text)


@dataclass(frozen=True, slots=True)
class _Source:
    """A text without its invisible characters: as typed (`visible`) and as read (`syntax`)."""

    visible: str
    syntax: str
    removed: list[int]

    @classmethod
    def of(cls, text: str) -> "_Source":
        removed = [m.start() - i for i, m in enumerate(_INVISIBLE.finditer(text))]
        visible = _INVISIBLE.sub("", text) if removed else text
        return cls(visible, _syntax(visible), removed)

    def token(self, start: int, end: int) -> str:
        return self.visible[start : min(end, start + MAX_TOKEN)]

    def position(self, index: int) -> int:
        """Where the character of `visible` is in the original text."""
        return index + bisect_right(self.removed, index)


# Tokens ----------------------------------------------------------------------------------------------

_TAGS = "a|b|i|u|em|strong|span|div|p|br|hr|font|small|code|pre|li|[uo]l|t[drh]|table|tbody|thead|h[1-6]|script|style|html|body"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]++ | </?(?:{_TAGS})[ \t]*+/?>)
    | (?P<comma>,) | (?P<semicolon>;)
    | (?P<angle><[ \t]*+mailto:[^<>|,;]*+\|[^<>]*+> | <[^<>@,;]*+@[^<>,;]*+>)
    | (?P<word>(?:<|(?=.)) (?:(?<=\w)&\#?\w{{1,8}};(?=\w) | [^ \t,;<])*+)""",
    # An HTML entity within a word must not split it: the half of o&#39;brien@ is another mailbox.
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_GLUED = re.compile(r"[^ \t,;<\w@]*+[\w@][^ \t,;]*+")
_IN_PAIRS = re.compile(r'\\.|["()]', re.DOTALL)
_BEFORE_ANGLE = re.compile(r'[^,;<>"@]*+<[^<>@,;]*+@')
_OPENING, _ENDING = " \t,;<([:>", " \t,;<>.!?:)]\"'"


class _Atom(NamedTuple):
    kind: str  # a group of _TOKEN, or quoted, comment, glued
    start: int
    end: int


def _pairs(text: str, start: int, end: int) -> dict[int, int]:
    """Opening quotation mark or parenthesis → the one that closes it, both on this line."""
    closing: dict[int, int] = {}
    opened, quote = [], -1
    for match in _IN_PAIRS.finditer(text, start, end):
        mark, at = match[0], match.start()
        if mark == '"' and quote >= 0:
            closing[quote], quote = at, -1
        elif mark == '"' and (at == start or text[at - 1] in _OPENING):
            quote = at
        elif mark == "(" and quote < 0:
            opened.append(at)
        elif mark == ")" and quote < 0 and opened:
            closing[opened.pop()] = at
    return closing
