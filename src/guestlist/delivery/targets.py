"""Where a webhook's name leads now, and whether that may be called."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from guestlist import errors
from guestlist.webhook_targets import Target, check_address, clean_url, target_of

# Seconds to wait for the answer of a resolver, which keeps to no limit itself.
PATIENCE = 5.0
# A door has a person or a program waiting, and the call looks again anyway.
PATIENCE_OF_DOORS = 2.0
# Lookups of doors at once in a process, so that slow names leave it to others.
_doors = threading.BoundedSemaphore(4)


def checked_url(url: str) -> str:
    """An address as it is stored, for a door that is about to save it. One that leads to anything but the
    public network, or to what the settings allow, is refused.

    Raises WebhookTargetUnknown, WebhookTargetForbidden, WebhookUrlInsecure, WebhookUrlInvalid,
    WebhookTargetBusy.
    """
    clean = clean_url(url)
    if not _doors.acquire(blocking=False):
        raise errors.WebhookTargetBusy
    try:
        addresses_of(target_of(clean), seconds=PATIENCE_OF_DOORS)
    finally:
        _doors.release()
    return clean


def addresses_of(target: Target, *, seconds: float = PATIENCE) -> Sequence[str]:
    """The addresses that its name has now. One that may not be called refuses all: whoever answers for the
    name chose it.

    Raises WebhookTargetUnknown, WebhookTargetForbidden, WebhookUrlInsecure.
    """
    found = _resolved(target, seconds)
    if not found:
        raise errors.WebhookTargetUnknown(host=target.host)
    for address in found:
        check_address(address, scheme=target.scheme)
    return found


def _resolved(target: Target, seconds: float) -> Sequence[str]:
    """Each address once, in the system's order; none where there is none, or no answer in time."""
    answer: SimpleQueue[Sequence[str]] = SimpleQueue()

    def ask() -> None:
        found: list[str] = []
        with suppress(OSError, UnicodeError):
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found = [str(row[4][0]) for row in rows]
        answer.put(list(dict.fromkeys(found)))

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        return answer.get(timeout=max(seconds, 0.0))
    except Empty:
        return ()
