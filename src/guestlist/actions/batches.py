"""What an action on many invitations answers: exact, and in words."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from guestlist import errors
from guestlist.actions.marks import Mark
from guestlist.addresses import REASONS as ADDRESS_REASONS
from guestlist.addresses import Item, ParsedAddresses
from guestlist.conf import conf
from guestlist.models import Invitation, Organization
from guestlist.models.fields import as_uuid, searchable
from guestlist.models.invitation import FILTERS, InvitationQuerySet

SKIPPED_SHOWN = 100
SENT = ("sent", "would_send")
SKIPPED = ("already_member", "already_invited", "suppressed", "declined")
NOT_ALLOWED = "domain_not_allowed"
# Why something that was typed can't be invited.
REASONS = {**ADDRESS_REASONS, NOT_ALLOWED: gettext_noop("the organization doesn’t allow this domain")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing that was typed."""

    item: Item
    outcome: str
    invitation: Invitation | None = None
    mark: Mark | None = None

    @property
    def is_marked(self) -> bool:
        """Whether it would go, went or is held back although earlier mail came back or was unwanted."""
        return self.mark is not None and self.outcome in (*SENT, "held")

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it."""
        if self.item.address is None:
            return {"input": self.item.token, "outcome": self.outcome, "reason": self.item.reason}
        answer: dict[str, Any] = {"email": self.item.address.email, "outcome": self.outcome}
        if self.invitation:
            answer["invitation"] = self.invitation.as_resource()
        if warnings := [*self.item.warnings, *([self.mark.warning] if self.mark else [])]:
            answer["warnings"] = warnings
        return answer


@dataclass(frozen=True, slots=True)
class Standing:
    """How addresses stand with an organization before a send, by comparison key. `not_allowed` are those that
    its settings keep out, `declined` those whose word is kept, `held` those of the marked ones that are not
    to be sent to yet.
    """

    members: Collection[str]
    pending: Mapping[str, Invitation]
    suppressed: Collection[str]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    held: Collection[str] = ()
    not_allowed: Collection[str] = ()
    declined: Collection[str] = ()

    def __contains__(self, key: str) -> bool:
        groups = (
            self.members,
            self.pending,
            self.not_allowed,
            self.suppressed,
            self.declined,
            self.held,
        )
        return any(key in known for known in groups)


@dataclass(frozen=True, slots=True)
class InvitationBatch:
    """One outcome for each thing that was typed, in its order. `str()` is the sentence people read."""

    outcomes: Sequence[Outcome]
    ignored: Sequence[str]
    warnings: Sequence[str]

    @classmethod
    def of(
        cls, parsed: ParsedAddresses, standing: Standing, sent: Mapping[str, Invitation] | None
    ) -> "InvitationBatch":
        """Without `sent` it is a preview."""
        outcomes = [_outcome(item, standing, sent) for item in parsed.items]
        warnings = list(parsed.warnings)
        if conf().email_sending == "off":
            warnings.append("email_not_configured")
        return cls(outcomes, parsed.ignored, warnings)

    def count(self, *outcomes: str) -> int:
        """How many had one of these outcomes."""
        return sum(o.outcome in outcomes for o in self.outcomes)

    @property
    def sent(self) -> int:
        """How many invitations went out (of a preview: would go out)."""
        return self.count(*SENT)

    @property
    def invalid(self) -> Sequence[Outcome]:
        """What could not be understood as an address, or is at a domain that is not allowed."""
        return [o for o in self.outcomes if o.outcome == "invalid"]

    @property
    def marked(self) -> Sequence[Outcome]:
        """What goes, or is held back, although earlier mail came back or was unwanted."""
        return [o for o in self.outcomes if o.is_marked]

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it. The four counts add up to the number of results."""
        answer: dict[str, Any] = {
            "sent": self.sent,
            "skipped": self.count(*SKIPPED),
            "duplicates": self.count("duplicate"),
            "invalid": len(self.invalid),
            "ignored": list(self.ignored),
            "results": [o.as_resource() for o in self.outcomes],
        }
        if self.warnings:
            answer["warnings"] = list(self.warnings)
        return answer

    def __str__(self) -> str:
        members, invited = self.count("already_member"), self.count("already_invited")
        listed, bad, unwanted = self.count("duplicate"), len(self.invalid), self.count("suppressed")
        held = self.count("held")
        parts = [
            ngettext("%d invitation sent.", "%d invitations sent.", self.sent) % self.sent
            if self.sent
            else _("Nothing was sent."),
            members
            and ngettext("%d already a member, skipped.", "%d already members, skipped.", members) % members,
            invited
            and ngettext("%d already invited, skipped.", "%d already invited, skipped.", invited) % invited,
            unwanted and _asked_not_to(unwanted),
            held and ngettext("%d held back.", "%d held back.", held) % held,
            listed and ngettext("%d listed twice.", "%d listed twice.", listed) % listed,
            bad and ngettext("%d to fix.", "%d to fix.", bad) % bad,
            self.sent
            and "email_not_configured" in self.warnings
            and _("E-mail is not configured; nothing has gone out yet."),
        ]
        return " ".join(part for part in parts if part)


def _outcome(item: Item, standing: Standing, sent: Mapping[str, Invitation] | None) -> Outcome:
    if item.kind != "address" or item.address is None:
        return Outcome(item, item.kind)
    key, mark = item.address.key, standing.marks.get(item.address.key)
    if key in standing.members:
        return Outcome(item, "already_member")
    if key in standing.pending:
        return Outcome(item, "already_invited", standing.pending[key], mark)
    if key in standing.not_allowed:
        return Outcome(replace(item, address=None, reason=NOT_ALLOWED), "invalid")
    if key in standing.suppressed:
        return Outcome(item, "suppressed")
    if key in standing.declined:
        return Outcome(item, "declined")
    if key in standing.held:
        return Outcome(item, "held", mark=mark)
    if sent is None:
        return Outcome(item, "would_send", mark=mark)
    return Outcome(item, "sent", sent[key], mark)


def check_status(status: str) -> None:
    """Raises InvalidFilter for what lists of invitations are not filtered by; empty is all of them."""
    if status and status not in FILTERS:
        raise errors.InvalidFilter(field="status", value=status[:100], choices=", ".join(FILTERS))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which invitations: by their ids, or by a filter. An empty selection is false, and so is one with a
    filter that nothing can be searched for.
    """

    ids: Sequence[str] | None = None
    status: str | None = None
    q: str | None = None

    def __bool__(self) -> bool:
        return self.ids is not None or bool(self.status or searchable(self.q or ""))

    def rows(self, organization: Organization, *, swept: bool = False) -> InvitationQuerySet:
        """The chosen invitations of `organization`. For `swept` see `with_status`. Raises InvalidFilter for
        a status that is none.
        """
        rows = Invitation.objects.filter(organization=organization)
        if self.ids is not None:
            return rows.filter(pk__in=[pk for pk in map(as_uuid, self.ids) if pk]).for_display()
        check_status(self.status or "")
        rows = rows.with_status(self.status, swept=swept) if self.status else rows
        return rows.matching(self.q or "").for_display()


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of a selection, by outcome: the verb, or why one was skipped. With ids, `results` names
    what became of each; by filter, the first 100 that were skipped.
    """

    verb: str
    counts: Mapping[str, int]
    results: Sequence[tuple[str, str]]

    @classmethod
    def of(
        cls,
        verb: str,
        selection: Selection,
        chosen: Sequence[Invitation],
        done: Iterable[UUID],
        suppressed: Collection[str] = (),
        too_soon: Collection[UUID] = (),
        not_allowed: Collection[UUID] = (),
    ) -> "BulkResult":
        """`done` are the ids of those of `chosen` to which it happened, `suppressed` the comparison keys of
        those who asked not to be invited, `too_soon` the ids of those that have to wait, `not_allowed` of
        those at a domain that the organization keeps out.
        """
        outcomes = dict.fromkeys((row.pk for row in chosen), "not_pending")
        outcomes |= dict.fromkeys(too_soon, "too_soon")
        outcomes |= dict.fromkeys(not_allowed, NOT_ALLOWED)
        outcomes |= {row.pk: "suppressed" for row in chosen if row.key in suppressed}
        outcomes |= dict.fromkeys(done, verb)
        if selection.ids is not None:
            results = _each_once(selection.ids, outcomes)
            return cls(verb, Counter(outcome for _id, outcome in results), results)
        skipped = [(str(pk), outcome) for pk, outcome in outcomes.items() if outcome != verb]
        return cls(verb, Counter(outcomes.values()), skipped[:SKIPPED_SHOWN])

    @property
    def done(self) -> int:
        """To how many it happened."""
        return self.counts.get(self.verb, 0)

    @property
    def skipped(self) -> int:
        """How many there are besides."""
        return sum(self.counts.values()) - self.done

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it. With ids, both numbers add up to that of the results."""
        return {
            self.verb: self.done,
            "skipped": self.skipped,
            "results": [{"id": pk, "outcome": outcome} for pk, outcome in self.results],
        }

    def __str__(self) -> str:
        if self.verb == "revoked":
            done = ngettext("%d invitation revoked.", "%d invitations revoked.", self.done) % self.done
        else:
            done = ngettext("%d invitation sent again.", "%d invitations sent again.", self.done) % self.done
        return " ".join((done, *self._skipped()))

    def _skipped(self) -> Iterator[str]:
        counts = Counter(self.counts)
        if unwanted := counts["suppressed"]:
            yield _asked_not_to(unwanted)
        if soon := counts["too_soon"]:
            text = ngettext(
                "%d sent a short while ago, skipped.", "%d sent a short while ago, skipped.", soon
            )
            yield text % soon
        if kept_out := counts[NOT_ALLOWED]:
            text = ngettext(
                "%d at a domain that is not allowed, skipped.",
                "%d at domains that are not allowed, skipped.",
                kept_out,
            )
            yield text % kept_out
        if gone := counts["not_pending"]:
            yield ngettext("%d skipped: no longer pending.", "%d skipped: no longer pending.", gone) % gone
        if unknown := counts["not_found"]:
            yield ngettext("%d skipped: not found.", "%d skipped: not found.", unknown) % unknown
        if again := counts["duplicate"]:
            yield ngettext("%d listed twice.", "%d listed twice.", again) % again


def _each_once(ids: Iterable[str], outcomes: Mapping[UUID, str]) -> list[tuple[str, str]]:
    """What became of each id: one that is there again is a duplicate, and one of nothing is not found."""
    seen: set[UUID | str] = set()
    results = []
    for text in ids:
        pk = as_uuid(text)
        outcome = outcomes.get(pk, "not_found") if pk else "not_found"
        results.append((text, "duplicate" if (pk or text) in seen else outcome))
        seen.add(pk or text)
    return results


def _asked_not_to(number: int) -> str:
    text = ngettext("%d asked not to be invited, skipped.", "%d asked not to be invited, skipped.", number)
    return text % number
