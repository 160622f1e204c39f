"""Ending requests to join: part of the actions grant, dismiss, remove a domain, and of whatever lets in."""

from collections.abc import Sequence

from guestlist.actors import Actor
from guestlist.events import Happening, record_all
from guestlist.models import JoinRequest, Organization
from guestlist.models.fields import chunks
from guestlist.models.join_request import JoinRequestQuerySet

State = JoinRequest.State


def end_requests(
    actor: Actor, organization: Organization, rows: JoinRequestQuerySet, state: JoinRequest.State
) -> Sequence[JoinRequest]:
    """Part of joining and of removing a domain: end those of `rows` that wait in the locked `organization` as
    `state`; the ones that did.
    """
    ending = list(rows.pending().filter(organization=organization))
    for request in ending:
        request.state, request.ended_at = state, organization.now
    for some in chunks(ending):
        waiting = JoinRequest.objects.pending().filter(pk__in=[request.pk for request in some])
        waiting.update(state=state, ended_at=organization.now)
    change = {"state": (State.PENDING.value, state.value)}
    record_all(actor, organization, [Happening(f"join_request.{state}", row, change) for row in ending])
    return ending
