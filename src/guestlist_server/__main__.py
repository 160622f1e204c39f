"""`guestlist`: the server's commands, and those of organizations, invitations, members, keys and accounts."""

import os
import sys

import django
import typer
from django.core.exceptions import ImproperlyConfigured

from guestlist_server import commands

OWN = ("serve", "worker", "migrate", "doctor")


def main() -> None:
    """Run the command line. A configuration error is one line that names the variable, and exit status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
    try:
        _app()()
    except ImproperlyConfigured as error:
        print(f"guestlist: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _app() -> typer.Typer:
    app = typer.Typer(
        name="guestlist",
        help="Invite people to organizations, and run the server that does it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    commands.add_commands(app)
    # The server's own commands read the settings themselves: `serve` first says where it listens.
    if not set(OWN).intersection(sys.argv[1:2]):
        django.setup()
        from guestlist import cli
        from guestlist_server.accounts import commands as accounts

        cli.add_commands(app)
        app.add_typer(accounts.app, name="accounts")
    return app


if __name__ == "__main__":
    main()
