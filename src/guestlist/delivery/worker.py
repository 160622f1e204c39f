"""Sends what is due: claims a batch, sends it over one connection, writes down each message by itself."""

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.core.mail import get_connection
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils.translation import gettext as _

from guestlist.actions.deliveries import (
    begin_delivery,
    claim_deliveries,
    defer_delivery,
    drop_delivery,
    fail_delivery,
    finish_delivery,
    release_deliveries,
)
from guestlist.conf import conf
from guestlist.delivery.answers import Meaning, read_answer, read_trouble
from guestlist.delivery.emails import message_of
from guestlist.models import Delivery

BATCH = 50
LONGEST_PAUSE = 60.0
# A message at which the connection is lost each time may have arrived each time.
MOST_LOSSES = 12
log = logging.getLogger(__name__)


def run_worker(stop: threading.Event, *, poll: float = 0.5) -> None:
    """Send what is due until `stop` is set; the message under way is finished first.

    While no message can be sent it pauses 1, 2, 4 … seconds, at most a minute, between tries.
    """
    worker, trouble = uuid.uuid4(), 0
    while not stop.is_set():
        try:
            batch = _deliver_batch(worker, stop)
        except (DatabaseError, InterfaceError) as error:
            log.warning("The database can’t be used; trying again: %s", error)
            close_old_connections()
            stop.wait(max(poll, 1))
            continue
        except Exception:
            log.exception("A batch of mail was left half done; its rest is due again in 30 seconds.")
            stop.wait(max(poll, 1))
            continue
        trouble = trouble + 1 if batch.trouble and not batch.sent else 0
        if batch.trouble:
            log.warning("%s", batch.trouble)
            stop.wait(min(2.0 ** max(trouble - 1, 0), LONGEST_PAUSE))
        elif not batch.held:
            stop.wait(poll)


def deliver_due(worker: UUID) -> int:
    """Send one batch of at most 50; how many messages were due."""
    return _deliver_batch(worker, threading.Event()).held


@dataclass
class _Batch:
    """One connection and what came of it. After `trouble`, nothing more is sent."""

    worker: UUID
    held: int = 0
    sent: int = 0
    trouble: str = ""
    reconnects: int = 0
    connection: Any = field(default=None, repr=False)

    def deliver(self, delivery: Delivery) -> None:
        """Send one message if it is still to be sent, and write down what became of it."""
        connected = self._connected()
        if not begin_delivery(delivery=delivery, worker=self.worker):
            drop_delivery(delivery=delivery, worker=self.worker)
        elif not connected:
            self._mark(defer_delivery, delivery, self.trouble)
        elif send := self._prepared(delivery):
            self._send(delivery, send)

    def close(self) -> None:
        """End the connection; whatever the server says to that changes nothing."""
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                log.info("The mail connection did not end cleanly.", exc_info=True)

    def _connected(self) -> bool:
        if conf().email_sending == "capture" or self.connection is not None:
            return True
        if self.trouble:
            return False
        try:
            self.connection = get_connection()
            self.connection.open()
        except Exception as error:
            self.trouble = read_trouble(error)
            self.close()  # a sign-in that failed leaves it half open
            return False
        return True

    def _prepared(self, delivery: Delivery) -> Callable[[], Any] | None:
        try:
            message = message_of(delivery)
            message.message()
        except Exception as error:
            log.exception("The message of delivery %s could not be built.", delivery.pk)
            why = _("This message could not be built: %s") % type(error).__name__
            self._mark(fail_delivery, delivery, why)
            return None
        return partial(self.connection.send_messages, [message]) if self.connection else lambda: 1

    def _send(self, delivery: Delivery, send: Callable[[], Any]) -> None:
        try:
            send()
        except Exception as error:
            self._write_down(delivery, error)
        else:
            self.sent += 1
            finish_delivery(delivery=delivery, worker=self.worker)

    def _write_down(self, delivery: Delivery, error: Exception) -> None:
        answer = read_answer(error)
        if answer.meaning is Meaning.TROUBLE:
            self.trouble = answer.detail
            self.close()
        elif answer.meaning is Meaning.LOST or self._is_closed():
            self._reconnect_once(answer.detail)
        lost_often = answer.meaning is Meaning.LOST and delivery.attempts + 1 >= MOST_LOSSES
        over = answer.meaning is Meaning.REFUSED or lost_often
        self._mark(fail_delivery if over else defer_delivery, delivery, answer.detail)

    def _reconnect_once(self, detail: str) -> None:
        self.close()
        if self.reconnects:
            self.trouble = detail
        self.reconnects += 1

    def _is_closed(self) -> bool:
        """Whether smtplib hung up by itself, as it does after an answer that it could not read."""
        smtp = getattr(self.connection, "connection", None)
        return smtp is not None and getattr(smtp, "sock", True) is None

    def _mark(self, transition: Callable[..., None], delivery: Delivery, detail: str) -> None:
        transition(delivery=delivery, worker=self.worker, detail=detail[:500])


def _deliver_batch(worker: UUID, stop: threading.Event) -> _Batch:
    batch = _Batch(worker)
    # Looking first keeps an idle worker from taking SQLite's write lock twice a second.
    if conf().email_sending == "off" or not Delivery.objects.due().exists():
        return batch
    try:
        for delivery in claim_deliveries(worker=worker, limit=BATCH):
            if stop.is_set():
                break
            batch.held += 1
            batch.deliver(delivery)
    finally:
        batch.close()
        release_deliveries(worker=worker)
    return batch
