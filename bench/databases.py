"""Databases to measure on: a file, or one of a PostgreSQL cluster of our own with its usual settings."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.install import tool
from bench.processes import as_postgres, give_to_postgres, run

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KINDS = (SQLITE, POSTGRESQL)
# As the server sets them.
_PRAGMAS = ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-4000")


@dataclass(frozen=True)
class Database:
    """`place` is the file, or the folder of the socket; `name` that of PostgreSQL's database."""

    kind: str
    place: Path
    name: str = ""
    port: int = 5432

    @property
    def url(self) -> str:
        """As `DATABASE_URL` says it."""
        if self.kind == SQLITE:
            return f"sqlite:///{self.place}"
        return f"postgresql://guestlist@:{self.port}/{self.name}?host={self.place}"

    def connect(self) -> Any:
        """A connection of the bare driver, each statement a transaction of its own unless told."""
        if self.kind == POSTGRESQL:
            return psycopg.connect(self.url, autocommit=True)
        connection = sqlite3.connect(self.place, isolation_level=None, timeout=60)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds; `%s` stands for a value."""
        with contextlib.closing(self.connect()) as connection:
            return list(connection.execute(self.marked(sql), values))

    def do(self, sql: str, *values: object) -> None:
        """Carry out a statement."""
        with contextlib.closing(self.connect()) as connection:
            connection.execute(self.marked(sql), values)

    def marked(self, sql: str) -> str:
        """The statement with the driver's own marks for values."""
        return sql.replace("%s", "?") if self.kind == SQLITE else sql

    def insert(self, table: str, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """All rows in one transaction."""
        with contextlib.closing(self.connect()) as connection:
            connection.execute("BEGIN")
            insert(connection, table, names, rows)
            connection.execute("COMMIT")

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        if self.kind == SQLITE:
            return [name for _, name, *_ in self.rows(f"PRAGMA table_info({table})")]
        sql = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1"
        return [name for (name,) in self.rows(sql, table)]

    def create(self) -> None:
        """Make it, without any table. A file makes itself."""
        if self.kind == POSTGRESQL:
            Database(self.kind, self.place, "postgres").do(f'CREATE DATABASE "{self.name}"')

    def copy_to(self, other: "Database") -> None:
        """Make `other` the same as this one, which nobody uses meanwhile."""
        if self.kind == SQLITE:
            self.do("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy(self.place, other.place)
        else:
            Database(self.kind, self.place, "postgres").do(
                f'CREATE DATABASE "{other.name}" TEMPLATE "{self.name}"'
            )


def insert(connection: Any, table: str, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """The fastest way that a driver has: `COPY` on PostgreSQL, `executemany` on SQLite."""
    columns = ", ".join(f'"{name}"' for name in names)
    if isinstance(connection, sqlite3.Connection):
        marks = ", ".join("?" * len(names))
        connection.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)
        return
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """A PostgreSQL of our own; the folder of its socket."""
    home = folder / "postgresql"
    home.mkdir(mode=0o700)
    give_to_postgres(home)

    def call(name: str, *arguments: str) -> None:
        run(*as_postgres(str(tool(name)), *arguments), folder=Path("/"))

    data = f"--pgdata={home}/data"
    call("initdb", data, "--username=guestlist", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
    options = f"--options=-k {home} -c listen_addresses="
    call("pg_ctl", "start", "--wait", "--silent", data, f"--log={home}/log", options)
    try:
        yield home
    finally:
        call("pg_ctl", "stop", "--silent", "--mode=immediate", data)
