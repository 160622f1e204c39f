"""What mail servers and providers report about a message after they took it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.mail import cancel_mail
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.delivery import OWED, TO_INVITED, DeliveryQuerySet, State
from guestlist.models.fields import timestamp
from guestlist.models.history import Appended
from guestlist.models.invitation import Status

ReportedOutcome = Literal["delivered", "bounced", "complained", "delayed"]
MAX_DETAIL = 500
# Whatever stands further right has the last word: no late "delivered" hides a bounce.
_LAST_WORD = (State.DELIVERED, State.BOUNCED, State.COMPLAINED)
_STATES = {"delivered": State.DELIVERED, "bounced": State.BOUNCED, "complained": State.COMPLAINED}


@dataclass(frozen=True, slots=True)
class _Report:
    state: State | None
    detail: str
    hard: bool
    at: datetime

    def says_more_than(self, delivery: Delivery) -> bool:
        """Whether it changes anything: a repeat does not, nor what comes too late."""
        if self.state is None:
            newest = delivery.history[-1] if delivery.history else {}
            known = (newest.get("state"), newest.get("detail")) == (State.DEFERRED, self.detail)
            return delivery.state in (*OWED, State.SENT) and not known
        if self.state == delivery.state:
            # A provider may first say that it tries no more, and later that there is no such address.
            return self.hard and not delivery.hard
        return _rank(self.state) > _rank(delivery.state)


def note_report(
    *,
    delivery_id: UUID | None = None,
    provider_id: str = "",
    outcome: ReportedOutcome,
    detail: str,
    hard: bool,
    at: datetime | None = None,
) -> bool:
    """Write down what became of a message that a mail server had taken: nothing further is tried, and after
    a bounce or a complaint nobody is reminded. Repeated and late reports change nothing. `delayed` is only
    added to the history. `hard` says that the address does not work or does not want mail.

    False where there is no such delivery; then nothing is written.
    """
    delivery = _find(delivery_id, provider_id)
    if delivery is None:
        return False
    try:
        with access.locked_by_holder(delivery.organization) as organization:
            return _note(organization, delivery.pk, outcome, one_line(detail), hard, at)
    except errors.NotFound:  # deleted meanwhile
        return False


def one_line(text: str) -> str:
    """A server's words on one line of at most 500 characters, without what steers a terminal or hides."""
    visible = "".join(character if character.isprintable() else " " for character in text[: 4 * MAX_DETAIL])
    return " ".join(visible.split())[:MAX_DETAIL]


def _find(delivery_id: UUID | None, provider_id: str) -> Delivery | None:
    if delivery_id is not None:
        return _with_organization().filter(pk=delivery_id).first()
    if not provider_id or not provider_id.isprintable():
        return None
    return _with_organization().filter(provider_id=provider_id).order_by("pk").last()


def _with_organization() -> DeliveryQuerySet:
    return Delivery.objects.select_related("organization").only("organization")


def _note(
    organization: Organization,
    delivery_id: UUID,
    outcome: ReportedOutcome,
    detail: str,
    hard: bool,
    at: datetime | None,
) -> bool:
    # A worker that has just handed the message over may be writing that down: it waits, and comes too late.
    delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        return False
    state = _STATES.get(outcome)
    hard = hard or state is State.COMPLAINED
    report = _Report(state, detail, hard, _past(at, organization.now))
    if report.says_more_than(delivery):
        _write(delivery, report)
        if state not in (None, delivery.state) and delivery.kind in TO_INVITED:
            _tell(organization, delivery, report)
    return True


def _write(delivery: Delivery, report: _Report) -> None:
    entry = {
        "at": timestamp(report.at),
        "state": report.state or State.DEFERRED,
        "detail": report.detail,
        "attempt": delivery.attempts,
    }
    values: dict[str, Any] = {"history": Appended(entry), "detail": report.detail}
    if report.state is not None:
        # Whoever reports on it has it: our own queue is done with it, whatever it had heard before.
        values |= {"leased_by": None, "leased_until": None, "next_at": None}
        values |= {"state": report.state, "hard": report.hard, "at": report.at}
    Delivery.objects.filter(pk=delivery.pk).update(**values)


def _tell(organization: Organization, delivery: Delivery, report: _Report) -> None:
    assert report.state is not None and delivery.invitation_id is not None  # noqa: PT018
    if report.state is not State.DELIVERED:
        # The digest to the inviter will tell of what bounced.
        digest = {"unreported_at": organization.now} if report.state is State.BOUNCED else {}
        pending = Invitation.objects.filter(pk=delivery.invitation_id, status=Status.PENDING)
        pending.filter(expires_at__gt=organization.now).update(remind_at=None, **digest)
        if report.hard:
            cancel_mail([delivery.invitation_id], now=organization.now)
    change = {"delivery": (delivery.state, report.state.value), "detail": (None, report.detail)}
    invitation = Invitation.objects.get(pk=delivery.invitation_id)
    record(Actor.system(), organization, Happening(f"invitation.{report.state}", invitation, change))


def _rank(state: str) -> int:
    return _LAST_WORD.index(State(state)) if state in _LAST_WORD else -1


def _past(at: datetime | None, now: datetime) -> datetime:
    """The time that was reported, unless it lies in the future, as a foreign clock may say."""
    if at is None:
        return now
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)
