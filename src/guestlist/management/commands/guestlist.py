"""`manage.py guestlist …`: the command line and the worker, for a project that installs the app."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from guestlist import cli
from guestlist.delivery.worker import run_worker


class Command(BaseCommand):
    """Hands its words over to the command line, which parses them."""

    help = "Create organizations, send invitations, manage members, make API keys, and send queued mail."

    def run_from_argv(self, argv: list[str]) -> None:
        """Keep Django from reading the options; they are the command line's, `--help` too."""
        super().run_from_argv([*argv[:2], "--", *argv[2:]])

    def add_arguments(self, parser: CommandParser) -> None:
        """Any words."""
        parser.add_argument("words", nargs="*")

    def handle(self, *args: Any, words: list[str], **options: Any) -> None:
        """Run a command to its end. A failed one ends the process with its exit status."""
        commands = cli.app()
        commands.command()(worker)
        try:
            commands(words, prog_name="manage.py guestlist")
        except SystemExit as end:
            if end.code:
                raise


def worker() -> None:
    """Send queued mail until told to stop; the message under way is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(stop)
