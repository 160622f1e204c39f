"""Sending as a whole: since when it fails and why, and when it is tried again."""

from datetime import timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.models import Delivery, MailQueue, Organization, Tally
from guestlist.models.delivery import State
from guestlist.models.fields import chunks
from guestlist.models.prepared import Prepared
from guestlist.permissions import Permission
from guestlist.wakeup import wake_after_commit

JUST_NOW = timedelta(seconds=10)
ASIDE = timedelta(minutes=1)


def queue_trouble() -> MailQueue | None:
    """What keeps all mail from leaving, in one query; None while it goes out."""
    return next(iter(_TROUBLED.instances()), None)


_TROUBLED = Prepared(lambda: MailQueue.objects.filter(failing_since__isnull=False)[:1])


def resume_queue(*, actor: Actor, organization: Organization) -> None:
    """Try again now instead of at the time that was set. Raises NotAllowed, NotFound."""
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    end_pause()


def end_pause() -> None:
    """What waits for the end of the pause is due now: somebody asked, or a worker was started anew. At the
    earliest ten seconds after the last try, for a mail server locks out whoever keeps trying.
    """
    with transaction.atomic():
        paused = MailQueue.objects.select_for_update().filter(paused_until__isnull=False)
        queue = paused.annotate(now=Now()).first()  # type: ignore[no-redef]
        if queue is None:
            return
        until = max(queue.now, queue.tried_at + JUST_NOW) if queue.tried_at else queue.now
        if queue.paused_until and until < queue.paused_until:
            Delivery.objects.owed().filter(next_at=queue.paused_until).update(next_at=until)
            MailQueue.objects.update(paused_until=until if until > queue.now else None)
            wake_after_commit()


def queue_state() -> tuple[bool, bool]:
    """Whether sending as a whole fails, and whether workers are to leave the mail server alone for now."""
    queue = MailQueue.objects.annotate(now=Now()).first()  # type: ignore[no-redef]
    if queue is None:
        return False, False
    return queue.failing_since is not None, bool(queue.paused_until and queue.paused_until > queue.now)


def pause_queue(*, reason: str, shortest: timedelta, longest: timedelta) -> bool:
    """Nothing can be sent now: leave the server alone for `shortest`, twice that after the next failure, at
    most `longest`. What is due says why it waits. True where this begins a failure.
    """
    with transaction.atomic():
        MailQueue.objects.get_or_create(pk=1)
        queue = MailQueue.objects.select_for_update().annotate(now=Now()).get(pk=1)  # type: ignore[no-redef]
        begins = queue.failing_since is None
        # Another worker that failed at the same time has counted this failure already.
        if queue.paused_until is None or queue.paused_until <= queue.now:
            queue.failures, queue.tried_at = queue.failures + 1, queue.now
            wait = shortest * 2 ** min(queue.failures - 1, 16)
            queue.paused_until = queue.now + min(wait, longest)
        queue.failing_since, queue.reason = queue.failing_since or queue.now, reason[:500]
        queue.save()
        waiting = Delivery.objects.due().filter(state=State.QUEUED)
        for ids in chunks(waiting.free_ids()):
            rows = Delivery.objects.filter(pk__in=ids)
            rows.update(state=State.DEFERRED, detail=reason[:500], next_at=queue.paused_until)
    return begins


def set_aside(*, organization_id: UUID, worker: UUID, detail: str) -> bool:
    """Let mail of other organizations go first, for a minute. False where nobody else has any."""
    mine = models.Q(leased_by=worker, next_at__lte=Now())
    waiting = Delivery.objects.owed().filter(mine) | Delivery.objects.due()
    if not waiting.exclude(organization=organization_id).exists():
        return False
    with transaction.atomic():
        for ids in chunks(waiting.filter(organization=organization_id).free_ids()):
            Delivery.objects.filter(pk__in=ids).update(
                state=State.DEFERRED,
                detail=detail[:500],
                next_at=Now() + ASIDE,
                leased_by=None,
                leased_until=None,
            )
    return True


def end_trouble() -> bool:
    """A message went out. True where that ends a failure."""
    failing = MailQueue.objects.filter(failing_since__isnull=False)
    return bool(failing.update(failing_since=None, reason="", paused_until=None, failures=0))


def add_to_tallies(amounts: dict[str, float]) -> None:
    """Add to the numbers that `/metrics` shows."""
    with transaction.atomic():
        for name in sorted(amounts):
            rows = Tally.objects.filter(name=name)
            if not rows.update(value=F("value") + amounts[name]):
                Tally.objects.get_or_create(name=name)
                rows.update(value=F("value") + amounts[name])
