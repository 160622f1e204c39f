"""E-mail addresses as people paste them: which are good, which are not and why, what was passed over.

    text     = line *( line break line )       a row under a CSV or TSV header is its e-mail cells
    line     = [ "To:" ] segment *( ";" segment )
    segment  = part *( "," part )              without any "@" it is refused as a whole
    part     = *( word / quoted / address )
    address  = ( word with "@" / [ name ] "<" text with "@" ">" ) [ "(" comment ")" ]
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
    reader = _Reader(text)
    reader.read_box()
    return _answer([reader])


def parse_items(values: Iterable[str]) -> ParsedAddresses:
    """The elements of an API array: one item each, in order.

    An element follows the rules of the box, and is refused as `multiple_addresses` where it holds a line
    break or more than one address. `start` and `end` count within the element.
    """
    return _answer([_read_element(value) for value in values])


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

_MAILTO = re.compile(r"""(?<![^\s<>(\["',;|])(mailto:[^\s<>|?"]*+)(\?[^\s<>|"]*+)?""", re.IGNORECASE)
_MARKDOWN = re.compile(r'\[([^\[\]"\n]*+)\]\((mailto:[^()<>\s]*+)\)', re.IGNORECASE)
_SLACK = re.compile(r"<mailto:([^<>|\s]*+)\|([^<>\n]*+)>", re.IGNORECASE)


def _syntax(visible: str) -> str:
    """`visible` in one spelling, and as long. Links become mail syntax: [name](mailto:…) is "name"<…>,
    <mailto:…|name> is …(name), and a query is blanked, since it may add recipients.
    """
    text = visible.translate(_TO_SYNTAX)
    if "mailto:" not in text.lower():
        return text
    text = _SLACK.sub(r"        \1(\2)", _MARKDOWN.sub(r'"\1"<\2>', text))
    return _MAILTO.sub(lambda link: link[1] + " " * len(link[2] or ""), text)


class _Source:
    """A text without its invisible characters: as typed (`visible`) and as read (`syntax`)."""

    def __init__(self, text: str) -> None:
        self.removed = [m.start() - i for i, m in enumerate(_INVISIBLE.finditer(text))]
        self.visible = _INVISIBLE.sub("", text) if self.removed else text
        self.syntax = _syntax(self.visible)

    def token(self, start: int, end: int) -> str:
        return self.visible[start : min(end, start + MAX_TOKEN)]

    def position(self, index: int) -> int:
        """Where a character of `visible` is in the original text."""
        return index + bisect_right(self.removed, index)


# Tokens ----------------------------------------------------------------------------------------------

_TAG = (
    r"</?(?:a|b|br|body|code|div|em|font|h[1-6]|hr|html|i|li|ol|p|pre|script|small|span|strong|style"
    r"|table|tbody|td|th|thead|tr|u|ul)[ \t]*+/?>"
)
# An HTML entity must not split the word it is in: the second half of o&#39;brien@ is another mailbox.
# (?>(…)*) is what (…)*+ means, which Python 3.11.2, that of Debian 12, gets wrong where … holds a choice.
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]++|{_TAG}) | (?P<comma>,) | (?P<semicolon>;) | (?P<angle><[^<>@,;]*+@[^<>,;]*+>)
    | (?P<word>[<(]?+(?>(?:[^ \t,;<(&]++ | (?<=\w)&\#?\w{{1,8}};(?=\w) | &)*))""",
    re.VERBOSE | re.IGNORECASE,
)
_GLUED = re.compile(r"[^ \t,;<\w@]*+[\w@][^ \t,;<]*+")
_BEFORE_ANGLE = re.compile(r'[^,;<>"@]*+<[^<>@,;]*+@')
_PAIR = re.compile(r'\\.|["()]')
_MAY_PRECEDE_QUOTE, _MAY_FOLLOW_COMMENT = " \t,;<([:>", " \t,;<>.!?:)]\"'"


class _Atom(NamedTuple):
    """`kind` is a group of _TOKEN, or quoted, comment, or glued (to a <…>)."""

    kind: str
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _pairs(line: str) -> dict[int, int]:
    """Where a quotation mark or parenthesis opens → where it closes; never beyond the line."""
    closing: dict[int, int] = {}
    parentheses, quote = [], -1
    for match in _PAIR.finditer(line):
        mark, at = match[0], match.start()
        if mark == '"' and quote >= 0:
            closing[quote], quote = at, -1
        elif mark == '"' and (at == 0 or line[at - 1] in _MAY_PRECEDE_QUOTE):
            quote = at
        elif mark == "(" and quote < 0:
            parentheses.append(at)
        elif mark == ")" and quote < 0 and parentheses:
            closing[parentheses.pop()] = at
    return closing


class _Scanner:
    """Cuts a line into atoms. `base` is where in the source the line starts."""

    def __init__(self, line: str, base: int) -> None:
        self.line, self.base, self.closing = line, base, _pairs(line)

    def atoms(self) -> Iterator[_Atom]:
        """Space and simple HTML tags are left out."""
        at, after_address = 0, False
        while at < len(self.line):
            kind, end = self._next(at, after_address)
            if kind != "space":
                text = self.line[at:end]
                after_address = kind == "comment" or "@" in text
                yield _Atom(kind, self.base + at, text)
            at = end

    def _next(self, at: int, after_address: bool) -> tuple[str, int]:
        if self.line[at] == '"' and at in self.closing:
            return self._quoted(at, self.closing[at])
        if after_address and self._is_comment(at):
            return "comment", self.closing[at] + 1
        match = _TOKEN.match(self.line, at)
        assert match  # some group takes any character
        kind, end = match.lastgroup or "", match.end()
        if kind == "word":
            return kind, self._end_of_word(at, end)
        if kind == "angle" and not self._is_comment(end):
            glued = _GLUED.match(self.line, end)
            return ("glued", glued.end()) if glued else (kind, end)
        return kind, end

    def _quoted(self, at: int, closed: int) -> tuple[str, int]:
        """Quoted text is a name or a local part. Around addresses, only the marks are passed over."""
        has_address = self.line.find("@", at, closed) >= 0
        glued = _GLUED.match(self.line, closed + 1)
        if glued:
            return "word" if "@" in glued[0] else "glued" if has_address else "quoted", glued.end()
        if has_address and not _BEFORE_ANGLE.match(self.line, closed + 1):
            return "space", at + 1
        return "quoted", closed + 1

    def _end_of_word(self, at: int, end: int) -> int:
        """A parenthesis belongs to the word it touches, unless it is the comment after an address."""
        has_at = "@" in self.line[at:end]
        while self.line.startswith("(", end):
            if has_at and self.line[end - 1] != "@" and self._is_comment(end):
                break
            match = _TOKEN.match(self.line, end)
            assert match
            has_at, end = has_at or "@" in match[0], match.end()
        return end

    def _is_comment(self, at: int) -> bool:
        closed = self.closing.get(at)
        if closed is None or self.line[at] != "(":
            return False
        return closed + 1 == len(self.line) or self.line[closed + 1] in _MAY_FOLLOW_COMMENT


# Tables ----------------------------------------------------------------------------------------------

_CELLS = {mark: re.compile(rf'(?:^|(?<={mark}))(?>(?:"[^"]*+"|[^{mark}])*)') for mark in "\t;,"}
_MAIL = {"mail", "email", "emails"}
_MAIL_HEADER = _MAIL | {"e", "address", "addresses", "work", "primary", "personal", "home", "user", "1", "2"}


class _Columns(NamedTuple):
    """Where the header of a table says the addresses are."""

    mark: str
    width: int
    emails: list[int]

    @classmethod
    def of(cls, line: str) -> "_Columns | None":
        if "@" in line or "mail" not in line.lower():
            return None
        mark = next((mark for mark in _CELLS if mark in line), ",")
        cells = [set(re.findall(r"[^\W_]+", cell[0].lower())) for cell in _CELLS[mark].finditer(line)]
        emails = [i for i, words in enumerate(cells) if words & _MAIL and words <= _MAIL_HEADER]
        return cls(mark, len(cells), emails) if emails else None

    def cells(self, line: str) -> list[re.Match[str]] | None:
        """The e-mail cells of a row; None if it does not fit the header."""
        cells = list(_CELLS[self.mark].finditer(line))
        fits = max(self.emails) < len(cells) <= self.width
        return [cells[i] for i in self.emails if "@" in cells[i][0]] if fits else None


# Lines -----------------------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n]+")
_LABEL = re.compile(r"[ \t]*+(?:to|b?cc|from|sender|reply-to|e-?mail)[ \t]*+:", re.IGNORECASE)
_NOTHING = re.compile(rf"(?>(?:[ \t,;]|{_TAG})*)", re.IGNORECASE)
_QUOTES = ' "' + _SYNTAX['"']


@dataclass(slots=True)
class _Candidate:
    """What is meant as an address: `text` at `at`, within a span that also has its name and comment.
    `shown` are those that hold an "@" themselves.
    """

    start: int
    end: int
    at: int
    text: str
    kind: str
    shown: list[str] = field(default_factory=list)
    reason: str | None = None


class _Reader:
    """Reads a text into `items` and `ignored`."""

    def __init__(self, text: str) -> None:
        self.source = _Source(text)
        self.items: list[Item] = []
        self.ignored: list[str] = []
        self._held: _Candidate | None = None  # the address just read: a comment or <…> may follow
        self._words: list[_Atom] = []  # text since then
        self._before: list[_Atom] = []  # text of the part before this one

    def read_box(self) -> None:
        columns = None
        for match in _LINE.finditer(self.source.syntax):
            start, line = match.start(), match[0]
            header = _Columns.of(line)
            if header:
                columns = header
                self.ignored.append(self.source.token(start, match.end()).strip())
            else:
                self._read_row(start, line, columns.cells(line) if columns else None)

    def _read_row(self, start: int, line: str, cells: list[re.Match[str]] | None) -> None:
        if cells is None:
            self.read_line(start, line)
        elif not cells:
            self._refuse_text(start, line)
        else:
            for cell in cells:
                self.read_line(start + cell.start(), cell[0])

    def read_line(self, start: int, line: str) -> None:
        label = _LABEL.match(line)
        skipped = label.end() if label else 0
        start, line = start + skipped, line[skipped:]
        if "@" in line or ";" in line:
            self._read_segments(start, line)
        else:
            self._refuse_text(start, line)

    def _read_segments(self, start: int, line: str) -> None:
        segment, begin = list[_Atom](), 0
        for atom in _Scanner(line, start).atoms():
            if atom.kind == "semicolon":
                self._read_segment(start + begin, line[begin : atom.start - start], segment)
                segment, begin = [], atom.end - start
            else:
                segment.append(atom)
        self._read_segment(start + begin, line[begin:], segment)

    def _read_segment(self, start: int, text: str, atoms: list[_Atom]) -> None:
        if "@" not in text:
            self._refuse_text(start, text)
            return
        for atom in atoms:
            self._read_atom(atom)
        self._end_part()
        self._ignore(self._before)

    def _read_atom(self, atom: _Atom) -> None:
        if atom.kind == "comma":
            self._end_part()
        elif atom.kind == "comment":
            self._read_comment(atom)
        elif atom.kind == "angle":
            self._read_angle(atom)
        elif "@" in atom.text:
            self._read_address(atom)
        elif self._held and not self._words and self._goes_on(self._held.end, atom):
            self._held.end, self._held.reason = atom.end, "space_in_address"
        else:
            self._words.append(atom)

    def _goes_on(self, end: int, atom: _Atom) -> bool:
        """Whether an "@" and the text beside it are parted by space alone."""
        joint = self.source.syntax[end - 1] + atom.text[0]
        return "@" in joint and any(c.isalnum() or c == '"' for c in joint)

    def _read_comment(self, atom: _Atom) -> None:
        if self._held and "@" in atom.text:
            self._held.shown.append(atom.text)
            self._held.end = atom.end

    def _read_address(self, atom: _Atom) -> None:
        self._settle()
        self._held = _Candidate(atom.start, atom.end, atom.start, atom.text, atom.kind)
        if atom.kind == "glued":
            self._held.reason = "ambiguous_address"
        elif self._words and self._goes_on(self._words[-1].end, atom):
            self._held.start, self._held.reason = self._words.pop().start, "space_in_address"
        self._ignore(self._before)
        self._ignore(self._words)

    def _read_angle(self, atom: _Atom) -> None:
        """The words before <…> are its name. So is an address before it, if no words are in between."""
        found = _Candidate(atom.start, atom.end, atom.start + 1, atom.text[1:-1], atom.kind)
        held = self._held
        if held and self._is_name(held):
            found.start, found.shown = held.start, [self.source.syntax[held.start : held.end]]
        else:
            self._settle()
        if not self._words:
            self._ignore(self._before)
        self._before, self._words, self._held = [], [], found

    def _is_name(self, held: _Candidate) -> bool:
        if held.kind in ("quoted", "angle"):
            return held.kind == "quoted"
        return not any(c.isalnum() for word in self._words for c in word.text)

    def _end_part(self) -> None:
        """At a comma. Words without an address wait: they may be the surname in `Doe, Jane <…>`."""
        has_address = self._held is not None
        self._settle()
        self._ignore(self._before)
        if has_address:
            self._ignore(self._words)
        self._before, self._words = self._words, []

    def _ignore(self, words: list[_Atom]) -> None:
        for word in words:
            text = self.source.token(word.start, word.end).strip(_QUOTES)
            if text:
                self.ignored.append(text)
        words.clear()

    def _settle(self) -> None:
        """Decide about the address that was held back."""
        held, self._held = self._held, None
        if held is None:
            return
        skipped, core = _core(held.text)
        start, end = held.at + skipped, held.at + skipped + len(core)
        checked = held.reason or _check(core)
        if isinstance(checked, Address) and any(_shows_another(text, checked) for text in held.shown):
            checked = "display_name_mismatch"
        if isinstance(checked, str) and (held.reason or held.shown):
            start, end = held.start, held.end
        self.add(start, end, checked)

    def _refuse_text(self, start: int, text: str) -> None:
        if not _NOTHING.fullmatch(text):
            stripped = text.strip(" \t")
            start += text.index(stripped)
            self.add(start, start + len(stripped), "missing_at")

    def add(self, start: int, end: int, checked: Address | str) -> None:
        token, position = self.source.token(start, end), self.source.position
        span = (position(start), position(end))
        if isinstance(checked, str):
            self.items.append(Item("invalid", token, None, checked, (), *span))
        else:
            warnings = ("idn_domain",) if ".xn--" in f".{checked.domain}" else ()
            self.items.append(Item("address", token, checked, None, warnings, *span))


def _read_element(text: str) -> _Reader:
    reader, whole = _Reader(text), _Reader(text)
    syntax = reader.source.syntax
    if "\n" not in syntax:
        reader.read_line(0, syntax)
        if len(reader.items) == 1:
            return reader
    several = reader.items or "\n" in syntax
    whole.add(0, len(syntax), "multiple_addresses" if several else "missing_at")
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

# Of these the first may not stand in a local part, nor the second in a domain.
_LEADING = ' \t([<"\u2018\u201a\u00bf\u00a1\u2022\u2023\u25e6\u25aa\u25cf'
_TRAILING = " \t.,:;!?>\"'`*}\u2019\u2026\u3002\uff0e\uff01\uff1f"
# These may, so they go only when the other end has its counterpart.
_AROUND = {"'": "'", "`": "`", "*": "*", "{": "}"}
_UNSUPPORTED = re.compile(r"[^A-Za-z0-9._+'&~#$()-]")
_HOST_LABEL = re.compile(r"[a-z0-9-]{1,63}")


def _core(word: str) -> tuple[int, str]:
    """A word without quotation marks, brackets, full stop and `mailto:` around it, and where that starts."""
    body = word.lstrip(_LEADING)
    if body != word and any(mark in body.rpartition("@")[0] for mark in '>)]"'):
        body = word  # what opens there closes before the "@"
    core = body.rstrip(_TRAILING + ("" if "(" in body else ")") + ("" if "[" in body else "]"))
    tail = body[len(core) :]
    if ".." in tail:  # not the full stop of a sentence
        core = body
    if core[:1] in _AROUND and _AROUND[core[0]] in tail:
        core = core.lstrip(core[0])
    if core[:7].lower() == "mailto:":
        core = core[7:]
    return word.index(core), core


def _shows_another(text: str, address: Address) -> bool:
    """Whether a name or comment shows an address, and not this one."""
    words = (word for word in re.split(r"""[\s,;"()<>\[\]]+""", text) if "@" in word)
    return any(comparison_key(_core(word)[1]) != address.key for word in words)


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
        "gmail.com": "gmial.com gmai.com gmal.com gmil.com gmaill.com gamil.com gnail.com gmail.co gmail.con",
        "hotmail.com": "hotmial.com hotmal.com hotmai.com hotmil.com hotnail.com hotmail.co hotmail.con",
        "outlook.com": "outlok.com outloo.com outlock.com oulook.com outlook.co outlook.con",
        "yahoo.com": "yaho.com yahooo.com yhaoo.com yhoo.com yahoo.co yahoo.con",
        "icloud.com": "iclod.com icoud.com iclould.com icloud.co icloud.con",
    }.items()
    for wrong in wrongs.split()
}
