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
from dataclasses import dataclass, field, replace
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
# An HTML entity within a word must not split it: the second half of o&#39;brien@ is another mailbox.
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]++ | </?(?:{_TAGS})[ \t]*+/?>)
    | (?P<comma>,) | (?P<semicolon>;)
    | (?P<angle><[ \t]*+mailto:[^<>|,;]*+\|[^<>]*+> | <[^<>@,;]*+@[^<>,;]*+>)
    | (?P<word>[<(]?+(?:[^ \t,;<(&]++ | (?<=\w)&\#?\w{{1,8}};(?=\w) | &)*+)""",
    re.VERBOSE | re.IGNORECASE,
)
_GLUED = re.compile(r"[^ \t,;<\w@]*+[\w@][^ \t,;]*+")
_GLUED_TO_QUOTE = re.compile(r"[^ \t,;<\w@]*+[\w@][^ \t,;<]*+")
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


def _atoms(text: str, start: int, end: int) -> Iterator[_Atom]:
    """The tokens of a line, without space and simple HTML tags."""
    closing, after_address = _pairs(text, start, end), False
    while start < end:
        if text[start] == '"' and start in closing:
            atom = _quoted(text, start, closing[start], end)
        elif after_address and _is_comment(text, start, end, closing):
            atom = _Atom("comment", start, closing[start] + 1)
        else:
            atom = _plain(text, start, end, closing)
        start = atom.end
        if atom.kind != "space":
            after_address = atom.kind == "comment" or "@" in text[atom.start : atom.end]
            yield atom


def _plain(text: str, start: int, end: int, closing: dict[int, int]) -> _Atom:
    match = _TOKEN.match(text, start, end)
    kind, stop = (match.lastgroup or "word", match.end()) if match else ("word", start + 1)
    if kind == "word":
        return _Atom(kind, start, _end_of_word(text, start, stop, end, closing))
    if kind == "angle" and not _is_comment(text, stop, end, closing):
        glued = _GLUED.match(text, stop, end)
        return _Atom("glued", start, glued.end()) if glued else _Atom(kind, start, stop)
    return _Atom(kind, start, stop)


def _end_of_word(text: str, start: int, stop: int, end: int, closing: dict[int, int]) -> int:
    """A parenthesis belongs to the word it touches, unless it is the comment after an address."""
    has_at = "@" in text[start:stop]
    while stop < end and text[stop] == "(":
        if has_at and text[stop - 1] != "@" and _is_comment(text, stop, end, closing):
            break
        match = _TOKEN.match(text, stop, end)
        start, stop = stop, match.end() if match else end
        has_at = has_at or "@" in text[start:stop]
    return stop


def _is_comment(text: str, start: int, end: int, closing: dict[int, int]) -> bool:
    after = closing.get(start, end) + 1
    return start < end and text[start] == "(" and (after == end or after < end and text[after] in _ENDING)


def _quoted(text: str, start: int, closed: int, end: int) -> _Atom:
    """Quoted text is (part of) a name, or a local part; otherwise only the marks are passed over."""
    has_address = text.find("@", start, closed) >= 0
    glued = _GLUED_TO_QUOTE.match(text, closed + 1, end)
    if glued:
        kind = "word" if "@" in glued[0] else "glued" if has_address else "quoted"
        return _Atom(kind, start, glued.end())
    if has_address and not _BEFORE_ANGLE.match(text, closed + 1, end):
        return _Atom("space", start, start + 1)
    return _Atom("quoted", start, closed + 1)


# Lines -----------------------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n]+")
_LABEL = re.compile(r"[ \t]*+(?:to|b?cc|from|sender|reply-to|e-?mail)[ \t]*+:", re.IGNORECASE)
_NOTHING = re.compile(rf"(?:[ \t,;]|</?(?:{_TAGS})[ \t]*+/?>)*+", re.IGNORECASE)
_CELLS = {d: re.compile(rf'(?:"[^"]*+"|[^{d}])*+') for d in "\t;,"}
_HEADER_WORD = re.compile(r"[^\W_]+")
_MAIL = {"mail", "email", "emails"}
_MAIL_HEADER = _MAIL | set(
    "e address addresses adresse work primary personal business home user 1 2 3 value".split()
)


class _Columns(NamedTuple):
    """Where a header says the addresses are."""

    delimiter: str
    width: int
    emails: list[int]


def _cells(text: str, start: int, end: int, delimiter: str) -> list[tuple[int, int]]:
    cells = []
    while start <= end:
        match = _CELLS[delimiter].match(text, start, end)
        stop = match.end() if match else end
        cells.append((start, stop))
        start = stop + 1
    return cells


def _header(text: str, start: int, end: int) -> _Columns | None:
    """The columns, if this line is the header of a table that has a column for addresses."""
    line = text[start:end]
    if "@" in line or "mail" not in line.lower():
        return None
    delimiter = next((d for d in _CELLS if d in line), ",")
    cells = _cells(text, start, end, delimiter)
    words = [set(_HEADER_WORD.findall(text[a:b].lower())) for a, b in cells]
    emails = [i for i, cell in enumerate(words) if cell & _MAIL and cell <= _MAIL_HEADER]
    return _Columns(delimiter, len(cells), emails) if emails else None


@dataclass(slots=True)
class _Candidate:
    """Text that is meant as an address: where it is, all of it and the address alone, and what it shows."""

    start: int
    end: int
    address: tuple[int, int]
    shown: list[tuple[int, int]] = field(default_factory=list)
    reason: str | None = None
    is_name: bool = False


class _Reader:
    """Reads lines of a source into `items` and `ignored`."""

    def __init__(self, source: _Source) -> None:
        self.source, self.text = source, source.syntax
        self.items: list[Item] = []
        self.ignored: list[str] = []
        self._held: _Candidate | None = None  # the address just read: a name, comment or <…> may follow
        self._words: list[_Atom] = []  # text since then
        self._before: list[_Atom] = []  # text of the part before this one

    def read_row(self, start: int, end: int, columns: _Columns) -> None:
        """A row of a table. One that does not fit the header is read as any line."""
        cells = _cells(self.text, start, end, columns.delimiter)
        if not max(columns.emails) < len(cells) <= columns.width:
            return self.read_line(start, end)
        emails = [cells[i] for i in columns.emails if self.text.find("@", *cells[i]) >= 0]
        if not emails:
            return self._refuse_text(start, end)
        for cell in emails:
            self.read_line(*cell)
        return None

    def read_line(self, start: int, end: int) -> None:
        label = _LABEL.match(self.text, start, end)
        start = label.end() if label else start
        if self.text.find("@", start, end) < 0 and self.text.find(";", start, end) < 0:
            return self._refuse_text(start, end)
        segment: list[_Atom] = []
        for atom in _atoms(self.text, start, end):
            if atom.kind == "semicolon":
                self._read_segment(segment, start, atom.start)
                segment, start = [], atom.end
            else:
                segment.append(atom)
        return self._read_segment(segment, start, end)

    def _read_segment(self, atoms: list[_Atom], start: int, end: int) -> None:
        if self.text.find("@", start, end) < 0:
            return self._refuse_text(start, end)
        for atom in atoms:
            self._read_atom(atom)
        self._end_part()
        return self._ignore(self._before)

    def _read_atom(self, atom: _Atom) -> None:
        if atom.kind == "comma":
            self._end_part()
        elif atom.kind == "comment":
            self._read_comment(atom)
        elif atom.kind == "angle":
            self._read_angle(atom)
        elif self.text.find("@", atom.start, atom.end) >= 0:
            self._read_address(atom)
        elif self._held and not self._words and self._goes_on(self._held.end, atom.start):
            self._held.end, self._held.reason = atom.end, "space_in_address"
        else:
            self._words.append(atom)

    def _goes_on(self, end: int, start: int) -> bool:
        """Whether only space keeps an "@" from the text on its other side."""
        before, after = self.text[end - 1], self.text[start]
        touching = before == "@" and after.isalnum() or before.isalnum() and after == "@"
        return touching and start > end and self.text[start - 1] in " \t"

    def _read_comment(self, atom: _Atom) -> None:
        if self._held and self.text.find("@", atom.start, atom.end) >= 0:
            self._held.shown.append((atom.start, atom.end))
            self._held.end = atom.end

    def _read_address(self, atom: _Atom) -> None:
        self._settle()
        found = _Candidate(atom.start, atom.end, (atom.start, atom.end), is_name=atom.kind == "quoted")
        if atom.kind == "glued":
            found.reason = "ambiguous_address"
        elif self._words and self._goes_on(self._words[-1].end, atom.start):
            found.start, found.reason = self._words.pop().start, "space_in_address"
        self._ignore(self._before)
        self._ignore(self._words)
        self._held = found

    def _read_angle(self, atom: _Atom) -> None:
        """<…> takes the words before it as its name, and an address right before it too."""
        inner = (atom.start + 1, atom.end - 1)
        found = _Candidate(atom.start, atom.end, inner)
        bar = self.text.find("|", *inner)
        if bar >= 0 and self.text[inner[0] : bar].lstrip().lower().startswith("mailto:"):
            found.address, found.shown = (inner[0], bar), [(bar + 1, inner[1])]
        held = self._held
        if held and (held.is_name or not any(self._has_letters(word) for word in self._words)):
            found.start, found.shown = held.start, [*held.shown, (held.start, held.end), *found.shown]
            self._held = None
        self._settle()
        if not self._words:
            self._ignore(self._before)
        self._before, self._words, self._held = [], [], found

    def _has_letters(self, word: _Atom) -> bool:
        return any(map(str.isalnum, self.text[word.start : word.end]))

    def _end_part(self) -> None:
        """At a comma. Words without an address wait: they may be the surname in `Doe, Jane <…>`."""
        found = self._held is not None
        self._settle()
        self._ignore(self._before)
        if found:
            self._ignore(self._words)
        self._before, self._words = self._words, []

    def _ignore(self, words: list[_Atom]) -> None:
        for word in words:
            text = self.source.token(word.start, word.end).strip(
                ' "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
            )
            if text:
                self.ignored.append(text)
        words.clear()

    def _settle(self) -> None:
        """Decide on the address that was held back."""
        held, self._held = self._held, None
        if not held:
            return
        start, end = _core(self.text, *held.address)
        checked = _check(self.text[start:end])
        if held.reason:
            self.add(held.start, held.end, held.reason)
        elif isinstance(checked, str):
            self.add(*((held.start, held.end) if held.shown else (start, end)), checked)
        elif any(_shows_another(self.text[a:b], checked) for a, b in held.shown):
            self.add(held.start, held.end, "display_name_mismatch")
        else:
            self.add(start, end, checked)

    def _refuse_text(self, start: int, end: int) -> None:
        if not _NOTHING.fullmatch(self.text, start, end):
            line = self.text[start:end]
            start, end = end - len(line.lstrip(" \t")), start + len(line.rstrip(" \t"))
            self.add(start, end, "missing_at")

    def add(self, start: int, end: int, checked: Address | str) -> None:
        token, position = self.source.token(start, end), self.source.position
        span = (position(start), position(end - 1) + 1) if end > start else (position(start),) * 2
        if isinstance(checked, str):
            item = Item("invalid", token, None, checked, (), *span)
        else:
            warnings = ("idn_domain",) if ".xn--" in f".{checked.domain}" else ()
            item = Item("address", token, checked, None, warnings, *span)
        self.items.append(item)


def _read_box(source: _Source) -> _Reader:
    reader, columns = _Reader(source), None
    for line in _LINE.finditer(source.syntax):
        header = _header(source.syntax, *line.span())
        if header:
            columns = header
            reader.ignored.append(source.token(*line.span()).strip())
        elif columns:
            reader.read_row(*line.span(), columns)
        else:
            reader.read_line(*line.span())
    return reader


def _read_element(source: _Source) -> _Reader:
    reader, size = _Reader(source), len(source.syntax)
    if "\n" not in source.syntax:
        reader.read_line(0, size)
        if len(reader.items) == 1:
            return reader
    whole = _Reader(source)
    whole.add(0, size, "multiple_addresses" if reader.items or "\n" in source.syntax else "missing_at")
    return whole


def _answer(readers: list[_Reader]) -> ParsedAddresses:
    first: dict[str, Address] = {}
    items = tuple(_counted(item, first) for reader in readers for item in reader.items)
    ignored = tuple(text for reader in readers for text in reader.ignored)
    removed = any(reader.source.removed for reader in readers)
    return ParsedAddresses(items, ignored, ("invisible_characters_removed",) if removed else ())


def _counted(item: Item, first: dict[str, Address]) -> Item:
    if item.address is None:
        return item
    known = first.setdefault(item.address.key, item.address)
    return item if known is item.address else replace(item, kind="duplicate", address=known)


# One address -----------------------------------------------------------------------------------------

# None of the leading ones may stand in a local part, none of the trailing ones in a domain.
_LEADING, _TRAILING = (
    ' \t(["\u2018\u201a\u00bf\u00a1\u2022\u2023\u25e6\u25aa\u25cf',
    " \t.,:;!?>\"'`*}\u2019\u2026\u3002\uff0e\uff01\uff1f",
)
# These may, so they go only when the other end has its counterpart.
_AROUND = {"'": "'", "`": "`", "*": "*", "{": "}"}
_UNSUPPORTED = re.compile(r"[^A-Za-z0-9._+'&~#$()-]")
_HOST_LABEL = re.compile(r"[a-z0-9-]{1,63}")


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the address is within a word: without quotation marks, brackets, full stop and `mailto:`."""
    word = text[start:end]
    body = word.lstrip(_LEADING if ">" in word else _LEADING + "<")
    core = body.rstrip(_TRAILING + ("" if "(" in body else ")") + ("" if "[" in body else "]"))
    if ".." in body[len(core) :]:
        core = body
    start = end - len(body)
    if core[:1] in _AROUND and _AROUND[core[0]] in body[len(core) :]:
        inner = core.lstrip(core[0])
        start, core = start + len(core) - len(inner), inner
    if core[:7].lower() == "mailto:":
        start, core = start + 7, core[7:]
    return start, start + len(core)


def _shows_another(text: str, address: Address) -> bool:
    """Whether a name or comment shows an address, and not this one."""
    words = re.split(r"""[\s,;"()<>\[\]]+""", text)
    return any(
        comparison_key(word[slice(*_core(word, 0, len(word)))]) != address.key
        for word in words
        if "@" in word
    )


def _check(text: str) -> Address | str:
    """The address that `text` is exactly, or the reason why it is none."""
    local, at, domain = text.rpartition("@")
    if _CONTROL.search(text):
        return "control_character"
    if '"' in local:
        return "quoted_local_part"
    if "=?" in text:
        return "encoded_word"
    if not at:
        return "missing_at"
    if "@" in local:
        return "multiple_at"
    if " " in text or "\t" in text:
        return "space_in_address"
    return _local_fault(local) or _with_domain(local, domain)


def _local_fault(local: str) -> str | None:
    if not local:
        return "missing_local_part"
    if not local.isascii():
        return "non_ascii_local_part"
    if _UNSUPPORTED.search(local):
        return "unsupported_character"
    if "(" in local or ")" in local:
        return "comment_in_address"
    if local[0] in "-'." or local[-1] == "." or ".." in local:
        return "invalid_local_part"
    return "local_part_too_long" if len(local) > MAX_LOCAL else None


def _with_domain(local: str, domain: str) -> Address | str:
    if not domain:
        return "missing_domain"
    if domain[0] == "[":
        return "domain_literal"
    if "(" in domain or ")" in domain:
        return "comment_in_address"
    if len(local) + 1 + len(domain) > MAX_ADDRESS:
        return "address_too_long"
    host = _host(domain)
    if host is None:
        return "invalid_domain"
    if "." not in host:
        return "domain_no_dot"
    if host.rpartition(".")[2].isdigit():
        return "domain_is_ip" if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host) else "invalid_domain"
    email = f"{local}@{host}"
    return Address(f"{local.lower()}@{host}", email) if len(email) <= MAX_ADDRESS else "address_too_long"


@lru_cache(maxsize=4096)
def _host(domain: str) -> str | None:
    """The host name in lower-case A-labels, without a trailing dot; None if IDNA2008 refuses it."""
    plain = domain.lower().removesuffix(".")
    if plain.isascii() and "--" not in plain:
        labels = plain.split(".")
        return plain if all(_HOST_LABEL.fullmatch(x) and x[0] != "-" != x[-1] for x in labels) else None
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode().removesuffix(".")
    except UnicodeError:
        return None


_MISSPELT = {
    wrong: right
    for right, wrongs in {
        "gmail.com": "gmial.com gmai.com gmal.com gmil.com gmaill.com gamil.com gnail.com gmail.co gmail.con gmail.cm",
        "hotmail.com": "hotmial.com hotmal.com hotmai.com hotmil.com hotnail.com hotmail.co hotmail.con",
        "outlook.com": "outlok.com outloo.com outlock.com oulook.com outlook.co outlook.con",
        "yahoo.com": "yaho.com yahooo.com yhaoo.com yhoo.com yahoo.co yahoo.con",
        "icloud.com": "iclod.com icoud.com iclould.com icloud.co icloud.con",
    }.items()
    for wrong in wrongs.split()
}
