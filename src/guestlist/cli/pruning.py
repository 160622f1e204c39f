"""What the command line deletes because it is old."""

from datetime import timedelta
from typing import Annotated

import typer
from django.apps import apps
from django.core.management import call_command

from guestlist.actions import pruning
from guestlist.cli import output
from guestlist.conf import parse_lifetime


def prune(
    older_than: Annotated[
        str, typer.Option(help="Only messages made before so long: 180d, at least 30d.")
    ] = "180d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many, delete nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the number as JSON.")] = False,
) -> None:
    """Delete old messages of invitations that have ended, and sessions that have expired."""
    age = _age(older_than)
    with output.refusals(as_json=as_json):
        number = pruning.prunable(older_than=age) if dry_run else _prune(age, shown=not as_json)
    if not dry_run and apps.is_installed("django.contrib.sessions"):
        call_command("clearsessions")
    if as_json:
        output.print_json({"would_delete" if dry_run else "deleted": number})
    else:
        messages = "1 message" if number == 1 else f"{number} messages"
        output.say(f"{messages} would be deleted." if dry_run else f"{messages} deleted.")


def _prune(age: timedelta, *, shown: bool) -> int:
    batches = pruning.prune_deliveries(older_than=age)
    return sum(output.progress(batches, label="Pruning", length=pruning.batches(older_than=age), shown=shown))


def _age(text: str) -> timedelta:
    try:
        age = parse_lifetime(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if age is None:
        raise typer.BadParameter("Write for example 180d.")
    return age
