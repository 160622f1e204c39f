"""What ends together with a membership: part of the actions remove and leave."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist.actions.invitee import verified_keys
from guestlist.actors import Actor, Origin
from guestlist.conf import conf
from guestlist.events import Happening, record_all
from guestlist.models import ApiKey, Invitation, Membership, Organization
from guestlist.models.fields import chunks

KEYS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Stopping:
    """What stops working when `members` of a selection are removed. `str()` is the sentence people read,
    empty where nothing does.
    """

    members: int
    invitations: int
    hand_over_links: int
    api_keys: Sequence[str]

    @classmethod
    def of(cls, organization: Organization, members: Collection[Membership]) -> "Stopping":
        """With the same number of statements for 1 and for 10,000 members."""
        return cls(
            members=len(members),
            invitations=len(addressed_to(organization, members)),
            hand_over_links=sum(links.count() for links in _hand_over_links(organization, members)),
            api_keys=sorted(key.name for key in keys_of(organization, members)),
        )

    def __str__(self) -> str:
        parts = [*self._invitations(), *self._links(), *self._keys()]
        number = self.invitations + self.hand_over_links + len(self.api_keys)
        if not parts:
            return ""
        text = ngettext("%(what)s stops working.", "%(what)s stop working.", number)
        return capfirst(text % {"what": get_text_list(parts, _("and"))})

    def _invitations(self) -> Iterator[str]:
        if number := self.invitations:
            # Of one member or of several: “their” holds for both.
            text = ngettext(
                "%d pending invitation to their addresses",
                "%d pending invitations to their addresses",
                number,
            )
            yield text % number

    def _links(self) -> Iterator[str]:
        if number := self.hand_over_links:
            yield ngettext("%d hand-over link", "%d hand-over links", number) % number

    def _keys(self) -> Iterator[str]:
        if number := len(self.api_keys):
            if number > KEYS_NAMED:
                yield ngettext("%d API key", "%d API keys", number) % number
                return
            names = ngettext("the API key %(names)s", "the API keys %(names)s", number)
            yield names % {"names": ", ".join(self.api_keys)}


def keys_of(organization: Organization, members: Collection[Membership]) -> list[ApiKey]:
    """The API keys of `organization` that these people made and that still open something."""
    ours = ApiKey.objects.usable().filter(organization=organization)
    return [
        key
        for user_ids in chunks([member.user_id for member in members])
        for key in ours.filter(created_by__in=user_ids)
    ]


def revoke_keys(actor: Actor, organization: Organization, members: Collection[Membership]) -> None:
    """Part of remove and leave: end what these people made for programs, in the locked `organization`."""
    keys = keys_of(organization, members)
    for ids in chunks([key.pk for key in keys]):
        ApiKey.objects.filter(pk__in=ids, revoked_at=None).update(revoked_at=organization.now)
    record_all(actor, organization, [Happening("api_key.revoked", key) for key in keys])


def addressed_to(organization: Organization, members: Collection[Membership]) -> list[Any]:
    """The ids of the pending invitations to any address of these people."""
    pending = Invitation.objects.pending().filter(organization=organization)
    if len(members) == 1:
        (member,) = members
        keys = verified_keys(Actor.user(member.user, origin=Origin())) | {member.email_key}
        return list(pending.filter(key__in=keys).values_list("pk", flat=True))
    # Asking everybody for their addresses would be a query for each of them.
    users, keys = {member.user_id for member in members}, {member.email_key for member in members}
    found = list(pending.values_list("pk", "key"))
    return [
        pk
        for chunk in chunks(found)
        for owners in [conf().addresses.owners([key for _pk, key in chunk])]
        for pk, key in chunk
        if key in keys or owners.get(key) in users
    ]


def _hand_over_links(organization: Organization, members: Collection[Membership]) -> Iterator[Any]:
    working = Invitation.objects.pending().filter(organization=organization, hand_over_nonce__isnull=False)
    for ids in chunks([str(member.user_id) for member in members]):
        yield working.filter(hand_over_by_id__in=ids)
