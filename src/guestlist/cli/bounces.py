"""Returned mail on the command line."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from django.db import DatabaseError, InterfaceError

from guestlist.cli import output
from guestlist.delivery.bounces import MAX_SIZE, Found, ingest

app = output.group("Take in what mail servers return.")
OUTCOMES: tuple[Found, ...] = ("bounced", "complained", "delayed", "relayed", "delivered")
# What a mail server understands as "keep it and try again later".
TRY_AGAIN = 75
SEEN = "S"


@app.callback()
def bounces() -> None:
    """Take in what mail servers return."""


@app.command(
    "ingest", epilog=output.example("bounces ingest --maildir /var/mail/bounces", "bounces ingest - < report")
)
def ingest_(
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(metavar="FILE", help="One message; - is standard input.", show_default=False),
    ] = None,
    maildir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="All messages of a Maildir, in new and cur.", show_default=False),
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Read delivery reports and complaints, and write down what became of the mail.

    A report is believed only if it came to a return path that this server made: set GUESTLIST_BOUNCES_TO.

    From a Maildir, reports are deleted once they are read; what is none stays there, marked as seen.

    Postfix, in a file of aliases that belongs to the user who runs Guestlist:

    \b
      bounces: "|guestlist bounces ingest -"

    Exit status 75, on which mail servers try again later, means that the database could not be used.
    """
    if (file is None) == (maildir is None):
        raise typer.BadParameter("Give either a file (- is standard input) or --maildir.")
    with _failures():
        found = Counter([ingest(_all_of(file))] if file else ingest_maildir(maildir or Path()))
    if as_json:
        read = found.total() - found["not_ours"]
        output.print_json({"read": read, **{name: found[name] for name in (*OUTCOMES, "not_ours")}})
    else:
        output.say(_sentence(found))


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        typer.echo("Error: The database can’t be used now; try again later.", err=True)
        raise typer.Exit(TRY_AGAIN) from error
    except OSError as error:
        typer.echo(f"Error: {output.shown(str(error))}", err=True)
        raise typer.Exit(1) from error


def _all_of(file: BinaryIO) -> bytes:
    """What counts of a message. The rest is read as well: whoever writes it might fail otherwise."""
    start = file.read(MAX_SIZE)
    while file.read(MAX_SIZE):
        pass
    return start


def ingest_maildir(maildir: Path) -> Iterator[Found]:
    """Read every message of a Maildir; what was found in each."""
    if not all((maildir / name).is_dir() for name in ("new", "cur")):
        raise typer.BadParameter(f"{maildir} is not a Maildir: it has no folders new and cur.")
    # Both are listed first: what is none of ours goes from one into the other.
    for path in [*sorted((maildir / "new").iterdir()), *sorted((maildir / "cur").iterdir())]:
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield from _ingest_one(maildir, path)


def _ingest_one(maildir: Path, path: Path) -> Iterator[Found]:
    """Another process may take the same message: then it is gone, and counted there. One that can’t be read
    or moved hinders no other.
    """
    try:
        with path.open("rb") as file:
            found = ingest(file.read(MAX_SIZE))
        if found == "not_ours":
            path.rename(_seen(maildir, path))
        else:
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        typer.echo(f"Error: {output.shown(str(error))}", err=True)
        return
    yield found


def _seen(maildir: Path, path: Path) -> Path:
    base, _, flags = path.name.partition(":2,")
    return maildir / "cur" / f"{base}:2,{''.join(sorted({*flags, SEEN}))}"


def _sentence(found: "Counter[Found]") -> str:
    others = found["not_ours"]
    read = found.total() - others
    what = ", ".join(f"{found[name]} {name}" for name in OUTCOMES if found[name])
    reports = f"{read} report{'' if read == 1 else 's'} read"
    return reports + (f": {what}" if what else "") + (f"; {others} not ours." if others else ".")
