"""How calls of webhooks end without being made, and how a webhook is turned off that fails."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.mail import MOST_TOLD, new_notice, owe
from guestlist.actors import Actor
from guestlist.events import Happening, record, record_all
from guestlist.models import Delivery, Membership, Organization, Webhook, WebhookDelivery
from guestlist.models.delivery import Kind
from guestlist.models.fields import timestamp
from guestlist.models.history import Appended
from guestlist.models.webhook import WhyOff
from guestlist.models.webhook_delivery import CallState, WebhookDeliveryQuerySet
from guestlist.permissions import Permission

KEPT = timedelta(days=30)
TURNED_OFF = gettext_noop("The webhook was turned off.")
ORGANIZATION_DELETED = gettext_noop("Not sent: the organization was deleted.")


def turn_off_failing(*, webhook: Webhook, why: WhyOff) -> None:
    """The receiver is gone, or took nothing for a day: nothing is sent there any more, what was owed has
    failed, and whoever made it is told, or the owners.
    """
    try:
        with access.locked_by_holder(webhook.organization) as organization:
            # Not one that leads elsewhere by now.
            rows = Webhook.objects.enabled().filter(pk=webhook.pk, url=webhook.url)
            if rows.update(why_off=why, off_since=organization.now):
                owed = WebhookDelivery.objects.owed().filter(webhook=webhook.pk)
                end_calls(owed, CallState.FAILED, why_off_sentence(why), at=organization.now)
                change = {"enabled": (True, False), "disabled_reason": (None, why.value)}
                record(Actor.system(), organization, Happening("webhook.disabled", webhook, change))
                _tell(organization, webhook, why)
    except errors.NotFound:
        return  # the organization was deleted meanwhile


def turn_off_webhooks_of(*, user: Any) -> None:
    """Turn off every webhook that `user` made: the account has lost its last address to its real owner."""
    theirs = Webhook.objects.enabled().filter(created_by=user)
    for organization in Organization.objects.filter(webhooks__in=theirs).distinct():
        with access.locked_by_holder(organization) as locked:
            ending = list(theirs.filter(organization=locked).select_for_update().order_by("pk"))
            rows = Webhook.objects.filter(pk__in=[row.pk for row in ending])
            rows.update(why_off=WhyOff.TURNED_OFF, off_since=locked.now)
            owed = WebhookDelivery.objects.owed().filter(webhook__in=ending)
            end_calls(owed, CallState.CANCELED, TURNED_OFF, at=locked.now)
            change = {"enabled": (True, False)}
            record_all(Actor.system(), locked, [Happening("webhook.updated", row, change) for row in ending])


def why_off_sentence(why: str) -> str:
    """Why a webhook is off, in the reader's language."""
    match why:
        case WhyOff.GONE:
            return _("The webhook was turned off: the receiver answered that it is gone (410).")
        case WhyOff.FAILING:
            return _("The webhook was turned off: the receiver took nothing for a day.")
    return _("The webhook was turned off.")


def cancel_all_calls(organization: Organization) -> None:
    """Part of deleting it: nothing that it owes leaves any more."""
    webhooks = Webhook.objects.select_for_update().filter(organization=organization).order_by("pk")
    owed = WebhookDelivery.objects.owed().filter(webhook__in=list(webhooks.values_list("pk", flat=True)))
    end_calls(owed, CallState.CANCELED, ORGANIZATION_DELETED, at=organization.now)


def forget_calls() -> int:
    """Delete calls that were finished and are older than 30 days; how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=Now() - KEPT, next_at=None)
    return old.delete()[0]


def end_calls(owed: WebhookDeliveryQuerySet, state: CallState, detail: str, *, at: datetime) -> None:
    """Part of what ends them: these are not made any more. One statement for any number; the rows of their
    webhooks are locked, for whoever changes several calls locks those first.
    """
    entry = {"at": timestamp(at), "state": state.value, "detail": detail}
    owed.update(state=state, detail=detail, history=Appended(entry), at=at, next_at=None)


def _tell(organization: Organization, webhook: Webhook, why: WhyOff) -> None:
    """Once a day: a webhook that somebody turns on and on again must not become a way to send mail."""
    told = Delivery.objects.filter(organization=organization, kind=Kind.WEBHOOK_OFF)
    lately = told.filter(created_at__gt=organization.now - timedelta(days=1))
    if lately.filter(content__webhook=str(webhook.pk)).exists():
        return
    content = {"webhook": str(webhook.pk), "description": webhook.description, "why": why.value}
    emails = [member.email for member in _concerned(organization, webhook)]
    owe([new_notice(organization, Kind.WEBHOOK_OFF, email, content) for email in emails])


def _concerned(organization: Organization, webhook: Webhook) -> Sequence[Membership]:
    """The creator while they may manage webhooks, else the owners, at most five."""
    members = Membership.objects.active().filter(organization=organization, email_verified=True)
    members = members.exclude(email="").select_related("role")
    if webhook.created_by_id is not None:
        creator = members.filter(user=webhook.created_by_id).first()
        if creator and Permission.WEBHOOK_MANAGE in creator.permissions:
            return [creator]
    return list(members.filter(role__fixed=True).order_by("pk")[:MOST_TOLD])
