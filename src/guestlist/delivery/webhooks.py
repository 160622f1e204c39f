"""What calls webhooks: takes one at a time, and makes its calls one after the other."""

import logging
import threading
import time
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from guestlist.actions.webhook_calls import (
    Answer,
    Call,
    begin_call,
    calls_are_due,
    claim_webhook,
    fail_call,
    finish_call,
    release_webhook,
)
from guestlist.delivery.calls import Caller
from guestlist.delivery.signing import signed_headers
from guestlist.delivery.written import surely

# How many webhooks a worker calls at a time.
CALLERS = 4
# Seconds after which another webhook has its turn.
TURN = 5.0
log = logging.getLogger(__name__)


class Busy:
    """How many of a worker's callers hold a webhook now."""

    def __init__(self) -> None:
        self.lock, self.number = threading.Lock(), 0

    def add(self, number: int) -> None:
        """One more, or one less."""
        with self.lock:
            self.number += number


class WebhookCaller:
    """The caller `number` looks for work only while so many others have some: an idle worker asks once."""

    def __init__(self, busy: Busy, stop: threading.Event, *, number: int = 0) -> None:
        self.busy, self.stop, self.number = busy, stop, number
        self.worker, self.made = uuid4(), 0

    def call_some(self) -> bool:
        """Make calls of one webhook for some seconds. False where none had to be called."""
        if self.stop.is_set() or self.busy.number < self.number or not calls_are_due():
            return False
        webhook_id = claim_webhook(worker=self.worker)
        if webhook_id is None:
            return False
        self.busy.add(1)
        try:
            self._call_in_order(webhook_id)
        finally:
            self.busy.add(-1)
            release_webhook(webhook_id=webhook_id, worker=self.worker)
        return True

    def _call_in_order(self, webhook_id: UUID) -> None:
        until = time.monotonic() + TURN
        line = _Line()
        try:
            while time.monotonic() < until and not self.stop.is_set():
                call = begin_call(webhook_id=webhook_id, worker=self.worker)
                if call is None:
                    break
                self._make(line, call)
        finally:
            line.close()

    def _make(self, line: "_Line", call: Call) -> None:
        """Whatever goes wrong is a failed attempt: what was begun and not ended is begun again at once."""
        began = time.monotonic()
        try:
            answer = line.post(call)
        except Exception as error:
            log.exception("A call of a webhook could not be made.")
            answer = _fault(error, began)
        self.made += 1
        write = fail_call if answer.detail else finish_call
        try:
            surely(self.stop, lambda: write(call=call, answer=answer))
        except (OperationalError, InterfaceError):
            raise  # the database is away
        except Exception as error:
            log.exception("What became of a call of a webhook could not be written down.")
            fault = _fault(error, began)
            surely(self.stop, lambda: fail_call(call=call, answer=fault))


class _Line:
    """The connection to the webhook that is called, for as long as that stays at its address."""

    def __init__(self) -> None:
        self.caller: Caller | None = None

    def post(self, call: Call) -> Answer:
        """Make the call."""
        webhook, delivery = call.webhook, call.delivery
        headers = signed_headers(webhook, delivery.message_id, delivery.body, call.at)
        if self.caller is None or self.caller.url != webhook.url:
            self.close()
            self.caller = Caller(webhook.url)
        return self.caller.post(headers, delivery.body)

    def close(self) -> None:
        """End the connection."""
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.close()


def _fault(error: Exception, began: float) -> Answer:
    """Not the receiver's: something is wrong here."""
    detail = _("The call could not be made: %s") % type(error).__name__
    return Answer(time.monotonic() - began, detail=detail)
