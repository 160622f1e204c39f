"""A file for the invite box: its addresses are put there, to be looked at before anything is sent."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actions.batches import REASONS, InvitationBatch
from guestlist.actions.invitations import preview_invitations
from guestlist.address_files import MAX_FILE, AddressList, Line, parse_lines, read_file, text_of
from guestlist.addresses import InputTooLarge
from guestlist.web.access import Visit
from guestlist.web.invite_form import preview_of

ROWS_SHOWN = 24


def has_file(request: HttpRequest) -> bool:
    """Whether a file was sent, or asked to be read: then nothing is sent out yet."""
    return "read" in request.POST or "file" in request.FILES


def with_file(request: HttpRequest, visit: Visit) -> tuple[dict[str, Any], int]:
    """The form's context with the file's addresses behind what was typed, and the status of the answer."""
    typed = request.POST.get("emails", "")
    try:
        text, found = _combined(typed, _read(request))
    except errors.GuestlistError as error:
        return {"text": typed, "file_error": str(error)}, error.status
    try:
        batch = preview_invitations(actor=visit.actor, organization=visit.organization, parsed=found.parsed)
    except errors.NoAddresses:
        empty = errors.FileWithoutAddress()
        return {"text": typed, "file_error": str(empty)}, empty.status
    except errors.TooManyAddresses as error:
        return {"text": text, "error": str(error)}, error.status
    return {"text": text, "preview": preview_of(batch), "file": _file(batch, found)}, 200


def _read(request: HttpRequest) -> list[Line]:
    upload = request.FILES.get("file")
    if upload is None:
        raise errors.NoFile
    return read_file(upload.read(MAX_FILE + 1))


def _combined(typed: str, lines: list[Line]) -> tuple[str, AddressList]:
    whole = [*(Line(None, line) for line in typed.splitlines()), *lines]
    try:
        return text_of(whole), parse_lines(whole)
    except InputTooLarge as error:
        raise errors.InputTooLarge from error


def _file(batch: InvitationBatch, found: AddressList) -> dict[str, Any]:
    added = sum(
        row is not None and item.kind == "address"
        for item, row in zip(found.parsed.items, found.rows, strict=True)
    )
    rows = list(_rows(batch, found))
    to_fix = ngettext("%d row to fix:", "%d rows to fix:", len(rows)) % len(rows)
    text = ngettext("%d address added from the file.", "%d addresses added from the file.", added) % added
    return {
        "added": text,
        "to_fix": to_fix,
        "rows": rows[:ROWS_SHOWN],
        "more": max(0, len(rows) - ROWS_SHOWN),
    }


def _rows(batch: InvitationBatch, found: AddressList) -> Iterator[dict[str, Any]]:
    for outcome, row in zip(batch.outcomes, found.rows, strict=True):
        if row is not None and outcome.outcome == "invalid":
            yield {"row": row, "token": outcome.item.token, "why": _(REASONS[outcome.item.reason or ""])}
