"""Lists as CSV, as long as they are: a spreadsheet can open them, and nothing in them runs."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

# Without it Excel takes the file for one in the code page of the computer, and José becomes JosÃ©.
BOM = "\ufeff"
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# Where the computer's lists are separated by semicolons, what follows one begins a cell.
_BEHIND_SEMICOLON = re.compile('(;["\\s]*)(?=[=+@＝＋－＠-])')
_ROWS_AT_ONCE = 200


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, lines as in RFC 4180, some at a time; None is an empty cell."""
    lines = chain([header], rows)
    mark = BOM
    while part := list(islice(lines, _ROWS_AT_ONCE)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_safe(cell) for cell in row] for row in part)
        yield (mark + text.getvalue()).encode()
        mark = ""


def _safe(cell: object) -> str:
    """A cell that would be a formula gets an apostrophe in front, which makes it text."""
    text = _BEHIND_SEMICOLON.sub(r"\1'", "" if cell is None else str(cell))
    return f"'{text}" if text.startswith(_FORMULA) else text
