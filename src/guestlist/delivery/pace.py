"""How fast messages may leave, where a server says that it is too fast."""

import threading
import time

# Seconds between two messages: the first step, and the longest.
_FIRST, _LONGEST = 0.04, 5.0
_REST = 1.0
# Whatever was asked for is forgotten by half after so long.
_HALVED = 20.0


class Pace:
    """Full speed until a server asks for less; then slower by half each time it asks, and faster again with
    each message and with time. Shared by the connections of a worker.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.interval = 0.0
        self.next_at = 0.0
        self.slowed_at = 0.0

    def wait(self) -> float:
        """Seconds to wait before the next message, whose turn is taken with this call."""
        with self.lock:
            now = time.monotonic()
            if self.interval and now - self.slowed_at > _HALVED:
                self.interval, self.slowed_at = self.interval / 2, now
            turn = max(now, self.next_at)
            self.next_at = turn + self.interval
            return turn - now

    def slow_down(self) -> None:
        """The server asked for less. Connections that hear it at the same time are one request."""
        with self.lock:
            now = time.monotonic()
            if now - self.slowed_at >= _REST:
                self.interval = min(max(self.interval * 2, _FIRST), _LONGEST)
                self.slowed_at, self.next_at = now, now + _REST

    def went_well(self) -> None:
        """The server took a message."""
        if self.interval:
            with self.lock:
                self.interval = self.interval * 0.98 if self.interval > 0.002 else 0.0
