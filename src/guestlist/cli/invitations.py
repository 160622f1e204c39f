"""Invitations on the command line."""

import codecs
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import invitations as actions
from guestlist.actions.batches import REASONS, BulkResult, InvitationBatch, Selection
from guestlist.addresses import ParsedAddresses, parse_addresses, parse_items
from guestlist.cli import output
from guestlist.models import Invitation, Organization
from guestlist.models.invitation import FILTERS, Status

app = output.group("Send, list, resend and revoke invitations.")
MAX_FILE = 4_000_000
Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="ADDRESS", help="Addresses, with blanks between them.", show_default=False),
]
AllPending = Annotated[bool, typer.Option("--all-pending", help="All that are pending.")]


@app.command(
    epilog=output.example(
        "invitations send northwind jane@example.com bob@example.com",
        "invitations send northwind --file addresses.txt --dry-run",
    )
)
def send(
    slug: output.Slug,
    addresses: Addresses = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(metavar="FILE", help="Text with addresses in it, in any form; - is standard input."),
    ] = None,
    language: Annotated[str, typer.Option(help="Of the mail, like de; the organization’s unless told.")] = "",
    lifetime: Annotated[
        str,
        typer.Option(help="How long they can be accepted: 36h, 7d or never; the organization’s unless told."),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    as_json: output.Json = False,
) -> None:
    """Invite people by e-mail. Members and those already invited are skipped."""
    if not addresses and file is None:
        raise typer.BadParameter("Give addresses, or --file.")
    action = actions.preview_invitations if dry_run else actions.send_invitations
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        parsed = _parsed(addresses or [], file.read(MAX_FILE + 1) if file else None)
        batch = action(
            actor=output.OPERATOR,
            organization=organization,
            parsed=parsed,
            language=language,
            lifetime=lifetime,
        )
    if as_json:
        output.print_json(batch.as_resource())
    else:
        _print_batch(batch, dry_run)
    raise typer.Exit(1 if batch.invalid and not batch.sent else 0)


@app.command("list", epilog=output.example("invitations list northwind --status pending --sort email"))
def list_(
    slug: output.Slug,
    status: Annotated[str, typer.Option(help=f"{', '.join(FILTERS)}.")] = "",
    sort: Annotated[str, typer.Option(help="email, status, invited or expires; - in front reverses.")] = (
        "-invited"
    ),
    q: Annotated[str, typer.Option(help="Only addresses that hold this text.")] = "",
    as_json: output.Json = False,
) -> None:
    """List invitations, newest first unless told otherwise."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        rows = Selection(status=status, q=output.shown(q)).rows(organization)
        found = output.read_all(rows, Invitation.COLUMNS, sort)
    if as_json:
        output.print_json_list(found)
    elif found:
        output.print_table(("EMAIL", "STATUS", "INVITED", "EXPIRES", "MAIL"), [_row(i) for i in found])
    else:
        output.say("There are no such invitations.")


@app.command(
    epilog=output.example(
        "invitations revoke northwind jane@example.com", "invitations revoke northwind --all-pending"
    )
)
def revoke(
    slug: output.Slug,
    addresses: Addresses = None,
    all_pending: AllPending = False,
    as_json: output.Json = False,
) -> None:
    """Revoke pending invitations: from then on nobody can join with them."""
    _to_chosen(actions.revoke_invitations, slug, addresses or [], all_pending, as_json)


@app.command(
    epilog=output.example(
        "invitations resend northwind jane@example.com", "invitations resend northwind --all-pending"
    )
)
def resend(
    slug: output.Slug,
    addresses: Addresses = None,
    all_pending: AllPending = False,
    as_json: output.Json = False,
) -> None:
    """Send pending and expired invitations again, with a new lifetime."""
    _to_chosen(actions.resend_invitations, slug, addresses or [], all_pending, as_json)


def _to_chosen(
    action: Callable[..., BulkResult], slug: str, addresses: list[str], all_pending: bool, as_json: bool
) -> None:
    if bool(addresses) == all_pending:
        raise typer.BadParameter("Give either addresses or --all-pending.")
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        selection = _selection(organization, addresses)
        result = action(actor=output.OPERATOR, organization=organization, selection=selection)
    if as_json:
        output.print_json(result.as_resource())
    else:
        _print_result(result, addresses)
    raise typer.Exit(1 if result.skipped and not result.done else 0)


def _selection(organization: Organization, addresses: list[str]) -> Selection:
    if not addresses:
        return Selection(status=Status.PENDING)
    # What no database can store is no address, and is answered like any other unknown one.
    emails = [output.shown(address) for address in addresses]
    return Selection(ids=actions.ids_of_addresses(organization=organization, emails=emails))


def _print_result(result: BulkResult, addresses: Sequence[str]) -> None:
    output.say(str(result))
    for address, (_, outcome) in zip(addresses, result.results, strict=False):
        if outcome != result.verb:
            output.say(f"  {address}: {_words(outcome)}")


def _parsed(addresses: list[str], content: bytes | None) -> ParsedAddresses:
    if content is None:
        return parse_items(addresses)
    if len(content) > MAX_FILE:
        raise errors.InputTooLarge
    return parse_addresses("\n".join((*addresses, _decoded(content))))


def _decoded(content: bytes) -> str:
    """Text as UTF-8, or UTF-16 where it says so. A byte that fits neither spoils its own line only."""
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf_16 else "utf-8-sig", errors="replace")


def _print_batch(batch: InvitationBatch, dry_run: bool) -> None:
    if dry_run:
        _print_preview(batch)
    else:
        output.say(str(batch))
    for outcome in batch.marked:
        if outcome.mark:
            said = f"{_words(outcome.mark.warning)}: {outcome.mark.detail}".rstrip(": ")
            output.say(f"  {outcome.item.token}: {said}")
    for outcome in batch.invalid:
        output.say(f"  {outcome.item.token}: {REASONS.get(outcome.item.reason or '', 'invalid')}")


def _print_preview(batch: InvitationBatch) -> None:
    counts = {"would be sent": batch.sent, "to fix": len(batch.invalid)}
    for name in ("already_member", "already_invited", "suppressed", "duplicate"):
        counts[_words(name)] = batch.count(name)
    output.say(
        "Dry run, nothing was sent: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n) + "."
    )
    for outcome in batch.outcomes:
        if outcome.outcome == "would_send" and outcome.item.address:
            output.say(f"  {outcome.item.address.email}")


def _words(code: str) -> str:
    return code.replace("_", " ")


def _row(invitation: dict[str, Any]) -> tuple[str, ...]:
    expires = output.day(invitation["expires_at"]) if invitation["expires_at"] else "never"
    mail = invitation["delivery"]["state"] if invitation["delivery"] else "–"
    return invitation["email"], invitation["status"], output.day(invitation["invited_at"]), expires, mail
