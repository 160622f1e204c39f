"""What bringing a set of addresses about would do, the question before, and what was done."""

import sys

import typer

from guestlist.actions.batches import SENT
from guestlist.actions.reconciliation import NOT_PRUNED, Reconciliation
from guestlist.cli import output
from guestlist.cli.sending import Sent, print_troubles, words

LEFT_ALONE = ("already_member", "already_invited", "suppressed", "declined", "duplicate")


def check_can_ask() -> None:
    """Whoever is to be asked has to sit at a terminal."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("Without a terminal to ask at, --prune needs --yes, or --dry-run.")


def ask(plan: Reconciliation, *, as_json: bool) -> None:
    """Show the plan and ask, if anything would be revoked; whoever says no ends the command with status 1."""
    number = len(plan.revoked)
    if not number:
        return
    if not as_json:
        print_plan(plan)
    invitations = "1 invitation" if number == 1 else f"{number:,} invitations"
    typer.confirm(f"Revoke {invitations}?", abort=True, err=True)


def print_plan(plan: Reconciliation) -> None:
    """The numbers, then what is sent (+) and what is revoked (-), one line for each."""
    output.say(_summary(plan))
    for outcome in plan.batch.outcomes:
        if outcome.outcome in SENT and outcome.item.address:
            output.say(f"  + {outcome.item.address.email}")
    for row in plan.revoked:
        output.say(f"  - {row.email}")


def print_done(plan: Reconciliation, sent: Sent) -> None:
    """What was done or would be, and what needs a look."""
    print_plan(plan)
    print_troubles(sent)
    if NOT_PRUNED in plan.batch.warnings:
        output.say("Nothing was revoked, because not everything in the set is an address.")
    if plan.batch.sent and "email_not_configured" in plan.batch.warnings:
        output.say("E-mail is not configured; no mail goes out yet.")


def _summary(plan: Reconciliation) -> str:
    batch, changes = plan.batch, plan.batch.sent + len(plan.revoked)
    would = "would be " if plan.dry_run else ""
    counts = {f"{would}sent": batch.sent, f"{would}revoked": len(plan.revoked), "to fix": len(batch.invalid)}
    counts |= {words(name): batch.count(name) for name in LEFT_ALONE}
    said = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    beginning = "Dry run" if plan.dry_run else "Done" if changes else "Nothing to do"
    return f"{beginning}: {said}."
