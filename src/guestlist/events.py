"""The catalogue of event types, and the one way to write them down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from guestlist.actors import Actor
from guestlist.models import (
    ApiKey,
    Domain,
    Event,
    Invitation,
    JoinLink,
    JoinRequest,
    Membership,
    Organization,
    Role,
    Webhook,
)
from guestlist.models.fields import insert_all
from guestlist.models.prepared import Bind, Prepared
from guestlist.webhook_messages import owe_calls

TYPES = frozenset(
    {
        "organization.created",
        "organization.updated",
        "organization.deleted",
        "organization.restored",
        "invitation.sent",
        "invitation.resent",
        "invitation.accepted",
        "invitation.declined",
        "invitation.revoked",
        "invitation.expired",
        "invitation.failed",
        "invitation.delivered",
        "invitation.bounced",
        "invitation.complained",
        "invitation.reminded",
        "invitation.retried",
        "invitation.asked",
        "invitation.request_dismissed",
        "invitation.suppressed",
        "invitation.allowed",
        "invitation.link_created",
        "member.joined",
        "member.role_changed",
        "member.removed",
        "member.left",
        "role.created",
        "role.updated",
        "role.deleted",
        "join_link.created",
        "join_link.updated",
        "domain.added",
        "domain.verified",
        "domain.updated",
        "domain.removed",
        "join_request.created",
        "join_request.granted",
        "join_request.dismissed",
        "api_key.created",
        "api_key.rotated",
        "api_key.revoked",
        "webhook.created",
        "webhook.updated",
        "webhook.secret_rotated",
        "webhook.disabled",
        "webhook.deleted",
        "setup_link.created",
    }
)

_COUNT_ON = Prepared(
    lambda: Organization.objects.filter(pk=Bind("organization", models.UUIDField())),
    event_number=Bind("number", models.PositiveBigIntegerField()),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one subject. `changes` is field → (before, after)."""

    type: str
    subject: models.Model
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def record_all(actor: Actor, organization: Organization, happenings: Sequence[Happening]) -> None:
    """Append events to the audit log, numbered without gaps, and owe the calls that tell webhooks of them.
    A few statements for any number.

    `organization` must be locked by this transaction (`OrganizationQuerySet.lock`): its number is counted on.
    """
    if not happenings:
        return
    events = list(_events(actor, organization, happenings))
    insert_all(events)
    organization.event_number += len(happenings)
    _COUNT_ON.run(organization=organization.pk, number=organization.event_number)
    owe_calls(organization, [(e, h.subject) for e, h in zip(events, happenings, strict=True)])


def record(actor: Actor, organization: Organization, happening: Happening) -> None:
    """Append one event."""
    record_all(actor, organization, [happening])


def _events(actor: Actor, organization: Organization, happenings: Sequence[Happening]) -> Iterable[Event]:
    for number, happening in enumerate(happenings, organization.event_number + 1):
        if happening.type not in TYPES:
            raise ValueError(f"{happening.type} is not in the catalogue")
        kind, name = _subject(happening.subject)
        yield Event(
            organization=organization,
            number=number,
            type=happening.type,
            at=organization.now,
            actor_type=actor.type,
            actor_id=actor.id,
            actor_name=actor.name[:254],
            door=actor.origin.door,
            ip=actor.origin.ip,
            user_agent=actor.origin.user_agent[:200],
            subject_type=kind,
            subject_id=str(happening.subject.pk),
            subject_name=name,
            changes={name: list(pair) for name, pair in happening.changes.items()},
        )


def _subject(subject: models.Model) -> tuple[str, str]:
    match subject:
        case Invitation():
            return "invitation", subject.email
        case Membership():
            return "member", subject.name
        case Organization():
            return "organization", subject.name
        case ApiKey():
            return "api_key", subject.name
        case Role():
            return "role", subject.name
        case JoinLink():
            return "join_link", subject.name
        case Domain():
            return "domain", subject.domain
        case JoinRequest():
            return "join_request", subject.email
        case Webhook():
            return "webhook", str(subject)[:254]
    raise TypeError(f"{subject!r} is not a subject of events")
