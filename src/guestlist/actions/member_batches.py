"""Which members an action on many is about, and what it answers."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actions.batches import SKIPPED_SHOWN
from guestlist.models import Membership, Organization, Role
from guestlist.models.fields import as_uuid
from guestlist.models.membership import MembershipQuerySet

MAX_IDS = 10_000


@dataclass(frozen=True, slots=True)
class MemberSelection:
    """Which members: by their ids, or with `matching` all that match the filter, which may be empty. A
    selection of nobody is false.
    """

    ids: Sequence[str] = ()
    matching: bool = False
    role: str = ""
    q: str = ""

    def __bool__(self) -> bool:
        return self.matching or bool(self.ids)

    def check(self) -> None:
        """Raises NoMembersChosen, TooManyIds."""
        if not self:
            raise errors.NoMembersChosen
        if len(self.ids) > MAX_IDS:
            raise errors.TooManyIds(count=f"{len(self.ids):,}", limit=f"{MAX_IDS:,}")

    def rows(self, organization: Organization) -> MembershipQuerySet:
        """The chosen members of `organization`, in the order of joining."""
        rows = Membership.objects.active().filter(organization=organization)
        if self.matching:
            rows = rows.with_role(self.role).matching(self.q)
        else:
            rows = rows.filter(pk__in=[pk for pk in map(as_uuid, self.ids) if pk])
        # Last, for what searches may begin a query anew.
        return rows.select_related("role", "user").order_by("pk")


@dataclass(frozen=True, slots=True)
class MemberResult:
    """What became of a selection, by outcome: the verb, or why somebody was skipped. `results` names by id
    what became of each; of a filter, the first 100 that were skipped. `role` is the one that was given.
    """

    verb: str
    counts: Mapping[str, int]
    results: Sequence[tuple[str, str]]
    role: Role | None = None

    @classmethod
    def of(
        cls,
        verb: str,
        selection: MemberSelection,
        chosen: Sequence[Membership],
        done: Collection[Membership],
        refused: Mapping[Any, errors.GuestlistError],
        role: Role | None = None,
    ) -> "MemberResult":
        """`refused` is membership id → why."""
        outcomes = dict.fromkeys((member.pk for member in chosen), "unchanged")
        outcomes |= {pk: error.code for pk, error in refused.items()}
        outcomes |= dict.fromkeys((member.pk for member in done), verb)
        if selection.matching:
            counts = Counter(outcomes.values())
            skipped = [(str(pk), outcome) for pk, outcome in outcomes.items() if outcome != verb]
            return cls(verb, counts, skipped[:SKIPPED_SHOWN], role)
        known = {str(pk): outcome for pk, outcome in outcomes.items()}
        results = [
            (text, known.get(str(as_uuid(text)), "not_found")) for text in dict.fromkeys(selection.ids)
        ]
        return cls(verb, Counter(outcome for _id, outcome in results), results, role)

    @property
    def done(self) -> int:
        """How many it happened to."""
        return self.counts.get(self.verb, 0)

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it."""
        return {
            self.verb: self.done,
            "skipped": sum(self.counts.values()) - self.done,
            "results": [{"id": pk, "outcome": outcome} for pk, outcome in self.results],
        }

    def __str__(self) -> str:
        return " ".join([self._done(), *(text % {"number": n} for text, n in self._skipped() if n)])

    def _done(self) -> str:
        if self.verb == "removed":
            return ngettext("%d member removed.", "%d members removed.", self.done) % self.done
        if self.role is None:
            return (
                ngettext("%d member has no role now.", "%d members have no role now.", self.done) % self.done
            )
        text = ngettext(
            "%(number)d member is now %(role)s.", "%(number)d members are now %(role)s.", self.done
        )
        return text % {"number": self.done, "role": self.role.name}

    def _skipped(self) -> list[tuple[str, int]]:
        counts = Counter(self.counts)
        own, above, last = (
            counts["own_role"] + counts["own_membership"],
            counts["above_own_role"],
            counts["last_owner"],
        )
        same, gone = counts["unchanged"], counts["not_found"]
        return [
            (_("%(number)d skipped: you."), own),
            (
                ngettext(
                    "%(number)d skipped: has permissions that you don’t have.",
                    "%(number)d skipped: have permissions that you don’t have.",
                    above,
                ),
                above,
            ),
            (
                ngettext(
                    "%(number)d skipped: the last owner stays.",
                    "%(number)d skipped: the last owner stays.",
                    last,
                ),
                last,
            ),
            (
                ngettext("%(number)d had this role already.", "%(number)d had this role already.", same),
                same,
            ),
            (
                ngettext(
                    "%(number)d skipped: no longer a member.", "%(number)d skipped: no longer members.", gone
                ),
                gone,
            ),
        ]
