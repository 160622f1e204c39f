"""Numbers for `/metrics`: counted in memory, added to the database after each batch."""

from collections import Counter

from guestlist.actions.deliveries import Attempt
from guestlist.actions.mail_queue import add_to_tallies

# Seconds from being owed to being taken by the mail server.
LATENCIES = (0.1, 0.5, 1, 5, 30, 300, 3600)


class Tallies:
    """What became of the messages of one connection."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.seconds = 0.0

    def add(self, outcome: str, number: int = 1) -> None:
        """So many messages came to this."""
        self.counted[f"outcome:{outcome}"] += number

    def add_sent(self, attempt: Attempt, seconds: float) -> None:
        """One went out, so long after it was begun."""
        latency = (attempt.at - attempt.delivery.created_at).total_seconds() + seconds
        bucket = next((f"{limit:g}" for limit in LATENCIES if latency <= limit), "+Inf")
        self.counted["outcome:sent"] += 1
        self.counted[f"latency:{bucket}"] += 1
        self.seconds += latency

    def write(self) -> None:
        """Add them to what was counted before."""
        counted, self.counted = dict(+self.counted), Counter()
        seconds, self.seconds = self.seconds, 0.0
        if counted:
            add_to_tallies(counted | ({"latency:sum": seconds} if seconds else {}))
