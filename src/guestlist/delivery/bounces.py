"""Reads what mail servers return: delivery reports (RFC 3464) and complaints (RFC 5965).

Anybody can send such a report. It is believed only if it came to a return path of ours, whose MAC holds.
"""

import email
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any, Literal, cast
from uuid import UUID

from guestlist.actions.reports import ReportedOutcome, note_report
from guestlist.delivery.answers import is_hard
from guestlist.links import delivery_of_return_path

Found = Literal["delivered", "bounced", "complained", "delayed", "relayed", "not_ours"]
MAX_SIZE = 1_000_000
# Where mail servers write to whom a message came.
_CAME_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_RETURN_PATH = re.compile(r"[A-Za-z0-9._-]{1,20}\+[A-Za-z2-7]{42}@[A-Za-z0-9.-]{1,255}")
_MOST_ADDRESSES = 50
_ACTION = re.compile(r"\s*([a-z]+)", re.IGNORECASE)
# The worst first: what one of several recipients met is what became of the message.
_OUTCOMES: dict[str, Found] = {
    "failed": "bounced",
    "delayed": "delayed",
    "relayed": "relayed",
    "expanded": "delivered",
    "delivered": "delivered",
}
_COMPLAINTS = ("abuse", "fraud", "opt-out", "opt-out-list", "other")


@dataclass(frozen=True, slots=True)
class BounceReport:
    """What a message says about a delivery of ours."""

    delivery_id: UUID
    outcome: Found
    detail: str = ""
    hard: bool = False


def ingest(raw: bytes) -> Found:
    """Read one message and write down what it says; what was found. No text makes this fail."""
    report = read_report(raw)
    if report is None:
        return "not_ours"
    if report.outcome == "relayed":  # nobody will ever say more
        return "relayed"
    known = note_report(
        delivery_id=report.delivery_id,
        outcome=cast("ReportedOutcome", report.outcome),
        detail=report.detail,
        hard=report.hard,
    )
    return report.outcome if known else "not_ours"


def read_report(raw: bytes) -> BounceReport | None:
    """The report in a message, of which at most 1 MB is looked at; None if it is none, or not on our mail."""
    raw = raw[:MAX_SIZE]
    # Most of what strangers send ends here, without taking it apart.
    if not any(_deliveries(raw.decode("ascii", "replace"))):
        return None
    try:
        return _read(email.message_from_bytes(raw))
    except Exception:  # the library trips over some of what it is given, and a report is a stranger's text
        return None


def _read(message: "Message[str, str]") -> BounceReport | None:
    parts = message.get_payload() if message.is_multipart() else []
    for part in cast("Iterable[Any]", parts):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            return _delivery_status(_came_to(message), _blocks(part))
        if kind == "message/feedback-report":
            return _complaint(message, _blocks(part))
    return None


def _blocks(part: Any) -> Sequence["Message[str, str]"]:
    """The groups of fields of a report, which the parser takes for messages."""
    payload = part.get_payload()
    return payload if isinstance(payload, list) else []


def _came_to(message: "Message[str, str]") -> UUID | None:
    fields = (str(value) for name in _CAME_TO for value in message.get_all(name, []))
    return next(_deliveries(" ".join(fields)), None)


def _deliveries(text: str) -> Iterator[UUID]:
    found = (match[0] for match in _RETURN_PATH.finditer(text))
    for _, address in zip(range(_MOST_ADDRESSES), found, strict=False):
        if delivery_id := delivery_of_return_path(address):
            yield delivery_id


def _delivery_status(delivery_id: UUID | None, blocks: Sequence["Message[str, str]"]) -> BounceReport | None:
    # The first group is about the message, each further one about a recipient.
    recipients = [block for block in blocks if _action(block)]
    if delivery_id is None or not recipients:
        return None
    worst = min(recipients, key=lambda block: list(_OUTCOMES).index(_action(block)))
    outcome = _OUTCOMES[_action(worst)]
    detail = _field(worst, "Diagnostic-Code").partition(";")[2] or _field(worst, "Status")
    hard = outcome == "bounced" and all(_is_hard(block) for block in recipients)
    return BounceReport(delivery_id, outcome, detail, hard)


def _action(block: "Message[str, str]") -> str:
    match = _ACTION.match(_field(block, "Action"))
    action = match[1].lower() if match else ""
    return action if action in _OUTCOMES else ""


def _is_hard(block: "Message[str, str]") -> bool:
    status = f"{_field(block, 'Status')} {_field(block, 'Diagnostic-Code')}"
    return _action(block) == "failed" and bool(is_hard(status))


def _complaint(message: "Message[str, str]", blocks: Sequence["Message[str, str]"]) -> BounceReport | None:
    """Where complaints go is agreed with a provider, so they name our return path instead of coming to it."""
    fields = blocks[0] if blocks else message
    named = next(_deliveries(_field(fields, "Original-Mail-From")), None)
    delivery_id, kind = _came_to(message) or named, _field(fields, "Feedback-Type").strip().lower()
    if delivery_id is None or kind not in _COMPLAINTS:
        return None
    return BounceReport(delivery_id, "complained", kind, hard=True)


def _field(block: "Message[str, str]", name: str) -> str:
    return str(block.get(name, ""))
