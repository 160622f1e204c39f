"""Account mail while no mail server is configured: kept in the data folder for a day, shown at /outbox."""

import email
import email.policy
import os
import time
from collections.abc import Iterator, Sequence
from email.message import EmailMessage as ParsedMessage
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

KEPT = 24 * 60 * 60


class CapturedMail(BaseEmailBackend):
    """E-mail backend: one .eml file per message, readable by the server's user only."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message down; how many."""
        for message in email_messages:
            _write(message.message().as_bytes())
        return len(email_messages)


def captured() -> Iterator[tuple[str, float, ParsedMessage]]:
    """Name, time (seconds since 1970) and message of what was captured in the last day, newest first."""
    for path in sorted(_kept(), reverse=True):
        yield path.stem, path.stat().st_mtime, _parse(path.read_bytes())


def captured_bytes(name: str) -> bytes | None:
    """The captured message of that name, as it would have been sent."""
    return next((path.read_bytes() for path in _kept() if path.stem == name), None)


def _write(content: bytes) -> None:
    folder = Path(settings.EMAIL_FILE_PATH)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    list(_kept())
    path = folder / f"{time.time_ns():020d}-{uuid4().hex[:8]}.eml"
    unfinished = path.with_suffix(".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    unfinished.rename(path)


def _kept() -> list[Path]:
    """The files of the last day; older ones are deleted."""
    kept, oldest = [], time.time() - KEPT
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.eml"):
        try:
            if path.stat().st_mtime >= oldest:
                kept.append(path)
            else:
                path.unlink()
        except FileNotFoundError:  # another process was faster
            continue
    return kept


def _parse(content: bytes) -> ParsedMessage:
    return email.message_from_bytes(content, policy=email.policy.default)
