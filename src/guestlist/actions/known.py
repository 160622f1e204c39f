"""What there is about some addresses, before any of it is read: of most that are invited, nothing."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from django.db.models import CharField, Exists, Q, QuerySet, UUIDField

from guestlist import errors
from guestlist.conf import conf
from guestlist.models import Delivery, Invitation, Membership, Organization, Suppression
from guestlist.models.delivery import TO_INVITED
from guestlist.models.invitation import Status
from guestlist.models.prepared import Among, Bind, Prepared, Unindexed


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
        if len(keys) == 1:
            (key,), user = keys, next(iter(owners.values()), None)
            rows = _OF_ONE.rows(organization=organization.pk, key=key, user=user)
        else:
            users = list(set(owners.values()))
            rows = _OF_MANY.rows(organization=organization.pk, key=list(keys), user=users)
        if not rows:
            raise errors.NotFound
        return cls(owners, *rows[0])


def _known(of: "Callable[[str, str, Any], Q]") -> "QuerySet[Organization, Any]":
    """`of` compares a column with the value, or the values, of that name."""
    organization = Bind("organization", UUIDField())
    key, user_id = CharField(), Membership._meta.get_field("user").target_field
    here, of_key = Q(organization=organization), of("key", "key", key)
    members = Membership.objects.active()
    found = (
        Invitation.objects.filter(here, of_key, status=Status.PENDING),
        Invitation.objects.asked().filter(here, of_key),
        members.filter(here, of("email_key", "key", key), email_verified=True),
        members.alias(at=Unindexed("organization")).filter(of("user", "user", user_id), at=organization),
        Suppression.objects.alias(at=Unindexed("organization")).filter(
            Q(at=organization) | Q(at=None), of_key
        ),
        Delivery.objects.filter(here, of_key, hard=True, kind__in=TO_INVITED),
    )
    return Organization.objects.filter(pk=organization).values_list(*map(Exists, found))


_OF_ONE = Prepared(lambda: _known(lambda column, name, field: Q(**{column: Bind(name, field)})))
_OF_MANY = Prepared(lambda: _known(lambda column, name, field: Q(Among(column, name, field))))
