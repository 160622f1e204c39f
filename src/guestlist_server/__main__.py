"""`guestlist`: the server's commands, and those of organizations, invitations, members, keys and accounts."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import django
import typer
from django.core.exceptions import ImproperlyConfigured

from guestlist_server import commands

OWN = ("serve", "worker", "migrate", "doctor")
# What needs no configuration at all.
ABOUT_ITSELF = ("--version", "--show-completion", "--install-completion")
COMPLETE = "_GUESTLIST_COMPLETE"


def main() -> None:
    """Run the command line. A configuration error is one line that names the variable, and exit status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
    try:
        _app()()
    except ImproperlyConfigured as error:
        if COMPLETE in os.environ:  # somebody is in the middle of typing
            sys.exit(0)
        print(f"guestlist: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _app() -> typer.Typer:
    app = typer.Typer(
        name="guestlist",
        help="Invite people to organizations, and run the server that does it.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_about)
    commands.add_commands(app)
    # The server's own commands read the settings themselves: `serve` first says where it listens.
    if not {*OWN, *ABOUT_ITSELF}.intersection(sys.argv[1:2]):
        django.setup()
        from guestlist import cli
        from guestlist_server.accounts import commands as accounts

        cli.add_commands(app)
        app.add_typer(accounts.app, name="accounts")
    return app


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"guestlist {version('guestlist')}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
