"""Databases of real processes that can be taken away and brought back, and a server on one of them."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

ROOT = Path(__file__).parents[2]
# Nobody wants to wait half a minute in a test until a process notices.
IMPATIENT = """
from guestlist_server.settings import *
OPTIONS = DATABASES["default"]["OPTIONS"]
if "pool" in OPTIONS:
    OPTIONS["pool"]["timeout"] = 2
else:
    OPTIONS["timeout"] = 1
"""


class SQLite:
    """A file. While it is away a folder is in its place, and whoever has it open finds it locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.lock: sqlite3.Connection | None = None

    def take_away(self) -> None:
        self.lock = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.lock.execute("BEGIN IMMEDIATE")
        self._move(self.path, self._aside)
        self.path.mkdir()

    def bring_back(self) -> None:
        assert self.lock is not None
        self.path.rmdir()
        self._move(self._aside, self.path)
        self.lock.rollback()
        self.lock.close()

    def back_up(self) -> None:
        with sqlite3.connect(self.path) as live, sqlite3.connect(self._aside) as copy:
            live.backup(copy)
        live.close()
        copy.close()

    def restore(self) -> None:
        for end in ("", "-wal", "-shm"):
            Path(f"{self.path}{end}").unlink(missing_ok=True)
        self._move(self._aside, self.path)

    def drop(self) -> None:
        pass

    @property
    def _aside(self) -> Path:
        return self.path.with_name("aside.sqlite3")

    def _move(self, old: Path, new: Path) -> None:
        for end in ("", "-wal", "-shm"):
            if Path(f"{old}{end}").exists():
                Path(f"{old}{end}").rename(f"{new}{end}")


class PostgreSQL:
    """A database of its own in the cluster that the tests use. While it is away nobody may connect."""

    def __init__(self, url: str) -> None:
        self.name = f"faults_{uuid4().hex[:8]}"
        parts = urlsplit(url)
        self.url = parts._replace(path=f"/{self.name}").geturl()
        self.server = parts._replace(path="/postgres").geturl()
        if host := parse_qs(parts.query).get("host"):
            self.server = f"host={host[0]} user={parts.username} dbname=postgres"
        self._run(f"CREATE DATABASE {self.name}")

    def take_away(self) -> None:
        self._run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self._end_connections()

    def bring_back(self) -> None:
        self._run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def back_up(self) -> None:
        self._end_connections()
        self._run(f"CREATE DATABASE {self.name}_copy TEMPLATE {self.name}")

    def restore(self) -> None:
        self._run(f"DROP DATABASE {self.name} WITH (FORCE)")
        self._run(f"ALTER DATABASE {self.name}_copy RENAME TO {self.name}")

    def drop(self) -> None:
        for name in (self.name, f"{self.name}_copy"):
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _end_connections(self) -> None:
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def _run(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[arg-type]


@contextmanager
def store_of_run(folder: Path) -> Iterator[SQLite | PostgreSQL]:
    """A new database of the kind that this run of the tests is about."""
    folder.mkdir(exist_ok=True)
    url = os.environ.get("DATABASE_URL", "")
    store = PostgreSQL(url) if url.startswith("postgres") else SQLite(folder / "guestlist.sqlite3")
    try:
        yield store
    finally:
        store.drop()


def impatient(folder: Path) -> dict[str, str]:
    """Variables for a process that notices within two seconds that its database is away."""
    (folder / "impatient.py").write_text(IMPATIENT)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {"DJANGO_SETTINGS_MODULE": "impatient", "PYTHONPATH": path}


def run_script(script: str, variables: dict[str, str], *arguments: str) -> dict[str, object]:
    """What a Python script that uses Guestlist prints as JSON in its last line."""
    told = {"DJANGO_SETTINGS_MODULE": "guestlist_server.settings", **variables}
    command = [sys.executable, "-c", f"import django; django.setup()\n{script}", *arguments]
    done = subprocess.run(
        command, env=told, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def wait_for(what: Callable[[], object], seconds: float = 40) -> None:
    """Until something comes about."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
