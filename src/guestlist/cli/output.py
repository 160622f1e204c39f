"""What commands print: a table or a sentence for people, what REST would answer for programs."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, models

from guestlist import addresses, errors
from guestlist.actions import slugs
from guestlist.actors import Actor
from guestlist.cli import completion
from guestlist.conf import conf
from guestlist.models import Organization
from guestlist.models.listing import COUNT_LIMIT, Columns, Listing

Json = Annotated[bool, typer.Option("--json", help="Print what the REST API would answer.")]
Slug = Annotated[
    str,
    typer.Argument(
        metavar="ORG", help="The organization's short name.", autocompletion=completion.organizations
    ),
]
Piece = TypeVar("Piece")
OPERATOR = Actor.operator()
_PAGE = 500
# As REST has it.
_LONGEST_Q = 320
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class NoSuchOrganization(errors.NotFound):
    """There is no organization “{slug}”. List them with: guestlist organizations list"""


class NoSuchMember(errors.NotFound):
    """{organization} has no member with the verified address or id “{email}”."""


class SearchInvalid(errors.InvalidInput):
    """Search for at most {longest} characters, none of which is NUL or undecodable."""

    field = "q"


class NoSuchAccount(errors.NotFound):
    """No account has the verified address “{email}”."""


class DatabaseUnavailable(errors.GuestlistError):
    """The database can’t be used now; try again later."""

    code, status = "database_unavailable", 503


def group(summary: str) -> typer.Typer:
    """The commands of one noun, with help as plain text."""
    return typer.Typer(
        help=summary, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def example(*lines: str) -> str:
    """The end of a command's help; `\\b` keeps its lines apart."""
    return "\n".join(("\b", "Example:", *(f"  guestlist {line}" for line in lines)))


def find_organization(slug: str) -> Organization:
    """The organization that has this short name, or had it. Raises NoSuchOrganization."""
    found = slugs.find_organization(slug)
    if found is None:
        raise NoSuchOrganization(slug=slug)
    return found


def find_account(email: str) -> Any:
    """The user who owns the address. Raises NoSuchAccount."""
    key = addresses.comparison_key(email) or ""
    owner = conf().addresses.owners([key]).get(key)
    if owner is None:
        raise NoSuchAccount(email=email)
    return get_user_model()._default_manager.get(pk=owner)


@contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """A refusal ends the command with status 1: one line on standard error, or the problem as JSON."""
    try:
        yield
    except (errors.GuestlistError, addresses.InputTooLarge, OperationalError, InterfaceError) as error:
        refusal = _refusal(error)
        if as_json:
            # REST says no more than "not found"; people get the name of what is missing.
            print_json((errors.NotFound() if isinstance(refusal, errors.NotFound) else refusal).as_problem())
        else:
            typer.echo(f"Error: {shown(str(refusal))}", err=True)
        raise typer.Exit(1) from error


def _refusal(error: Exception) -> errors.GuestlistError:
    if isinstance(error, errors.GuestlistError):
        return error
    return errors.InputTooLarge() if isinstance(error, addresses.InputTooLarge) else DatabaseUnavailable()


def progress(
    pieces: Iterable[Piece], *, label: str, length: int | None = None, shown: bool = True
) -> Iterator[Piece]:
    """The pieces of long work, with a bar on standard error while they are taken: only on a terminal, only
    where it is to be shown, and not for a single piece. `length` is how many there are.
    """
    number = len(pieces) if isinstance(pieces, Sequence) else length
    if not shown or number == 1 or not sys.stderr.isatty():
        yield from pieces
        return
    steps = max(1, (number or 0) // 200)
    with typer.progressbar(
        pieces, label=label, length=number, file=sys.stderr, update_min_steps=steps
    ) as bar:
        yield from bar


def is_piped() -> bool:
    """Whether what is printed goes elsewhere, so that a bar does not run through it."""
    return not sys.stdout.isatty()


def print_json(data: Any) -> None:
    """ASCII only: whatever was typed, no control character reaches the terminal."""
    typer.echo(json.dumps(data, indent=2))


def say(sentence: str) -> None:
    """One line for people."""
    typer.echo(shown(sentence))


def shown(text: str) -> str:
    """`text` with everything that would steer a terminal, or not be seen, written as an escape."""
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSHOWN else c for c in text)


def searched(text: str) -> str:
    """`text` if lists can be searched for it. Raises SearchInvalid."""
    if len(text) > _LONGEST_Q or "\0" in text or any(map(_is_surrogate, text)):
        raise SearchInvalid(longest=_LONGEST_Q)
    return text


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns, two blanks apart."""
    table = [list(headings), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(_width(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _resource(row: Any) -> dict[str, Any]:
    resource: dict[str, Any] = row.as_resource()
    return resource


def read_all(
    rows: "models.QuerySet[Any]",
    columns: Columns,
    sort: str,
    show: Callable[[Any], dict[str, Any]] = _resource,
) -> list[dict[str, Any]]:
    """The resources of a whole list, read a page at a time. Raises InvalidFilter."""
    listing, cursor, found = Listing.of(rows, columns, sort), None, []
    while True:
        page = listing.after(cursor, _PAGE)
        found += [show(row) for row in page.items]
        if not (cursor := page.next_cursor):
            return found


def print_json_list(resources: Sequence[dict[str, Any]]) -> None:
    """A list as REST answers it, in one page."""
    total = len(resources) if len(resources) <= COUNT_LIMIT else None
    print_json({"items": resources, "next_cursor": None, "total": total})


def day(timestamp: str | None) -> str:
    """The date of a time, or a dash."""
    return timestamp[:10] if timestamp else "–"


def _is_surrogate(character: str) -> bool:
    return unicodedata.category(character) == "Cs"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
