"""Requests take turns: of the threads of a process only so many work at a time.

Python runs one thread at a time. Where several want to, the work moves from one processor to another, whose
caches know nothing of it: eight clients at once got 150 lists a second from 16 threads on SQLite, and 190
from as many that take turns. Most of the threads are there for clients that take their time to send.
"""

import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
# Bodies up to this size are waited for before a turn, so that nobody waits for a slow client.
READ_AHEAD = 65_536
# Seconds. Whoever waits longer goes on beside the others: one of those may be waiting for a mail server.
PATIENCE = 0.2


class Turns:
    """A WSGI application of which `number` requests are answered at a time."""

    def __init__(self, application: Application, number: int) -> None:
        self.application = application
        self.free = threading.Semaphore(number)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """What streams is read after the turn."""
        if not _is_there(environ):
            return self.application(environ, start_response)
        has_turn = self.free.acquire(timeout=PATIENCE)
        try:
            return self.application(environ, start_response)
        finally:
            if has_turn:
                self.free.release()


def _is_there(environ: dict[str, Any]) -> bool:
    """Whether the body of a request has arrived; a short one is waited for."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > READ_AHEAD:
        return False
    if length != "0":
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
    return True
