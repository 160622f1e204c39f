"""Hears from other processes that something is due."""

import logging
import sqlite3
import threading
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from guestlist.sessions import is_one_session
from guestlist.wakeup import CHANNEL, due

# Seconds. Asking SQLite costs some microseconds.
_LOOK = 0.02
_AGAIN = 5.0
log = logging.getLogger(__name__)


def listen(stop: threading.Event) -> None:
    """Ring `wakeup.due` whenever another process has committed something that may be due, until `stop`.

    Where it cannot hear (through a pool in transaction mode), workers look by themselves every so often.
    """
    hear = _notifications if connection.vendor == "postgresql" else _writes
    while not stop.is_set():
        try:
            hear(stop)
        except (DatabaseError, InterfaceError, sqlite3.Error, OSError) as error:
            log.info("Not hearing of new mail for a moment: %s", error)
        except Exception:
            log.exception("Not hearing of new mail for a moment.")
        finally:
            connection.close()
        stop.wait(_AGAIN)
    due.ring()  # whoever waits for mail is to hear of the end


def _notifications(stop: threading.Event) -> None:
    connection.ensure_connection()
    heard: Any = connection.connection
    if not is_one_session(heard):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    try:
        while not stop.is_set():
            for _ in heard.notifies(timeout=0.5, stop_after=1):
                due.ring()
    finally:
        if not connection.connection.closed:
            with connection.cursor() as cursor:  # it may come from a pool, and goes back there
                cursor.execute(f"UNLISTEN {CHANNEL}")


def _writes(stop: threading.Event) -> None:
    """SQLite counts the commits of other connections."""
    with connection.cursor() as cursor:
        seen = None
        while not stop.wait(_LOOK):
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()
            if version != seen:
                seen = version
                due.ring()
