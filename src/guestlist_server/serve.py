"""Run the server: one process that watches the ones that answer requests and the one that sends mail."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import django
import typer
from django.core.exceptions import ImproperlyConfigured

from guestlist_server.email_url import LOOPBACK

_MIGRATIONS = 0x6775_6573_746C_6973  # "guestlis", the number of PostgreSQL's advisory lock

THREADS = 16
_ARENAS = -8  # M_ARENA_MAX in malloc.h


@dataclass
class Server:
    """What `guestlist serve` runs."""

    host: str
    port: int
    workers: int
    sends_mail: bool = field(kw_only=True)

    def run(self) -> None:
        """Answer requests until SIGINT or SIGTERM; no process is left behind.

        Raises ImproperlyConfigured; ends with a sentence and status 1 where the port is taken.
        """
        self._announce()
        _in_child(self._prepare)
        self._answer()

    def _prepare(self) -> None:
        django.setup()
        self._check()
        self._claim_port()
        bring_up_to_date()
        self._greet()

    def _announce(self) -> None:
        """Tell the settings where we listen: this process and those it starts read it from there."""
        os.environ["GUESTLIST_BIND"] = self.host
        if os.environ.get("GUESTLIST_URL"):
            return
        if self.host not in LOOPBACK:
            raise ImproperlyConfigured(
                f"GUESTLIST_URL: set it to the address people reach this server by, for example "
                f"https://guestlist.example.com, to listen on {self.host}, which others can reach"
            )
        host = f"[{self.host}]" if ":" in self.host else self.host
        os.environ["GUESTLIST_DEFAULT_URL"] = f"http://{host}:{self.port}"

    def _check(self) -> None:
        from django.core.checks import ERROR, run_checks

        if errors := [message.msg for message in run_checks() if message.level >= ERROR]:
            raise ImproperlyConfigured(" ".join(errors))

    def _claim_port(self) -> None:
        """Fail now rather than after the migrations, and rather than share the port with another server."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                reason = error.strerror or error
                typer.echo(f"guestlist: cannot listen on {self.host}:{self.port}: {reason}", err=True)
                raise SystemExit(1) from error

    def _greet(self) -> None:
        from django.conf import settings

        from guestlist.actions.organizations import create_first_run_link

        if link := create_first_run_link():
            typer.echo(f"Set up Guestlist: {link.url}")
        else:
            typer.echo(f"Guestlist: {settings.ENV.url}")
        if settings.ENV.email_sending == "capture":
            typer.echo(f"Mail is captured, not sent: {settings.ENV.url}/outbox")
        elif settings.ENV.email_sending == "off":
            typer.echo("E-mail is not configured (EMAIL_URL): invitations stay queued.")
        sys.stdout.flush()

    def _answer(self) -> None:
        from granian.constants import Interfaces
        from granian.log import LogLevels
        from granian.server import Server as Granian

        server = Granian(
            "guestlist_server.wsgi:application",
            address=self.host.strip("[]"),
            port=self.port,
            interface=Interfaces.WSGI,
            workers=self.workers,
            # A slow client keeps its thread until its request is read; others must not wait for it. How
            # many work at a time, `turns` says.
            blocking_threads=THREADS,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
            log_level=LogLevels.error,
        )
        os.environ["GUESTLIST_SERVER_PID"] = str(os.getpid())
        _share_memory_among_threads()
        mail = MailProcess()
        if self.sends_mail:
            # After granian has taken over the signals, so that none of them leaves this process behind.
            server.on_startup(mail.start)
        try:
            server.serve()
        finally:
            mail.stop()


class MailProcess:
    """The process that sends mail. It is started again when it dies, and ends when this process does."""

    def __init__(self) -> None:
        self.ending = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start it, and watch over it."""
        self.process = self._spawn()
        self.watcher.start()

    def stop(self) -> None:
        """End it, after the message under way."""
        self.ending.set()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.watcher.join(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "guestlist_server", "worker", "--attached", str(os.getpid())]
        return subprocess.Popen(command)  # noqa: S603

    def _watch(self) -> None:
        while self.process is not None:
            self.process.wait()
            if self.ending.wait(1):
                return
            typer.echo("guestlist: the process that sends mail ended; starting it again", err=True)
            self.process = self._spawn()


def _share_memory_among_threads() -> None:
    """Of this process and those that answer requests. By itself glibc keeps free memory apart for each of
    many threads, where the others cannot use it. Other libraries of C have no such call.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENAS, 2)


def _in_child(do: Callable[[], None]) -> None:
    """Do it in a process that ends with it: what it loads would stay for as long as this one watches the
    others. Where it fails, this process ends as that one did, which has said why.
    """
    child = os.fork()
    if not child:
        do()
        raise SystemExit(0)
    before = signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGTERM, before)
    if status:
        raise SystemExit(status if status > 0 else 128 - status)


def bring_up_to_date() -> None:
    """Migrate the database, make the cache's table, collect static files. One process at a time."""
    from django.core.management import call_command

    with _one_at_a_time():
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Servers that start at once on one machine wait for the file, on several for PostgreSQL's lock."""
    from django.conf import settings
    from django.db import connection

    with (settings.ENV.data_dir / "starting.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        # For a transaction, on a connection beside the one that migrates: where a pool stands between, what
        # is locked for a session is kept by whoever comes next.
        holder = connection.copy()
        holder.set_autocommit(False)
        try:
            with holder.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATIONS])
            yield
        finally:
            holder.rollback()
            holder.close()
