"""What the passing of time brings: invitations expire, people are reminded, inviters are told, and what was
deleted goes for good.
"""

import logging
import time

from django.db import InterfaceError, OperationalError

from guestlist.actions.deletion import purge_deleted
from guestlist.actions.digests import write_digests
from guestlist.actions.expiry import expire_due
from guestlist.actions.idempotency import forget_answers
from guestlist.actions.limits import forget_quotas
from guestlist.actions.reminders import remind_due
from guestlist.actions.webhook_ends import forget_calls

PRUNE_EVERY = 3600.0
log = logging.getLogger(__name__)


class Clock:
    """Workers call `tick` every 15 seconds. Any number of clocks may tick at a time: each action looks again
    under the organization's lock.
    """

    def __init__(self) -> None:
        self._prune_at = 0.0

    def tick(self) -> None:
        """Do what is due; whatever fails is tried again at the next tick and hinders nothing else.

        Raises OperationalError or InterfaceError, once every part had its turn, where the database can’t be
        used; any other failure is logged.
        """
        lost: OperationalError | InterfaceError | None = None
        for part in (expire_due, remind_due, write_digests, self._prune):
            try:
                part()
            except (OperationalError, InterfaceError) as error:
                lost = lost or error
            except Exception:
                log.exception("A part of what is due failed; it is tried again.")
        if lost:
            raise lost

    def _prune(self) -> None:
        """Once an hour, what was used of limits in periods that are over, old answers, old calls of webhooks,
        and what was deleted long ago.
        """
        if time.monotonic() >= self._prune_at:
            forget_quotas()
            forget_answers()
            forget_calls()
            purge_deleted()
            self._prune_at = time.monotonic() + PRUNE_EVERY
