"""serve, worker, migrate, doctor."""

import json
import os
import signal
import sys
import threading
from typing import Annotated

import django
import typer


def add_commands(app: typer.Typer) -> None:
    """Add the commands that run a server."""
    for command, *examples in (
        (serve, "serve", "serve --host 0.0.0.0 --port 8080 --workers 4"),
        (worker, "worker"),
        (migrate, "migrate"),
        (doctor, "doctor", "doctor --json"),
    ):
        app.command(epilog=_example(*examples))(command)


def _example(*lines: str) -> str:
    """As guestlist.cli.output.example, which needs Django."""
    return "\n".join(("\b", "Example:", *(f"  guestlist {line}" for line in lines)))


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
    mail: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also run the process that sends mail.")
    ] = True,
) -> None:
    """Run the server: brings the database up to date, then answers until it is told to stop."""
    from guestlist_server.serve import Server

    Server(host, port, workers, sends_mail=mail).run()


def worker(
    attached: Annotated[int, typer.Option(hidden=True, help="End when this parent process ends.")] = 0,
) -> None:
    """Send queued mail until told to stop; the message under way is finished first."""
    from django.conf import settings

    settings.INSTALLED_APPS.remove("ninja")  # it has no model, and is a fifth of this process’s memory
    django.setup()
    from guestlist.delivery.worker import run_worker

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if attached:
        threading.Thread(target=_end_with_parent, args=(attached, stop), daemon=True).start()
    run_worker(stop)


def migrate() -> None:
    """Bring the database up to date."""
    django.setup()
    from guestlist_server.serve import bring_up_to_date

    bring_up_to_date()
    typer.echo("The database is up to date.")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check configuration, database, clock and mail; exit status 1 where something does not work."""
    from guestlist_server.doctor import examine

    findings = list(examine())
    ok = all(finding.ok for finding in findings)
    if as_json:
        checks = [finding.as_resource() for finding in findings]
        typer.echo(json.dumps({"ok": ok, "checks": checks}, indent=2))
    else:
        for finding in findings:
            label = finding.level.upper() if finding.level != "ok" else "ok"
            typer.echo(f"{label:7}  {finding.check}: {finding.detail}")
    sys.exit(0 if ok else 1)


def _end_with_parent(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent and not stop.wait(1):
        pass
    stop.set()
