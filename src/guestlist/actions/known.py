"""What there is about some addresses, before any of it is read: of most that are invited, nothing."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from django.db.models import CharField, Exists, Q, QuerySet, UUIDField

from guestlist.conf import conf
from guestlist.models import Delivery, Invitation, Membership, Organization, Suppression
from guestlist.models.delivery import TO_INVITED
from guestlist.models.invitation import Status
from guestlist.models.prepared import Among, Bind, Prepared


class Known(NamedTuple):
    """Whether any of the addresses has, in the organization, an invitation that is stored as pending, also
    where its time is over; a question for a new one; a membership that names it, or whose user owns it;
    somebody who wants no mail; mail that came back or was unwanted. `owners` is comparison key → id of the
    user whose address it is.
    """

    owners: Mapping[str, Any]
    invited: bool
    asking: bool
    named: bool
    joined: bool
    suppressed: bool
    marked: bool

    @classmethod
    def of(cls, organization: Organization, keys: Collection[str]) -> "Known":
        """In two statements for any number of comparison keys, whether somebody has an account or not: how
        long it takes tells nobody.
        """
        owners = conf().addresses.owners(keys)
        users = list(set(owners.values()))
        return cls(owners, *_KNOWN.rows(organization=organization.pk, keys=list(keys), users=users)[0])


def _known() -> "QuerySet[Organization, Any]":
    organization = Bind("organization", UUIDField())
    listed = Among("key", "keys", CharField())
    here = Q(organization=organization)
    members = Membership.objects.active().filter(here)
    user_id: Any = Membership._meta.get_field("user").target_field
    found = (
        Invitation.objects.filter(here, listed, status=Status.PENDING),
        Invitation.objects.asked().filter(here, listed),
        members.filter(Among("email_key", "keys", CharField()), email_verified=True),
        members.filter(Among("user", "users", user_id)),
        Suppression.objects.filter(here | Q(organization=None), listed),
        Delivery.objects.filter(here, listed, hard=True, kind__in=TO_INVITED),
    )
    return Organization.objects.filter(pk=organization).values_list(*map(Exists, found))


_KNOWN = Prepared(_known)
