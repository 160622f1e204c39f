"""What a mail server that misbehaves answers, and when; how a test lets time pass and looks at the queue."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from django.db.models.functions import Now
from django.utils import timezone

from guestlist.models import Delivery
from guestlist.models.mail_queue import MailQueue


@dataclass(frozen=True)
class Drop:
    """The connection is cut, after `words` if there are any."""

    words: str = ""


@dataclass(frozen=True)
class Slowly:
    """One byte each `seconds`."""

    words: str
    seconds: float


class Silence:
    """No answer ever."""


@dataclass
class Moment:
    """Where a conversation stands. `number` counts the messages that this connection has brought."""

    connection: int
    step: str = "connect"
    line: str = ""
    number: int = 0
    secure: bool = False
    sender: str = ""
    recipient: str = ""
    content: bytes = field(default=b"", repr=False)
    # Whether MAIL and RCPT of the message under way were taken.
    has_sender: bool = False
    has_recipient: bool = False


@dataclass(frozen=True)
class Received:
    """A message that the server took, or that was complete when the connection went."""

    at: float
    connection: int
    secure: bool
    sender: str
    recipient: str
    content: bytes = field(repr=False)

    @property
    def message_id(self) -> str:
        found = re.search(rb"^Message-ID:\s*(<[^>]+>)", self.content, re.MULTILINE | re.IGNORECASE)
        return found[1].decode() if found else ""


# Text is one answer, with as many lines as it has; bytes go out as they are; None is what a good server says.
Answer: TypeAlias = "str | bytes | Drop | Slowly | Silence | Callable[[Moment], Answer] | None"


def to(answers: dict[str, Answer]) -> Callable[[Moment], Answer]:
    """An answer to each recipient; the others are taken."""
    return lambda moment: answers.get(moment.recipient)


def in_turn(*answers: Answer) -> Callable[[Moment], Answer]:
    """One after another, then what a good server says."""
    left = list(answers)
    return lambda _: left.pop(0) if left else None


def after_messages(most: int, answer: Answer) -> Callable[[Moment], Answer]:
    """Once a connection has brought `most` messages."""
    return lambda moment: answer if moment.number >= most else None


class AtMost:
    """Takes `most` messages in `seconds`, and refuses the others in the words of a provider."""

    def __init__(
        self, most: int, seconds: float, words: str = "450 4.7.1 Rate limit of 25 per second"
    ) -> None:
        self.most, self.seconds, self.words = most, seconds, words
        self.taken: list[float] = []
        self.refused = 0

    def __call__(self, moment: Moment) -> Answer:
        now = time.monotonic()
        self.taken = [at for at in self.taken if now - at < self.seconds]
        if len(self.taken) >= self.most:
            self.refused += 1
            return self.words
        self.taken.append(now)
        return None


def is_refusal(said: Answer) -> bool:
    """Whether the message was certainly not taken."""
    first = said[:1] if isinstance(said, bytes) else str(said)[:1].encode()
    return isinstance(said, str | bytes) and first in (b"4", b"5")


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """A port at which connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # held, but nobody listens
        yield held.getsockname()[1]


def let_time_pass() -> None:
    """What waits is due, and a pause of the whole queue is over."""
    Delivery.objects.owed().update(next_at=Now(), leased_by=None, leased_until=None)
    MailQueue.objects.update(paused_until=Now())


def assert_paused(*words, seconds=(0, 3)):
    """Sending as a whole fails: the reason is on the queue and on every row, and no row counts an attempt."""
    queue = MailQueue.objects.get()
    assert queue.failing_since is not None
    assert all(word in queue.reason for word in words), queue.reason
    least, most = seconds
    assert least < (queue.paused_until - timezone.now()).total_seconds() <= most
    rows = Delivery.objects.all()
    assert {row.state for row in rows} == {"deferred"}
    assert {row.detail for row in rows} == {queue.reason}
    assert {row.attempts for row in rows} == {0}
