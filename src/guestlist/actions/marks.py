"""Addresses to which mail from this organization came back, or was unwanted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from guestlist.models import Delivery, Organization
from guestlist.models.delivery import TO_INVITED, DeliveryQuerySet, State
from guestlist.models.fields import chunks

_ARRIVED = (State.SENT, State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of the newest mail to an address; `detail` is in the mail server’s words."""

    warning: str
    detail: str
    at: datetime


def bad_addresses(organization: Organization, keys: Collection[str]) -> dict[str, Mark]:
    """Those comparison keys whose mailbox does not work or does not want mail, as far as this organization
    knows from its own mail, unless mail sent later did not come back. One query for every 10,000, and
    another where there are any.
    """
    mails = Delivery.objects.filter(organization=organization, kind__in=TO_INVITED)
    found: dict[str, Mark] = {}
    for chunk in chunks(list(keys)):
        found |= _bad(mails, chunk)
    return found


def _bad(mails: DeliveryQuerySet, keys: Collection[str]) -> dict[str, Mark]:
    bad = mails.filter(hard=True, key__in=keys).order_by("pk")
    # What was refused, and arrived when it was tried once more, is not bad.
    newest = {row.key: row for row in bad.exclude(state__in=_ARRIVED).defer("content", "history")}
    # A query of its own: as a part of the other one it looked at all later mail for each address.
    arrived = mails.filter(key__in=newest, state__in=_ARRIVED).values_list("key", "pk") if newest else ()
    recovered = {key for key, pk in arrived if pk > newest[key].pk}
    return {key: _mark(row) for key, row in newest.items() if key not in recovered}


def _mark(row: Delivery) -> Mark:
    warning = "complained_before" if row.state == State.COMPLAINED else "bounced_before"
    return Mark(warning, row.detail, row.at or row.created_at)
