"""Addresses from words and files, sent however many they are, and what became of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from guestlist.actions.batches import REASONS, InvitationBatch, Outcome
from guestlist.actions.sending import MAX_ADDRESSES
from guestlist.address_files import MAX_FILE, AddressList, Line, parse_lines, read_file
from guestlist.addresses import ParsedAddresses, parse_items
from guestlist.cli import output


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of all that was given, with the row of each where it came from a file."""

    batch: InvitationBatch
    rows: Sequence[int | None]

    @property
    def failed(self) -> bool:
        """Whether the command ends with status 1."""
        return bool(self.batch.invalid) and not self.batch.sent

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it, with the rows."""
        answer = self.batch.as_resource()
        for result, row in zip(answer["results"], self.rows, strict=False):
            if row:
                result["row"] = row
        return answer


def given(words: Sequence[str], file: BinaryIO | None) -> AddressList:
    """What was typed, and what the file holds. Raises FileTooLarge, FileNotText, FileEmpty, InputTooLarge."""
    if file is None:
        parsed = parse_items(words)
        return AddressList(parsed, (None,) * len(parsed.items))
    content = read_file(file.read(MAX_FILE + 1))
    return parse_lines([*(Line(None, word) for word in words), *content])


def send(
    action: Callable[..., InvitationBatch], *, addresses: AddressList, shown: bool, **values: Any
) -> Sent:
    """Hand the addresses to the action, at most 10,000 at a time. Raises what it refuses."""
    outcomes, warnings = list[Outcome](), dict[str, None]()
    for part in output.progress(list(_parts(addresses.parsed)), label="Invitations", shown=shown):
        batch = action(actor=output.OPERATOR, parsed=part, **values)
        outcomes += batch.outcomes
        warnings |= dict.fromkeys(batch.warnings)
    return Sent(InvitationBatch(outcomes, addresses.parsed.ignored, tuple(warnings)), addresses.rows)


def _parts(parsed: ParsedAddresses) -> Iterator[ParsedAddresses]:
    for start in range(0, max(1, len(parsed.items)), MAX_ADDRESSES):
        yield replace(parsed, items=parsed.items[start : start + MAX_ADDRESSES])


def print_sent(sent: Sent, *, dry_run: bool) -> None:
    """The totals, then whatever needs a look, each with its row."""
    batch = sent.batch
    output.say(_preview(batch) if dry_run else str(batch))
    if dry_run:
        for outcome in batch.outcomes:
            if outcome.outcome == "would_send" and outcome.item.address:
                output.say(f"  {outcome.item.address.email}")
    print_troubles(sent)


def print_troubles(sent: Sent) -> None:
    """What needs a look: addresses to which mail came back, and what could not be invited."""
    batch = sent.batch
    pairs = list(zip(batch.outcomes, sent.rows, strict=False))
    for outcome, row in pairs:
        if outcome.is_marked and outcome.mark:
            said = f"{words(outcome.mark.warning)}: {outcome.mark.detail}".rstrip(": ")
            output.say(f"  {_item(outcome, row)}{said}")
    for outcome, row in pairs:
        if outcome.outcome == "invalid":
            output.say(f"  {_item(outcome, row)}{REASONS.get(outcome.item.reason or '', 'invalid')}")


def _preview(batch: InvitationBatch) -> str:
    counts = {"would be sent": batch.sent, "to fix": len(batch.invalid)}
    for name in ("already_member", "already_invited", "suppressed", "duplicate"):
        counts[words(name)] = batch.count(name)
    return "Dry run, nothing was sent: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n) + "."


def _item(outcome: Outcome, row: int | None) -> str:
    token = outcome.item.token
    return f"row {row}: {token} – " if row else f"{token}: "


def words(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")
