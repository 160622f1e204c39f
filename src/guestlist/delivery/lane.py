"""One connection to the mail server: takes a batch at a time, and writes down each message by itself."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions.deliveries import (
    Attempt,
    back_off,
    begin_deliveries,
    claim_deliveries,
    defer_delivery,
    fail_delivery,
    finish_delivery,
    hold_back,
    release_deliveries,
    take_back,
)
from guestlist.actions.limits import held_back
from guestlist.actions.mail_queue import end_trouble, pause_queue, queue_state, set_aside
from guestlist.conf import conf
from guestlist.delivery.answers import Answer, Meaning, Trouble, read_answer, read_trouble, without_addresses
from guestlist.delivery.pace import Pace
from guestlist.delivery.patience import given_up
from guestlist.delivery.rendering import Renderer
from guestlist.delivery.routes import Route, open_route
from guestlist.delivery.streak import Streak
from guestlist.delivery.tallies import Tallies
from guestlist.delivery.written import surely
from guestlist.models import Delivery
from guestlist.models.delivery import TO_INVITED, State

T = TypeVar("T")
# A batch is what leaves in two seconds, so that connections to a slow server share the work.
SMALLEST_BATCH, LARGEST_BATCH = 10, 200
# Messages begun at once, at most.
MOST_BEGUN = 10
# How often a message that was too fast is tried again soon.
PATIENCE = 4
# Seconds.
IDLE, REST = 10.0, 60.0
# What was begun is looked at again after that: its invitation may have been revoked, its lease be over.
FRESH = 0.3
FAST = 0.003
TOO_FAST = timedelta(seconds=2)
log = logging.getLogger(__name__)


class Shared:
    """What the connections of one worker know of each other. `usual_seconds` is what a message takes."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.connected: set[UUID] = set()
        self.usual_seconds = 0.04


class Lane:
    """Claims, sends and marks, one message after the other. `holding` are the rows that it has claimed and
    not sent. The lanes of a worker are numbered; all but the first help it.
    """

    def __init__(
        self, shared: Shared, stop: threading.Event, worker: UUID | None = None, *, number: int = 0
    ) -> None:
        self.shared, self.stop, self.number = shared, stop, number
        self.worker = worker or uuid4()
        self.holding: set[UUID] = set()
        self.route: Route | None = None
        self.renderer = Renderer()
        self.streak, self.tallies = Streak(), Tallies()
        self.used_at = self.rests_until = 0.0
        self.trouble: Trouble | None = None
        self.failing = False

    def deliver_batch(self) -> int:
        """Send a batch of the messages that are due, at most 200; how many this lane took."""
        self._pause()  # where the database was away when there was reason to
        # Looking first keeps an idle worker from taking SQLite's write lock each time.
        nothing = conf().email_sending == "off" or not self._goes_on()
        if nothing or self._is_in_the_way() or not Delivery.objects.due().exists() or self._paused():
            self._leave_idle()
            return 0
        claimed = claim_deliveries(worker=self.worker, limit=self._in(2.0, SMALLEST_BATCH, LARGEST_BATCH))
        self.holding = {delivery.pk for delivery in claimed}
        try:
            self._deliver_all(claimed)
        finally:
            # First of all: what is not held must not be renewed.
            ids, self.holding = self.holding, set()
            if ids:
                release_deliveries(worker=self.worker, ids=ids)
        self._pause()
        self.tallies.write()
        return len(claimed)

    def close(self) -> None:
        """End the connection."""
        route, self.route = self.route, None
        self.shared.connected.discard(self.worker)
        if route is not None:
            route.close()

    def _deliver_all(self, claimed: Sequence[Delivery]) -> None:
        queue = self._with_room(claimed)
        while queue and self._goes_on() and self._connected():
            self.stop.wait(self.shared.pace.wait())
            few, queue = queue[: self._few()], queue[self._few() :]
            queue = [*self._deliver_few(few), *queue]

    def _deliver_few(self, few: Sequence[Delivery]) -> list[Delivery]:
        """Begin these together and send them; those that are not tried now, because the first took long."""
        began = time.monotonic()
        begun = begin_deliveries(deliveries=few, worker=self.worker)
        self.tallies.add("canceled", sum(each.state == State.CANCELED for each in few))
        # A processor that has just drawn a message draws the next in a third of the time.
        ready = [self._prepared(attempt) for attempt in begun]
        for number, attempt in enumerate(begun):
            late = time.monotonic() - began > FRESH
            if number and (late or not self._goes_on() or self.route is None):
                take_back(attempts=begun[number:])
                return [each.delivery for each in begun[number:]]
            self._send(attempt, ready[number])
        return []

    def _goes_on(self) -> bool:
        return not self.stop.is_set() and not self.trouble and time.monotonic() >= self.rests_until

    def _is_in_the_way(self) -> bool:
        """The first connection finds out whether the server is there. To a fast one, a second sends while the
        first writes down; more are in the way, for they share a processor.
        """
        if not self.number:
            return False
        others = self.shared.connected - {self.worker}
        return not others or (self.number > 1 and self.shared.usual_seconds < FAST)

    def _few(self) -> int:
        """How many messages to begin at once: what leaves in a tenth of a second, for whoever is revoked
        after that has his mail under way.
        """
        return 1 if self.shared.pace.interval else self._in(0.1, 1, MOST_BEGUN)

    def _in(self, seconds: float, least: int, most: int) -> int:
        """How many messages usually leave in so many seconds."""
        return max(least, min(most, int(seconds / max(self.shared.usual_seconds, self.shared.pace.interval))))

    def _with_room(self, claimed: Sequence[Delivery]) -> list[Delivery]:
        """Those whose address has not had as much mail as it may get; the others wait."""
        waiting = held_back({delivery.key for delivery in claimed if delivery.kind in TO_INVITED})
        first: dict[object, Delivery] = {}
        for delivery in claimed:
            if delivery.kind in TO_INVITED and (until := waiting.get(delivery.key)):
                detail = _("It waits its turn.")
                hold_back(delivery=delivery, worker=self.worker, until=until, detail=detail)
            else:
                # What else goes to that address has its turn in a batch that counts this one.
                first.setdefault(delivery.key or delivery.pk, delivery)
        return list(first.values())

    def _prepared(self, attempt: Attempt) -> Callable[[], str] | str:
        """What sends it, or why it is never sent."""
        assert self.route is not None
        if why := given_up(attempt):
            return why
        try:
            return self.route.prepare(attempt.delivery)
        except Exception as error:
            log.exception("The message of delivery %s could not be built.", attempt.delivery.pk)
            return _("This message could not be built: %s") % type(error).__name__

    def _send(self, attempt: Attempt, send: Callable[[], str] | str) -> None:
        route = self.route
        assert route is not None
        if isinstance(send, str):
            self._fail(attempt, send, 0.0)
            return
        started = time.monotonic()
        try:
            provider_id = send()
        except Exception as error:
            answer = read_answer(error, unclear=route.unclear)
            self._write_down(attempt, answer, round(time.monotonic() - started, 3))
        else:
            self._went_out(attempt, time.monotonic() - started, provider_id)

    def _went_out(self, attempt: Attempt, seconds: float, provider_id: str) -> None:
        sent_at = time.monotonic()
        surely(self.stop, lambda: finish_delivery(attempt=attempt, seconds=seconds, provider_id=provider_id))
        self.holding.discard(attempt.delivery.pk)
        self.shared.pace.went_well()
        self.used_at = time.monotonic()
        took = time.monotonic() - sent_at
        self.shared.usual_seconds = 0.8 * self.shared.usual_seconds + 0.2 * (seconds + took)
        self.streak.end()
        if self.failing:
            self.failing = False
            if surely(self.stop, end_trouble):
                log.warning("Mail goes out again.")
        self.tallies.add_sent(attempt, seconds)

    def _write_down(self, attempt: Attempt, answer: Answer, seconds: float) -> None:
        wait = None
        if answer.meaning is Meaning.TOO_FAST:
            self.shared.pace.slow_down()
            patient = attempt.number <= PATIENCE
            wait = TOO_FAST if patient else back_off(attempt.number - PATIENCE)
        if answer.meaning is Meaning.REFUSED:
            self._fail(attempt, answer.detail, seconds, hard=answer.hard)
        else:
            unclear = answer.meaning is Meaning.UNCLEAR
            self._defer(attempt, answer.detail, seconds, unclear=unclear, wait=wait)
        self._consider(attempt, answer)

    def _consider(self, attempt: Attempt, answer: Answer) -> None:
        """What an answer about one message says of all."""
        lost = answer.meaning in (Meaning.LOST, Meaning.UNCLEAR)
        hung_up = lost or not (self.route and self.route.is_open)
        if hung_up:
            self.close()
        trouble = self.streak.note(attempt, answer, hung_up=hung_up)
        if trouble is None:
            return
        # The messages of one organization are not to stop those of others.
        one = attempt.delivery.organization_id if len(self.streak.organizations) == 1 else None
        if one and set_aside(organization_id=one, worker=self.worker, detail=trouble.reason):
            self.streak = Streak()
        else:
            self.trouble = trouble

    def _connected(self) -> bool:
        if self.route is not None and self._is_fresh(self.route):
            return True
        self.close()
        try:
            self.route = open_route(self.renderer)
        except Exception as error:
            trouble = read_trouble(error)
            if self.shared.connected:
                # The server takes mail, only not on so many connections.
                self.rests_until = time.monotonic() + (REST if self.number else 1)
                log.info("One connection less for a minute: %s", trouble.reason)
            else:
                self.trouble = trouble
            return False
        self.used_at = time.monotonic()
        self.shared.connected.add(self.worker)
        return True

    def _is_fresh(self, route: Route) -> bool:
        """A server hangs up after a while; nothing is lost where that is noticed before a message."""
        return route.is_open and (time.monotonic() - self.used_at < 1 or route.is_alive())

    def _paused(self) -> bool:
        """Whether the mail server is to be left alone for now. Remembers whether sending was failing."""
        self.failing, paused = queue_state()
        return paused

    def _pause(self) -> None:
        """Leave the mail server alone, now that nothing is held: what is due waits together."""
        trouble, self.trouble = self.trouble, None
        if trouble:
            self.close()
            self.streak = Streak()
            reason = without_addresses(trouble.reason)  # everybody on this server reads it
            begins = pause_queue(reason=reason, shortest=trouble.shortest, longest=trouble.longest)
            log.log(logging.ERROR if begins else logging.INFO, "Sending fails: %s", trouble.reason)

    def _defer(
        self,
        attempt: Attempt,
        detail: str,
        seconds: float,
        *,
        unclear: bool = False,
        wait: timedelta | None = None,
    ) -> None:
        self.tallies.add("deferred")
        surely(
            self.stop,
            lambda: defer_delivery(
                attempt=attempt, detail=detail, seconds=seconds, unclear=unclear, wait=wait
            ),
        )

    def _fail(self, attempt: Attempt, detail: str, seconds: float, *, hard: bool = False) -> None:
        self.tallies.add("failed")
        try:
            surely(
                self.stop, lambda: fail_delivery(attempt=attempt, detail=detail, seconds=seconds, hard=hard)
            )
        except errors.NotFound:  # the organization was deleted, and the message with it
            return

    def _leave_idle(self) -> None:
        if self.route is not None and (self.number or time.monotonic() - self.used_at > IDLE):
            self.close()
