"""Tells workers that something is due, as soon as it is committed.

Within a process it is a bell. Between processes it is NOTIFY on PostgreSQL; on SQLite a worker asks the
file whether anything was written. Whoever hears of nothing looks by itself every so often.
"""

import threading

from django.db import connection, transaction

CHANNEL = "guestlist_due"


class Bell:
    """Wakes everybody who waits; whoever was busy hears that it rang meanwhile."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.rung = 0

    def ring(self) -> None:
        """Wake them."""
        with self.condition:
            self.rung += 1
            self.condition.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Until it has rung more often than the `heard` times, at most so many seconds."""
        with self.condition:
            self.condition.wait_for(lambda: self.rung != heard, seconds)


due = Bell()


def wake_after_commit() -> None:
    """Once this transaction is committed, let workers look at once."""
    # What was committed stays so, even if nobody can be told.
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    due.ring()
    if connection.vendor == "postgresql":
        # After the commit and not in it: NOTIFY makes transactions commit one after another.
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
