"""The process that sends what is due: some connections to the mail server, some callers of webhooks, and what
keeps them going.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from guestlist.actions.deliveries import renew_leases
from guestlist.actions.mail_queue import end_pause
from guestlist.conf import conf
from guestlist.delivery.clock import Clock
from guestlist.delivery.lane import Lane, Shared
from guestlist.delivery.listener import listen
from guestlist.delivery.webhooks import CALLERS, Busy, WebhookCaller
from guestlist.wakeup import due

# Seconds between two signs of life; a lease is 60.
HEARTBEAT = 15.0
TICK = 15.0
log = logging.getLogger(__name__)


def run_worker(stop: threading.Event, *, poll: float = 0.5) -> None:
    """Send what is due until `stop` is set; the messages under way are finished first.

    It looks at once when something is committed, and every `poll` seconds otherwise. Any number of workers
    may run on one database.
    """
    shared = Shared()
    lanes = [Lane(shared, stop, number=number) for number in range(conf().email_connections)]
    busy = Busy()
    callers = [WebhookCaller(busy, stop, number=number) for number in range(CALLERS)]
    clock = Clock()
    jobs: list[Callable[[], None]] = [
        *(partial(_run_lane, lane, poll) for lane in lanes[1:]),
        *(partial(_run_caller, caller, poll) for caller in callers),
        lambda: _every(HEARTBEAT, stop, lambda: _renew(lanes)),
        lambda: _every(TICK, stop, clock.tick),
        lambda: listen(stop),
    ]
    threads = [threading.Thread(target=_in_thread, args=(job,), daemon=True) for job in jobs]
    _safely(end_pause)  # whoever starts a worker has mended something
    for thread in threads:
        thread.start()
    _run_lane(lanes[0], poll)
    for thread in threads:
        thread.join()


def _run_lane(lane: Lane, poll: float) -> None:
    while not lane.stop.is_set():
        heard = due.rung
        held = _safely(lane.deliver_batch)
        if held is None:
            lane.stop.wait(max(poll, 1))
        elif not held:
            due.wait(heard, poll)
    lane.close()


def _run_caller(caller: WebhookCaller, poll: float) -> None:
    while not caller.stop.is_set():
        heard = due.rung
        called = _safely(caller.call_some)
        if called is None:
            caller.stop.wait(max(poll, 1))
        elif not called:
            due.wait(heard, poll)


def _renew(lanes: list[Lane]) -> None:
    for lane in lanes:
        if ids := set(lane.holding):
            renew_leases(worker=lane.worker, ids=ids)


def _every(seconds: float, stop: threading.Event, do: Callable[[], None]) -> None:
    while not stop.is_set():
        done = _safely(partial(_done, do))
        stop.wait(seconds if done else 1)  # a lease does not wait


def _safely(do: Callable[[], object]) -> object:
    """What `do` gives, or None where it failed: a worker outlives the database and its own faults."""
    try:
        return do()
    except (DatabaseError, InterfaceError) as error:
        log.warning("The database can’t be used; trying again: %s", error)
        close_old_connections()
    except Exception:
        log.exception("Something went wrong while sending; what is left is due again within a minute.")
    return None


def _done(do: Callable[[], None]) -> bool:
    do()
    return True


def _in_thread(job: Callable[[], None]) -> None:
    try:
        job()
    finally:
        connections.close_all()
