"""pgbouncer in transaction mode, in front of a database."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.databases import Database
from bench.install import tool
from bench.processes import Failed, as_postgres, give_to_postgres, running

# It listens on a socket only, whose name holds the port all the same.
_PORT = 6432
_SETTINGS = """\
[databases]
{name} = host={place} dbname={name} user=guestlist
[pgbouncer]
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
"""


@contextlib.contextmanager
def pgbouncer(folder: Path, database: Database) -> Iterator[Database]:
    """The same database, reached through it."""
    (folder / "users").write_text('"guestlist" ""\n')
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(name=database.name, place=database.place, port=_PORT, folder=folder))
    give_to_postgres(folder)
    command = as_postgres(str(tool("pgbouncer")), str(settings))
    with running(command, os.environ, folder / "log"):
        end = time.monotonic() + 20
        while not _listens(folder):
            if time.monotonic() > end:
                raise Failed(f"pgbouncer does not listen: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield replace(database, place=folder, port=_PORT)


def _listens(folder: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(folder / f".s.PGSQL.{_PORT}"))
        return True
    return False
