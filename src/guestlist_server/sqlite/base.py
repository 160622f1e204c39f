"""Django's SQLite, but that the writers of one process wait for their turn.

SQLite lets one transaction write at a time. Whoever else wants to looks again after a while, and again after
a longer one: of eight threads some wait for a second while the file lies idle. Here the next one goes on at
once. Other processes still meet at the file.
"""

import threading
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class Cursor(base.SQLiteCursorWrapper):
    """A cursor that remembers how a statement reads with SQLite's own marks."""

    @staticmethod
    @lru_cache(500)
    def _converted(query: str) -> str:
        return str(base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%"))

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """As Django does it for each call anew."""
        if param_names is None:
            return self._converted(query)
        return str(super().convert_query(query, param_names=param_names))


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that has its turn from the beginning of a transaction to the end."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.has_turn = False
        self.file: tuple[int, int] | None = None

    def get_new_connection(self, conn_params: Any) -> Any:
        """Django's, and which file it is."""
        connection = super().get_new_connection(conn_params)
        self.file = _file(self.settings_dict["NAME"])
        return connection

    def close_if_unusable_or_obsolete(self) -> None:
        """Also where another file has taken the place of the one that is open, or none has: what is written
        there would be lost.
        """
        is_open = self.connection is not None and not self.in_atomic_block
        if is_open and _file(self.settings_dict["NAME"]) != self.file:
            self.close()
        super().close_if_unusable_or_obsolete()

    def create_cursor(self, name: str | None = None) -> Cursor:
        """One of ours."""
        made: Cursor = self.connection.cursor(factory=Cursor)
        return made

    def _start_transaction_under_autocommit(self) -> None:
        turn = _turns[str(self.settings_dict["NAME"])]
        self.has_turn = turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5))
        if not self.has_turn:
            raise OperationalError("database is locked")
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._pass_on()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._pass_on()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._pass_on()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        if self.has_turn:
            self.has_turn = False
            _turns[str(self.settings_dict["NAME"])].release()


def _file(path: Any) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
