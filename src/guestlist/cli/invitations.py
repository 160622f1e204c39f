"""Invitations on the command line."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from guestlist.actions import invitations as actions
from guestlist.actions.batches import BulkResult, Selection
from guestlist.actions.reconciliation import NOT_PRUNED, reconcile_invitations
from guestlist.cli import completion, output, reconciliation, sending
from guestlist.models import Invitation, Organization
from guestlist.models.invitation import FILTERS, Status

app = output.group("Send, list, resend and revoke invitations.")
Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="ADDRESS", help="Addresses, with blanks between them.", show_default=False),
]
AllPending = Annotated[bool, typer.Option("--all-pending", help="All that are pending.")]
Language = Annotated[
    str,
    typer.Option(
        help="Of the mail, like de; the organization’s unless told.", autocompletion=completion.languages
    ),
]
# What is not said in the words of REST.
_WORDS = {"not_found": "never invited", "not_pending": "no longer pending", "duplicate": "listed twice"}


@app.command(
    epilog=output.example(
        "invitations send northwind jane@example.com bob@example.com",
        "invitations send northwind --file people.csv --dry-run",
    )
)
def send(
    slug: output.Slug,
    addresses: Addresses = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(
            metavar="FILE", help="A CSV file, or text with addresses in it in any form; - is standard input."
        ),
    ] = None,
    language: Language = "",
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
        sent = sending.send(
            action,
            organization=output.find_organization(slug),
            addresses=sending.given(addresses or [], file),
            language=language,
            lifetime=lifetime,
            shown=not as_json,
        )
    if as_json:
        output.print_json(sent.as_resource())
    else:
        sending.print_sent(sent, dry_run=dry_run)
    raise typer.Exit(1 if sent.failed else 0)


@app.command(
    epilog=output.example(
        "invitations reconcile northwind --file people.csv --prune --dry-run",
        "invitations reconcile northwind --file people.csv --prune --yes",
    )
)
def reconcile(
    slug: output.Slug,
    addresses: Addresses = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(
            metavar="FILE", help="A CSV file, or text with addresses in it in any form; - is standard input."
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Revoke what is pending and not among the addresses.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is revoked.")] = False,
    language: Language = "",
    lifetime: Annotated[
        str,
        typer.Option(help="How long they can be accepted: 36h, 7d or never; the organization’s unless told."),
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Invite whoever of these addresses is missing, and with --prune revoke what else is pending.

    Doing it again changes nothing. Who declined is left alone; so are invitations that people asked for
    themselves.
    """
    if not addresses and file is None:
        raise typer.BadParameter("Give addresses, or --file.")
    asks = prune and not (yes or dry_run)
    if asks:
        reconciliation.check_can_ask()
    with output.refusals(as_json=as_json):
        given = sending.given(addresses or [], file)
        act = partial(
            reconcile_invitations,
            actor=output.OPERATOR,
            organization=output.find_organization(slug),
            parsed=given.parsed,
            prune=prune,
            language=language,
            lifetime=lifetime,
        )
        if asks:
            reconciliation.ask(act(dry_run=True), as_json=as_json)
        plan = act(dry_run=dry_run)
    sent = sending.Sent(plan.batch, given.rows)
    if as_json:
        output.print_json(plan.as_resource() | sent.as_resource())
    else:
        reconciliation.print_done(plan, sent)
    raise typer.Exit(1 if sent.failed or NOT_PRUNED in plan.batch.warnings else 0)


@app.command("list", epilog=output.example("invitations list northwind --status pending --sort email"))
def list_(
    slug: output.Slug,
    status: Annotated[
        str, typer.Option(help=f"{', '.join(FILTERS)}.", autocompletion=completion.choices(*FILTERS))
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            help="email, status, invited or expires; - in front reverses.",
            autocompletion=completion.sorts("email", "status", "invited", "expires"),
        ),
    ] = "-invited",
    q: Annotated[str, typer.Option(help="Only addresses that hold this text.")] = "",
    as_json: output.Json = False,
) -> None:
    """List invitations, newest first unless told otherwise."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        rows = Selection(status=status, q=output.searched(q)).rows(organization)
        columns = Invitation.columns(status)
        found = output.read_all(rows, columns, sort)
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
            output.say(f"  {address}: {_WORDS.get(outcome) or sending.words(outcome)}")


def _row(invitation: dict[str, Any]) -> tuple[str, ...]:
    expires = output.day(invitation["expires_at"]) if invitation["expires_at"] else "never"
    mail = invitation["delivery"]["state"] if invitation["delivery"] else "–"
    return invitation["email"], invitation["status"], output.day(invitation["invited_at"]), expires, mail
