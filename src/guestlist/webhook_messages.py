"""What webhooks are told: the calls that are owed for events, in their transaction."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import models

from guestlist.models import (
    Event,
    Invitation,
    Membership,
    Organization,
    Role,
    Webhook,
    WebhookDelivery,
)
from guestlist.models.fields import CHUNK, chunks, insert_all, timestamp
from guestlist.permissions import Permission
from guestlist.wakeup import wake_after_commit

# The types of events that webhooks carry → what one has to be allowed to read them; None is every member's.
TYPES: Mapping[str, Permission | None] = {
    "invitation.sent": Permission.MEMBER_MANAGE,
    "invitation.resent": Permission.MEMBER_MANAGE,
    "invitation.delivered": Permission.MEMBER_MANAGE,
    "invitation.bounced": Permission.MEMBER_MANAGE,
    "invitation.failed": Permission.MEMBER_MANAGE,
    "invitation.accepted": Permission.MEMBER_MANAGE,
    "invitation.declined": Permission.MEMBER_MANAGE,
    "invitation.revoked": Permission.MEMBER_MANAGE,
    "invitation.expired": Permission.MEMBER_MANAGE,
    "member.joined": Permission.MEMBER_MANAGE,
    "member.role_changed": Permission.MEMBER_MANAGE,
    "member.removed": Permission.MEMBER_MANAGE,
    "member.left": Permission.MEMBER_MANAGE,
    "role.created": Permission.ROLE_READ,
    "role.updated": Permission.ROLE_READ,
    "role.deleted": Permission.ROLE_READ,
    "organization.updated": None,
}


def readable(held: Collection[str]) -> frozenset[str]:
    """The types that somebody with these permissions may read."""
    return frozenset(kind for kind, needed in TYPES.items() if needed is None or needed in held)


def owe_calls(organization: Organization, happened: Sequence[tuple[Event, models.Model]]) -> None:
    """Part of recording events: owe a call to each webhook that is told of one, with the event's subject as
    the API shows it now. A few statements for any number of events, none where nobody is told.
    """
    told = [(event, subject) for event, subject in happened if event.type in TYPES]
    if not told or not organization.has_webhooks:
        return
    webhooks = list(Webhook.objects.enabled().filter(organization=organization))
    wanted = {kind for webhook in webhooks for kind in webhook.types}
    told = [(event, subject) for event, subject in told if event.type in wanted]
    if told:
        resources = _resources([subject for _event, subject in told])
        calls = _calls(organization, webhooks, told, resources)
        while run := list(islice(calls, CHUNK)):
            insert_all(run)
        wake_after_commit()


def message_body(kind: str, at: str | None, data: Mapping[str, Any]) -> str:
    """What is sent. ASCII, so that its bytes are its characters."""
    return json.dumps({"type": kind, "timestamp": at, "data": data}, separators=(",", ":"))


def _calls(
    organization: Organization,
    webhooks: Sequence[Webhook],
    told: Sequence[tuple[Event, models.Model]],
    resources: Mapping[Any, dict[str, Any]],
) -> Iterator[WebhookDelivery]:
    for event, subject in told:
        body = message_body(event.type, timestamp(event.at), resources[subject.pk])
        for webhook in webhooks:
            if event.type in webhook.types:
                yield WebhookDelivery(
                    organization=organization,
                    webhook=webhook,
                    event_id=event.pk,
                    number=event.number,
                    type=event.type,
                    subject_id=event.subject_id,
                    subject_name=event.subject_name,
                    body=body,
                    created_at=organization.now,
                    owed_since=organization.now,
                    next_at=organization.now,
                )


def _resources(subjects: Sequence[models.Model]) -> dict[Any, dict[str, Any]]:
    """Primary key → the subject as the API shows it, read anew, since what an action holds may be older."""
    by_kind: dict[type[models.Model], list[Any]] = {}
    for subject in subjects:
        by_kind.setdefault(type(subject), []).append(subject.pk)
    rows: dict[type[models.Model], models.QuerySet[Any]] = {
        Invitation: Invitation.objects.for_display(),
        Membership: Membership.objects.select_related("role"),
    }
    found: dict[Any, dict[str, Any]] = {s.pk: _own(s) for s in subjects if type(s) not in rows}
    for kind, queryset in rows.items():
        for ids in chunks(by_kind.get(kind, [])):
            found |= {row.pk: row.as_resource() for row in queryset.filter(pk__in=ids)}
    return found


def _own(subject: models.Model) -> dict[str, Any]:
    if isinstance(subject, Role):
        return subject.as_resource(Membership.objects.active().filter(role=subject.pk).count())
    assert isinstance(subject, Organization)
    return subject.as_resource()
