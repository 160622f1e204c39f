"""Create, change, turn off and on and delete webhooks, and change their secrets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.validity import parse_overlap
from guestlist.actions.webhook_calls import readable_types
from guestlist.actions.webhook_ends import TURNED_OFF, end_calls
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.links import new_nonce, webhook_secrets
from guestlist.models import Organization, Webhook, WebhookDelivery
from guestlist.models.fields import new_id, timestamp
from guestlist.models.webhook import WhyOff
from guestlist.models.webhook_delivery import TEST, CallState, WebhookDeliveryQuerySet
from guestlist.names import MAX_NAME, clean_line
from guestlist.permissions import Permission, permission_label
from guestlist.wakeup import wake_after_commit
from guestlist.webhook_messages import TYPES, readable
from guestlist.webhook_targets import clean_url

MOST_WEBHOOKS = 10
OVERLAP, MOST_OVERLAP = "24h", timedelta(days=7)
TAKEN_AWAY = gettext_noop("Not sent: the webhook is not told of this any more.")


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A webhook whose secret is new. `secret` is shown once and stored nowhere."""

    webhook: Webhook
    secret: str

    def as_resource(self) -> dict[str, Any]:
        """As it is shown that one time."""
        return {**self.webhook.as_resource(), "secret": self.secret}


def create_webhook(
    *,
    actor: Actor,
    organization: Organization,
    url: str,
    types: Iterable[str] | None = None,
    description: str = "",
    webhook_id: UUID | None = None,
) -> Disclosed:
    """Tell another program what happens: of each of `types`, or of all that the actor may read. A door asks
    before whether the address may be called at all (`delivery.targets.checked_url`). A form that is sent
    twice names the id that the webhook gets, and makes one.

    Raises NotAllowed, NotFound, WebhookUrlInvalid, WebhookUrlInsecure, WebhookTargetForbidden,
    WebhookTypeUnknown, WebhookTypeUnreadable, WebhookWithoutTypes, WebhookMade, TooManyWebhooks.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        may_read = _may_read(actor, organization)
        wanted = _ordered(may_read) if types is None else _known(types)
        _check_readable(may_read, wanted)
        if webhook_id and Webhook.objects.filter(pk=webhook_id).exists():
            raise errors.WebhookMade
        if Webhook.objects.filter(organization=organization).count() >= MOST_WEBHOOKS:
            raise errors.TooManyWebhooks(limit=MOST_WEBHOOKS)
        row = Webhook(
            id=webhook_id or new_id(),
            organization=organization,
            url=clean_url(url),
            description=clean_line(description, MAX_NAME),
            types=wanted,
            nonce=new_nonce(),
            api_key=actor.subject if actor.type == "api_key" else None,
            created_by=actor.maker,
            created_by_name=actor.name[:150],
            created_at=organization.now,
        )
        row.save(force_insert=True)
        changes = {field: (None, value) for field, value in _told(row).items() if value}
        record(actor, organization, Happening("webhook.created", row, changes))
    return Disclosed(row, secret_of(row))


def update_webhook(
    *,
    actor: Actor,
    organization: Organization,
    webhook_id: Any,
    url: str | None = None,
    types: Iterable[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> Webhook:
    """Change what `create_webhook` sets, and whether it is on; what is None stays. Nobody leads elsewhere
    what they may not read, nor adds it or what its creator may not. A new address, and turning on, starts
    clean; what a webhook is owed when it is turned off is canceled, and of a type that is taken away too.

    Raises NotAllowed, NotFound, WebhookUrlInvalid, WebhookUrlInsecure, WebhookTargetForbidden,
    WebhookTypeUnknown, WebhookTypeUnreadable, WebhookCreatorMayNotRead, WebhookWithoutTypes.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        row = locked_webhook(organization, webhook_id)
        before = _told(row)
        row.url = row.url if url is None else clean_url(url)
        row.types = row.types if types is None else _known(types)
        row.description = row.description if description is None else clean_line(description, MAX_NAME)
        if enabled is not None and enabled == bool(row.why_off):
            row.why_off = "" if enabled else WhyOff.TURNED_OFF
            row.off_since = None if enabled else organization.now
        _write(actor, organization, row, before)
    return row


def turn_off_webhook(*, actor: Actor, organization: Organization, webhook_id: Any) -> Webhook:
    """Tell it nothing any more; what it is owed is canceled. Raises NotAllowed, NotFound."""
    return update_webhook(actor=actor, organization=organization, webhook_id=webhook_id, enabled=False)


def turn_on_webhook(*, actor: Actor, organization: Organization, webhook_id: Any) -> Webhook:
    """Tell it again what happens from now on, as if it had never failed. Raises NotAllowed, NotFound."""
    return update_webhook(actor=actor, organization=organization, webhook_id=webhook_id, enabled=True)


def rotate_secret(
    *,
    actor: Actor,
    organization: Organization,
    webhook_id: Any,
    overlap: str = OVERLAP,
    mark: str | None = None,
) -> Disclosed:
    """Give it a new secret. The one it had signs too for the `overlap`: `24h`, `7d` at most, or `0`; an even
    older one no longer does. A form that is sent twice names by its `mark` the secret that it replaces.

    Raises NotAllowed, NotFound, OverlapInvalid, SecretReplaced.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        row = locked_webhook(organization, webhook_id)
        if mark is not None and mark != mark_of(row):
            raise errors.SecretReplaced
        length = parse_overlap(overlap, MOST_OVERLAP)
        row.former_nonce, row.nonce = (row.nonce if length else ""), new_nonce()
        row.former_until = organization.now + length if length else None
        row.save(update_fields=["nonce", "former_nonce", "former_until"])
        change = {"former_until": (None, timestamp(row.former_until))}
        record(actor, organization, Happening("webhook.secret_rotated", row, change))
    return Disclosed(row, secret_of(row))


def delete_webhook(*, actor: Actor, organization: Organization, webhook_id: Any) -> Webhook:
    """Forget a webhook, and with it every call that it was told or is owed. Raises NotAllowed, NotFound."""
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        row = locked_webhook(organization, webhook_id)
        changes = {field: (value, None) for field, value in _told(row).items()}
        record(actor, organization, Happening("webhook.deleted", row, changes))
        Webhook.objects.filter(pk=row.pk).delete()
    return row


def find_webhook(*, organization: Organization, webhook_id: Any) -> Webhook:
    """One webhook of the organization. Raises NotFound."""
    rows = Webhook.objects.for_display()
    return _found(rows.filter(organization=organization, pk=webhook_id).first())


def locked_webhook(organization: Organization, webhook_id: Any) -> Webhook:
    """Part of changing one: its row, held until the transaction ends, for workers change it without the
    organization's lock. Whoever also changes its calls takes this first. Raises NotFound.
    """
    rows = Webhook.objects.select_for_update().filter(organization=organization, pk=webhook_id)
    return _found(rows.first())


def secret_of(webhook: Webhook) -> str:
    """What its receiver verifies calls with."""
    return webhook_secrets(webhook.nonce, webhook.pk)[0]


def mark_of(webhook: Webhook) -> str:
    """What tells its secret from the next one, and nothing about it."""
    return salted_hmac("guestlist.actions.webhooks", webhook.nonce).hexdigest()


def _found(row: Webhook | None) -> Webhook:
    if row is None:
        raise errors.NotFound
    return row


def _write(actor: Actor, organization: Organization, row: Webhook, before: dict[str, Any]) -> None:
    after = _told(row)
    changes = {field: (before[field], after[field]) for field in after if after[field] != before[field]}
    if not changes:
        return
    moved = "url" in changes or "enabled" in changes
    owed = WebhookDelivery.objects.owed().filter(webhook=row)
    _check_types(actor, organization, row, before, owed)
    if moved:
        row.failures, row.failing_since, row.paused_until = 0, None, None
    fields = ["failures", "failing_since", "paused_until"] if moved else []
    row.save(update_fields=["url", "types", "description", "why_off", "off_since", *fields])
    if row.why_off:
        end_calls(owed, CallState.CANCELED, TURNED_OFF, at=organization.now)
    elif "types" in changes:
        away = owed.exclude(type__in=[TEST, *row.types])
        end_calls(away, CallState.CANCELED, TAKEN_AWAY, at=organization.now)
    if moved:
        owed.update(next_at=organization.now, owed_since=organization.now)
        wake_after_commit()
    record(actor, organization, Happening("webhook.updated", row, changes))


def _check_types(
    actor: Actor,
    organization: Organization,
    row: Webhook,
    before: dict[str, Any],
    owed: WebhookDeliveryQuerySet,
) -> None:
    """To lead it elsewhere one may read all that went and goes there, and what is still under way."""
    added = [kind for kind in row.types if kind not in before["types"]]
    asked = {*added}
    if row.url != before["url"]:
        asked |= {*before["types"], *row.types, *owed.values_list("type", flat=True).distinct()}
    _check_readable(_may_read(actor, organization), _ordered(asked))
    told = readable_types(row) if added else frozenset()
    for never in (kind for kind in added if kind not in told):
        raise errors.WebhookCreatorMayNotRead(type=never)


def _told(row: Webhook) -> dict[str, Any]:
    """As the audit log tells it."""
    told = {"url": row.url, "types": row.types, "description": row.description}
    return told | {"enabled": not row.why_off}


def _known(types: Iterable[str]) -> list[str]:
    """The types in the order of the catalogue, each once."""
    wanted = set(types)
    for unknown in sorted(wanted - TYPES.keys()):
        raise errors.WebhookTypeUnknown(type=unknown[:100])
    if not wanted:
        raise errors.WebhookWithoutTypes
    return _ordered(wanted)


def _ordered(types: Collection[str]) -> list[str]:
    return [kind for kind in TYPES if kind in types]


def _may_read(actor: Actor, organization: Organization) -> frozenset[str]:
    return readable(access.permissions_of(actor, organization) or frozenset())


def _check_readable(may_read: Collection[str], types: Iterable[str]) -> None:
    for kind in types:
        needed = TYPES.get(kind)
        if needed and kind not in may_read:
            raise errors.WebhookTypeUnreadable(type=kind, permission=permission_label(needed))
