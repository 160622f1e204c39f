"""Writing down what cannot be undone any more."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

T = TypeVar("T")
# Seconds that whoever is told to stop waits for the database.
GRACE = 10.0
log = logging.getLogger(__name__)


def surely(stop: threading.Event, write: Callable[[], T]) -> T:
    """What `write` gives, if it takes until the database is back. Raises what the database raises where that
    lasts and `stop` is set.
    """
    given_up = None
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if stop.is_set():
                given_up = given_up or time.monotonic() + GRACE
            if given_up and time.monotonic() > given_up:
                raise
            log.warning("The database can’t be used; trying again to write down what left: %s", error)
            close_old_connections()
            time.sleep(0.5)
