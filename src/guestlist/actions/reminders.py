"""Pending invitations are brought to mind."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from guestlist.actions.due import BATCH, act_on_each, organizations_of
from guestlist.actions.mail import new_mail, owe
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.conf import conf
from guestlist.events import Happening, record_all
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.delivery import OWED, Kind, State
from guestlist.models.invitation import Status

# No reminder is planned closer than this to the end of the invitation, or to another reminder.
APART = timedelta(hours=12)
# One that is late (nothing was running) is still worth sending while the link works this long.
WORTHWHILE = timedelta(hours=6)
LOOK_AGAIN = timedelta(hours=1)
ARRIVED = (State.SENT, State.DELIVERED)


def first_reminder(organization: Organization, sent_at: datetime, expires_at: datetime) -> datetime | None:
    """When an invitation that is sent at `sent_at` is first brought to mind; None for never."""
    planned = (sent_at + timedelta(days=day) for day in sorted(organization.reminder_days))
    return next((at for at in planned if expires_at - at >= APART), None)


def plan_reminders(organization: Organization) -> None:
    """Part of changing the days: every pending invitation follows the new ones, from now on.

    The caller holds the organization's lock.
    """
    pending = Invitation.objects.filter(organization=organization, status=Status.PENDING)
    pending.update(remind_at=next_reminder(organization, after=organization.now))


def remind_due(*, limit: int = BATCH) -> int:
    """Owe each invited person their reminder whose time has come, up to `limit` for each organization; how
    many were owed. Of several clocks one does it. Nothing is owed while e-mail is not configured.
    """
    if conf().email_sending == "off":
        return 0
    due = Invitation.objects.filter(status=Status.PENDING, remind_at__lte=Now())
    return act_on_each(organizations_of(due.order_by("remind_at")), lambda row: _remind(row, limit))


def _remind(organization: Organization, limit: int) -> int:
    due = Invitation.objects.filter(organization=organization, status=Status.PENDING)
    due = due.filter(remind_at__lte=organization.now, expires_at__gt=organization.now)
    rows = list(due.select_related("delivery").order_by("remind_at", "pk")[:limit])
    suppressed = suppressed_keys(organization, [row.key for row in rows])
    soon = organization.now + WORTHWHILE
    owed = [row for row in rows if row.delivery and row.delivery.state in OWED and row.expires_at > soon]
    ready = [
        row
        for row in rows
        if row.delivery and row.delivery.state in ARRIVED and row.expires_at > soon
        if row.key not in suppressed
    ]
    # The mail itself has not left yet.
    _of(owed).update(remind_at=organization.now + LOOK_AGAIN)
    going_on = {row.pk for row in (*owed, *ready)}
    _of([row for row in rows if row.pk not in going_on]).update(remind_at=None)
    _owe_reminders(organization, ready)
    return len(ready)


def _owe_reminders(organization: Organization, rows: Sequence[Invitation]) -> None:
    if not rows:
        return
    for row in rows:
        row.organization = organization
        row.delivery = new_mail(row, Kind.REMINDER)
    reminders = [row.delivery for row in rows if row.delivery]
    owe(reminders)
    of_row = Delivery.objects.filter(pk__in=[mail.pk for mail in reminders], invitation=OuterRef("pk"))
    _of(rows).update(
        delivery=Subquery(of_row.values("pk")[:1]),
        remind_at=next_reminder(organization, after=organization.now + APART),
    )
    record_all(Actor.system(), organization, [Happening("invitation.reminded", row) for row in rows])


def _of(rows: Sequence[Invitation]) -> "QuerySet[Invitation]":
    return Invitation.objects.filter(pk__in=[row.pk for row in rows])


def next_reminder(organization: Organization, *, after: datetime) -> Case:
    """What `first_reminder` says, for every row in one statement, of the days that lie `after`."""
    days = [timedelta(days=day) for day in sorted(organization.reminder_days)]
    return Case(
        *(
            When(
                last_sent_at__gt=after - day,
                expires_at__gte=_after_sending(day + APART),
                then=_after_sending(day),
            )
            for day in days
        ),
        default=None,
        output_field=DateTimeField(null=True),
    )


def _after_sending(wait: timedelta) -> "ExpressionWrapper[CombinedExpression]":
    return ExpressionWrapper(F("last_sent_at") + wait, output_field=DateTimeField())
