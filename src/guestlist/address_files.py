"""Files with addresses in them: a table that a spreadsheet wrote, or text as people paste it.

A table is separated by tabs, semicolons or commas, with quoted cells. Its addresses stand in the columns that
its header names, or else in those that hold addresses; what stands in other columns is passed over. Whatever
is no table is text. Both become lines of the box, each with its row, so that box and file have one parser.
"""

import codecs
import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from guestlist import errors
from guestlist.addresses import MAX_TEXT, Address, InputTooLarge, Item, ParsedAddresses, parse_addresses

MAX_FILE = 4_000_000
_MARKS = "\t;,"
# Where a header may stand: titles and empty rows can come before it.
_FIRST_ROWS = 10
_MAIL = {"mail", "mails", "email", "emails", "emailaddress", "emailadresse", "mailadresse", "البريد"}
_ADDRESSES = {"address", "addresses", "adresse", "adressen"}
_BESIDE_MAIL = {
    *_MAIL,
    *_ADDRESSES,
    *("e", "1", "2", "3", "id", "value", "work", "primary", "personal", "home", "user", "الإلكتروني"),
}
_WORD = re.compile(r"[^\W_]+")
# With something before the "@": a name on a social network has nothing there.
_HOLDS_ADDRESS = re.compile(r"[^\s@<>\"(,;]@[^\s@]")
# How workbooks, documents, pictures and archives begin.
_BINARY = (
    *(b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf"),
    *(b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8"),
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BEGINNING = 4_096


class Line(NamedTuple):
    """A line of the box and its row, counted from 1 as a spreadsheet does; what was typed has none."""

    row: int | None
    text: str


@dataclass(frozen=True, slots=True)
class AddressList:
    """What lines held, and the row of each item."""

    parsed: ParsedAddresses
    rows: tuple[int | None, ...]


def read_file(content: bytes) -> list[Line]:
    """The lines of a file in which addresses are looked for.

    Raises FileTooLarge, FileNotText (with what to do instead), FileEmpty.
    """
    if len(content) > MAX_FILE:
        raise errors.FileTooLarge
    # Excel writes which mark it separates by into a row of its own.
    text = re.sub(r"\Asep=.(?=\n|\Z)", "", _decoded(content).replace("\r\n", "\n").replace("\r", "\n"))
    lines = _table(text) or [Line(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise errors.FileEmpty
    return lines


def parse_lines(lines: Sequence[Line]) -> AddressList:
    """What the box would say of the lines, however many they are. Raises InputTooLarge for a line that is
    longer than the box may be.
    """
    parts = [(part, parse_addresses("\n".join(line.text for line in part))) for part in _parts(lines)]
    rows = [row for part, parsed in parts for row in _rows_of(part, parsed.items)]
    first: dict[str, Address] = {}
    items = tuple(_counted(item, first) for _, parsed in parts for item in parsed.items)
    ignored = tuple(text for _, parsed in parts for text in parsed.ignored)
    warnings = dict.fromkeys(warning for _, parsed in parts for warning in parsed.warnings)
    return AddressList(ParsedAddresses(items, ignored, tuple(warnings)), tuple(rows))


def text_of(lines: Sequence[Line]) -> str:
    """What goes into the box. Raises InputTooLarge."""
    if sum(len(line.text) + 1 for line in lines) > MAX_TEXT:
        raise InputTooLarge
    return "\n".join(line.text for line in lines)


# Bytes -----------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """UTF-8, or UTF-16 where the file says so. A byte that fits neither spoils its own cell only; guessing at
    another encoding could make another domain of one with an accent.
    """
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if utf_16 else "utf-8-sig", errors="replace")
    beginning = text[:_BEGINNING]
    if content.startswith(_BINARY) or len(_UNPRINTABLE.findall(beginning)) > 4 + len(beginning) // 20:
        raise errors.FileNotText
    return text


# Tables ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows that are not empty, with their numbers. `columns` are those whose addresses are meant, `others`
    hold addresses too. `width` is how many cells a row has that fits.
    """

    rows: list[tuple[int, list[str]]]
    columns: list[int]
    others: set[int]
    width: int
    has_header: bool

    @classmethod
    def of(cls, text: str, mark: str) -> "_Table | None":
        """The table that `mark` makes of the text; None if it makes none."""
        try:
            read = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
        except csv.Error:
            return None
        rows = [(number, row) for number, row in enumerate(read, 1) if any(cell.strip() for cell in row)]
        holding = {i for _, row in rows for i in _holding(row)}
        for at, (_, row) in enumerate(rows[:_FIRST_ROWS]):
            if any("@" in cell for cell in row):
                break
            if columns := _named(row, holding):
                below, width = rows[at + 1 :], len(row)
                others = {i for _, row in below if len(row) == width for i in _holding(row)}
                return cls(below, columns, others.difference(columns), width, has_header=True)
        if len({len(row) for _, row in rows}) != 1 and len({_last(row) for _, row in rows}) != 1:
            return None
        first = rows[0][1]
        width = max(len(row) for _, row in rows)
        titled = (
            width > 1
            and "@" not in "".join(first)
            and any("".join(first[i : i + 1]).strip() for i in holding)
        )
        return cls(rows[1:] if titled else rows, sorted(holding), set(), width, has_header=titled)

    def lines(self) -> Iterator[Line]:
        """What stands in the columns. Of a row that does not fit the whole counts, and of one with nothing
        there what says which it is; but never what may be somebody else's address.
        """
        for number, row in self.rows:
            cells = [row[i] for i in self.columns if i < len(row) and row[i].strip()]
            cells = [cell for cell in cells if "@" in cell] or cells[:1]
            if not cells or len(row) > self.width:
                kept = (cell.strip() for cell in row if not (self.others and "@" in cell))
                cells = [", ".join(filter(None, kept)) or "–"]
            for cell in cells:
                yield from (Line(number, line) for line in cell.split("\n") if line.strip())


def _table(text: str) -> list[Line] | None:
    """The lines of the table that a text is. One with a header goes first; a single column is no table while
    it can be one of more.
    """
    tables = [table for mark in _MARKS if (table := _Table.of(text, mark))]
    wide = [table for table in tables if table.width > 1 and (table.has_header or len(table.rows) > 1)]
    narrow = [table for table in tables if table.width == 1]
    chosen = max(wide or narrow, key=lambda table: table.has_header, default=None)
    return list(chosen.lines()) if chosen else None


def _holding(row: list[str]) -> Iterator[int]:
    return (i for i, cell in enumerate(row) if "@" in cell and _HOLDS_ADDRESS.search(cell))


def _last(row: list[str]) -> int:
    """Which cell is the last that is not empty: some lines end with a mark, some do not."""
    return max(i for i, cell in enumerate(row) if cell.strip())


def _named(header: list[str], holding: set[int]) -> list[int]:
    """The columns whose names say that they hold addresses."""
    names = [set(_WORD.findall(cell.lower())) for cell in header]
    mail = [i for i, words in enumerate(names) if words & _MAIL and words <= _BESIDE_MAIL]
    return mail or [i for i, words in enumerate(names) if words and words <= _ADDRESSES and i in holding]


# Lines -----------------------------------------------------------------------------------------------


def _parts(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """The lines, as many at once as the box takes."""
    begin = size = 0
    for at, line in enumerate(lines):
        size += len(line.text) + 1
        if size > MAX_TEXT and at > begin:
            yield lines[begin:at]
            begin, size = at, len(line.text) + 1
    yield lines[begin:]


def _rows_of(lines: Sequence[Line], items: Sequence[Item]) -> Iterator[int | None]:
    starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))
    return (lines[bisect_right(starts, item.start) - 1].row for item in items)


def _counted(item: Item, first: dict[str, Address]) -> Item:
    """An address that an earlier part has as well is a duplicate."""
    if item.address is None:
        return item
    known = first.setdefault(item.address.key, item.address)
    again = known is not item.address or item.kind == "duplicate"
    return replace(item, kind="duplicate", address=known) if again else item
