"""How many invitations and members an organization has: the database itself keeps count, so that no page has
to. Triggers of the migration `0010_headcount` do so, under the organization's lock like whatever they count.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from guestlist.models.invitation import ASKED, Invitation, Status
from guestlist.models.join_request import JoinRequest
from guestlist.models.listing import COUNT_LIMIT, capped_count_sql, capped_counts
from guestlist.models.membership import NEEDS_ROLE
from guestlist.models.organization import Organization
from guestlist.models.prepared import Bind, Prepared


class Headcount(models.Model):
    """`number` invitations of an organization whose status is `value`, or active members whose role has the
    id `value`, empty for those without one.
    """

    class Noun(models.TextChoices):
        """What is counted."""

        INVITATION = "invitation"
        MEMBER = "member"

    pk = models.CompositePrimaryKey("organization", "noun", "value")
    # The primary key begins with it.
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="headcounts", db_index=False)
    noun = models.CharField(max_length=10, choices=Noun.choices)
    value = models.CharField(max_length=36)
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.number} {self.noun} {self.value}"


@dataclass(frozen=True, slots=True)
class Headcounts:
    """What the lists of an organization hold now, nothing counted further than 10,001.

    `invitations` by the filters of their list, `members` by the id of their role or `none`; empty is all of
    them. `swept` where no pending one has lapsed. `requests` are those to join that wait.
    """

    invitations: Mapping[str, int]
    swept: bool
    members: Mapping[str, int]
    requests: int

    @classmethod
    def of(cls, organization: Organization) -> "Headcounts":
        """In one statement, but for an organization with more than 10,000 invitations that have lapsed and
        that nobody has swept yet.
        """
        counted = _counted(organization)
        invitations = {status: counted[Headcount.Noun.INVITATION, status] for status in Status.values}
        everything, lapsed = sum(invitations.values()), counted["lapsed", ""]
        invitations[Status.EXPIRED] += lapsed
        if lapsed <= COUNT_LIMIT:
            invitations[Status.PENDING] -= lapsed
        else:
            pending = Invitation.objects.pending().filter(organization=organization)
            (invitations[Status.PENDING],) = capped_counts([pending])
        members = {
            str(UUID(value)) if value else NEEDS_ROLE: number
            for (noun, value), number in counted.items()
            if noun == Headcount.Noun.MEMBER
        }
        return cls(
            _capped({**invitations, ASKED: counted["asked", ""], "": everything}),
            not lapsed,
            _capped(Counter({**members, "": sum(members.values())})),
            counted["requests", ""],
        )


def _capped(numbers: Mapping[str, int]) -> Mapping[str, int]:
    return Counter({name: min(number, COUNT_LIMIT + 1) for name, number in numbers.items()})


def _counted(organization: Organization) -> Counter[tuple[str, str]]:
    """What triggers count, and what changes without them: few rows, of which an index knows."""
    rows = _COUNTED.rows(organization=organization.pk)
    return Counter({(noun, value): number for noun, value, number in rows})


def _sql() -> tuple[str, Sequence[Any]]:
    here = Bind("organization", models.UUIDField())
    ours = Invitation.objects.filter(organization=here)
    rows = Headcount.objects.filter(organization=here).values_list("noun", "value", "number")
    sql, params = rows.query.sql_with_params()
    parts, values = [sql], list(params)
    for name, few in {
        "lapsed": ours.filter(status=Status.PENDING, expires_at__lte=Now()),
        "asked": ours.asked(),
        "requests": JoinRequest.objects.pending().filter(organization=here),
    }.items():
        count, more = capped_count_sql(few)
        parts.append(f"SELECT '{name}', '', {count}")
        values.extend(more)
    return " UNION ALL ".join(parts), values


_COUNTED = Prepared(_sql)
