"""The database, from one address."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit


def parse_database(text: str) -> dict[str, Any]:
    """`DATABASE_URL` as Django's settings of a database. Raises ValueError with what to write."""
    parts = urlsplit(text)
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgresql(parts)
    raise ValueError("write sqlite:///path/to/file or postgresql://user:password@host:5432/name")


def _sqlite(parts: SplitResult) -> dict[str, Any]:
    # As everywhere: sqlite:///relative, sqlite:////absolute.
    path = Path(unquote(parts.path).removeprefix("/")).resolve()
    return {
        "ENGINE": "guestlist_server.sqlite",
        "NAME": str(path),
        # Opening a file and its settings anew takes longer than most calls.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A reader never waits; a writer waits its turn from the start instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4000; "
            # The log is moved into the file after 40 MB, not after 4: that waits for the disk.
            "PRAGMA wal_autocheckpoint=10000;",
        },
        "TEST": {"NAME": str(path.with_suffix(".test.sqlite3"))},
    }


def _postgresql(parts: SplitResult) -> dict[str, Any]:
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ValueError("name the database: postgresql://user:password@host:5432/name")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        # A pool keeps connections that the server may have ended meanwhile.
        "CONN_HEALTH_CHECKS": True,
        # pgbouncer in transaction mode would give the next rows to somebody else.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # More than 16 threads, or a worker's connections to the mail server, of which each holds one.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 30, "timeout": 10}, **options},
    }
