"""serve, worker, migrate, doctor."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Annotated

import django
import typer
from django.core.exceptions import ImproperlyConfigured


def add_commands(app: typer.Typer) -> None:
    """Add the commands that run a server."""
    for command in (serve, worker, migrate, doctor):
        app.command()(command)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
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
    """Check the configuration, the database and the mail server; exit status 1 where something is wrong."""
    findings = list(_findings())
    if as_json:
        typer.echo(json.dumps({"ok": all(f["ok"] for f in findings), "checks": findings}, indent=2))
    else:
        for finding in findings:
            typer.echo(
                f"{'ok     ' if finding['ok'] else 'PROBLEM'}  {finding['check']}: {finding['detail']}"
            )
    sys.exit(0 if all(finding["ok"] for finding in findings) else 1)


def _findings() -> list[dict[str, object]]:
    checks: list[tuple[str, Callable[[], str]]] = [
        ("configuration", _configuration),
        ("database", _database),
        ("mail", _mail),
    ]
    found: list[dict[str, object]] = []
    for name, check in checks:
        try:
            found.append({"check": name, "ok": True, "detail": check()})
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            found.append({"check": name, "ok": False, "detail": text})
            if name == "configuration":
                break  # the others need it
    return found


def _configuration() -> str:
    django.setup()
    from django.conf import settings
    from django.core.checks import ERROR, run_checks

    if errors := [message.msg for message in run_checks() if message.level >= ERROR]:
        raise ImproperlyConfigured(" ".join(errors))
    return f"people reach the server at {settings.ENV.url}; data is in {settings.ENV.data_dir}"


def _database() -> str:
    from django.db import connection

    from guestlist_server.health import unapplied_migrations

    if missing := unapplied_migrations():
        raise RuntimeError(f"{len(missing)} migrations are missing; run `guestlist migrate`")
    return f"{connection.vendor}, up to date"


def _mail() -> str:
    from django.conf import settings
    from django.core.mail import get_connection

    from guestlist.delivery.answers import read_trouble

    if settings.ENV.email_sending == "capture":
        return f"captured, shown at {settings.ENV.url}/outbox (EMAIL_URL is not set)"
    if settings.ENV.email_sending == "off":
        raise RuntimeError("EMAIL_URL is not set, so nothing is sent")
    connection = get_connection()
    try:
        connection.open()
        if smtp := getattr(connection, "connection", None):
            smtp.noop()
    except Exception as error:
        raise RuntimeError(f"EMAIL_URL: {read_trouble(error)}") from error
    finally:
        connection.close()
    return f"{settings.ENV.email.host or settings.EMAIL_BACKEND} takes messages"


def _end_with_parent(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent and not stop.wait(1):
        pass
    stop.set()
