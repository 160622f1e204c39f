"""Try messages again that did not get through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.mail_queue import end_pause
from guestlist.actions.reminders import next_reminder
from guestlist.actors import Actor
from guestlist.events import Happening, record_all
from guestlist.models import Delivery, Invitation, Membership, Organization, Role, Suppression
from guestlist.models.delivery import TO_INVITED, DeliveryQuerySet, Kind, State
from guestlist.models.fields import chunks, timestamp
from guestlist.models.history import Appended
from guestlist.models.invitation import STATUS_NOW, Status
from guestlist.permissions import Permission
from guestlist.wakeup import wake_after_commit

RETRYABLE = (State.FAILED, State.DEFERRED)


@dataclass(frozen=True, slots=True)
class Retried:
    """How many failed messages are tried again, and how many nobody wants any more."""

    retried: int
    skipped: int

    def __str__(self) -> str:
        text = ngettext("%d message is tried again.", "%d messages are tried again.", self.retried)
        skipped = ngettext(
            "%d skipped, not wanted any more.", "%d skipped, not wanted any more.", self.skipped
        )
        words = [text % self.retried, *([skipped % self.skipped] if self.skipped else [])]
        return " ".join(words)

    def as_resource(self) -> dict[str, int]:
        """The answer as REST shows it."""
        return {"retried": self.retried, "skipped": self.skipped}


def retry_delivery(*, actor: Actor, organization: Organization, delivery_id: Any) -> Delivery:
    """Try a message that failed or waits again at once, under the same Message-ID.

    Raises NotAllowed, NotFound, NotRetryable with what it is instead: it left, a worker is at it, its
    invitation has ended or went out anew, or its receiver does not want it.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        rows = Delivery.objects.filter(organization=organization, pk=delivery_id)
        # Workers change a message without the organization's lock.
        found = rows.select_related("invitation").select_for_update(of=("self",)).first()
        if found is None:
            raise errors.NotFound
        _check_state(found, organization)
        if not rows.filter(_wanted(organization)).exists():
            raise _unwanted(found)
        _try_again(actor, organization, [found])
    return rows.select_related("invitation").get()


def retry_failed(*, actor: Actor, organization: Organization) -> Retried:
    """Try every message again that failed and is still wanted, with the same number of statements for 1 and
    for 10,000. Raises NotAllowed, NotFound.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        failed = _failed(organization)
        number = failed.count()
        wanted = failed.filter(_wanted(organization)).select_related("invitation")
        chosen = list(wanted.select_for_update(of=("self",)).defer("content", "history").order_by("pk"))
        _try_again(actor, organization, chosen)
    return Retried(len(chosen), number - len(chosen))


def preview_retry(*, actor: Actor, organization: Organization) -> Retried:
    """What trying all failed ones again would answer now; nothing happens. Raises NotAllowed, NotFound."""
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    failed = _failed(organization)
    wanted = failed.filter(_wanted(organization)).count()
    return Retried(wanted, failed.count() - wanted)


def _failed(organization: Organization) -> DeliveryQuerySet:
    return Delivery.objects.filter(organization=organization, state=State.FAILED)


def is_retryable(delivery: Delivery, now: datetime) -> bool:
    """One that failed or waits is, unless a worker is at it."""
    held = delivery.leased_until is not None and delivery.leased_until > now
    return delivery.state in RETRYABLE and not held


def _check_state(delivery: Delivery, organization: Organization) -> None:
    if is_retryable(delivery, organization.now):
        return
    held = delivery.state in RETRYABLE
    state = _("being sent right now") if held else _words(delivery.state)
    raise errors.NotRetryable(state=state, delivery_state=delivery.state)


def _words(state: str) -> str:
    """The state as a sentence says it."""
    return {
        State.QUEUED: _("queued already"),
        State.SENT: _("sent"),
        State.DELIVERED: _("delivered"),
        State.BOUNCED: _("bounced"),
        State.COMPLAINED: _("marked as spam"),
        State.CANCELED: _("canceled"),
    }.get(State(state), state)


def _wanted(organization: Organization) -> Q:
    """Mail to the invited while their invitation is pending, unless the address asked for none or a newer
    mail of that invitation exists; word to members who still belong to those whom it concerns.
    """
    pending = Invitation.objects.pending().filter(pk=OuterRef("invitation"))
    everywhere = Q(organization=organization) | Q(organization=None)
    unwanted = Suppression.objects.filter(everywhere, key=OuterRef("key"))
    newer = Delivery.objects.filter(
        invitation=OuterRef("invitation"), kind__in=TO_INVITED, pk__gt=OuterRef("pk")
    )
    invited = Q(Exists(pending)) & ~Q(Exists(unwanted)) & ~Q(Exists(newer))
    roles = Role.objects.filter(organization=organization)
    managing = [role.pk for role in roles if Permission.MEMBER_MANAGE in role.permission_set]
    members = Membership.objects.active().filter(organization=organization)
    managers = Q(recipient__in=members.filter(role__in=managing).values("email"))
    tester = Q(kind=Kind.TEST, recipient__in=members.values("email"))
    return (Q(kind__in=TO_INVITED) & invited) | (~Q(kind__in=TO_INVITED) & (managers | tester))


def _unwanted(delivery: Delivery) -> errors.NotRetryable:
    """Why a message that failed is not wanted any more."""
    if delivery.kind not in TO_INVITED:
        text = _("for somebody who does not manage the members any more")
        return errors.NotRetryable(state=text, delivery_state=delivery.state)
    rows = Invitation.objects.filter(deliveries=delivery.pk)
    status = rows.values_list(STATUS_NOW, flat=True).get()
    if status != Status.PENDING:
        text = _("for an invitation that is %(status)s") % {"status": _(errors.STATUSES.get(status, status))}
        return errors.NotRetryable(state=text, delivery_state=delivery.state, invitation_status=status)
    newer = Delivery.objects.filter(invitation=delivery.invitation_id, kind__in=TO_INVITED)
    replaced = newer.filter(pk__gt=delivery.pk).exists()
    text = _("replaced by a newer one") if replaced else _("for an address that asked not to be invited")
    return errors.NotRetryable(state=text, delivery_state=delivery.state)


def _try_again(actor: Actor, organization: Organization, deliveries: Sequence[Delivery]) -> None:
    entry = {"at": timestamp(organization.now), "state": State.QUEUED.value, "detail": "", "by": actor.name}
    for some in chunks(deliveries):
        # They are locked, so their states are still those that were looked at.
        rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in some], state__in=RETRYABLE)
        rows.update(state=State.QUEUED, detail="", hard=False, next_at=Now(), history=Appended(entry))
        # The failure had ended the reminders.
        ended = Invitation.objects.filter(
            pk__in=[delivery.invitation_id for delivery in some if delivery.state == State.FAILED],
            remind_at=None,
        )
        ended.update(remind_at=next_reminder(organization, after=organization.now))
    happenings = [
        Happening("invitation.retried", delivery.invitation, {"delivery": (delivery.state, "queued")})
        for delivery in deliveries
        if delivery.kind in TO_INVITED and delivery.invitation
    ]
    record_all(actor, organization, happenings)
    if deliveries:
        end_pause()  # whoever asks for one message wants to know whether any goes out
        wake_after_commit()
