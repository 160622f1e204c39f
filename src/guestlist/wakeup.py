"""Tells workers that something is due, as soon as it is committed.

Within a process it is an event. Between processes it is NOTIFY on PostgreSQL; on SQLite a worker asks the
file whether anything was written. Whoever hears of nothing looks by itself every so often.
"""

import threading

from django.db import connection, transaction

CHANNEL = "guestlist_due"
due = threading.Event()


def wake_after_commit() -> None:
    """Once this transaction is committed, let workers look at once."""
    # What was committed stays so, even if nobody can be told.
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    due.set()
    if connection.vendor == "postgresql":
        # After the commit and not in it: NOTIFY makes transactions commit one after another.
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
