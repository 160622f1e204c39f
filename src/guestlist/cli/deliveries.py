"""Messages on the command line: what became of each, and trying again."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import retries
from guestlist.cli import completion, output
from guestlist.models import Delivery, Organization
from guestlist.models.delivery import State
from guestlist.models.fields import id_of

app = output.group("List messages and try them again.")


@app.command("list", epilog=output.example("deliveries list northwind --state failed"))
def list_(
    slug: output.Slug,
    state: Annotated[
        str,
        typer.Option(help=f"{', '.join(State.values)}.", autocompletion=completion.choices(*State.values)),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            help="to, state or created; - in front reverses.",
            autocompletion=completion.sorts("to", "state", "created"),
        ),
    ] = "-created",
    q: Annotated[str, typer.Option(help="Only addresses that hold this text.")] = "",
    as_json: output.Json = False,
) -> None:
    """List messages, newest first unless told otherwise."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        rows = Delivery.objects.filter(organization=organization).in_state(output.shown(state))
        rows = rows.matching(output.searched(q)).select_related("invitation")
        found = output.read_all(rows, Delivery.COLUMNS, sort, Delivery.as_own_resource)
    if as_json:
        output.print_json_list(found)
    elif found:
        output.print_table(("ID", "TO", "MESSAGE", "STATE", "NEXT TRY", "DETAIL"), [_row(d) for d in found])
    else:
        output.say("There are no such messages.")


@app.command(
    epilog=output.example("deliveries retry northwind --all-failed", "deliveries retry northwind ID")
)
def retry(
    slug: output.Slug,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of messages.", show_default=False)
    ] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that failed.")] = False,
    as_json: output.Json = False,
) -> None:
    """Try failed and deferred messages again, under the same Message-ID."""
    if bool(ids) == all_failed:
        raise typer.BadParameter("Give either ids or --all-failed.")
    if as_json and ids and len(ids) == 1:
        _retry_one(slug, ids[0])
        return
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        if all_failed:
            result = retries.retry_failed(actor=output.OPERATOR, organization=organization)
            outcomes = []
        else:
            outcomes = [_try(organization, text) for text in ids or []]
            done = sum(refusal is None for _, refusal in outcomes)
            result = retries.Retried(done, len(outcomes) - done)
    _print(result, outcomes, as_json=as_json)
    raise typer.Exit(1 if result.skipped and not result.retried else 0)


def _retry_one(slug: str, text: str) -> None:
    """As REST answers for one: with the message, or with the refusal."""
    with output.refusals(as_json=True):
        delivery = _retry(output.find_organization(slug), text)
    output.print_json(delivery.as_own_resource())


def _retry(organization: Organization, text: str) -> Delivery:
    return retries.retry_delivery(actor=output.OPERATOR, organization=organization, delivery_id=id_of(text))


def _try(organization: Organization, text: str) -> tuple[str, errors.GuestlistError | None]:
    try:
        _retry(organization, text)
    except (errors.NotFound, errors.NotRetryable) as error:
        return text, error
    return text, None


def _print(
    result: retries.Retried,
    outcomes: Sequence[tuple[str, errors.GuestlistError | None]],
    *,
    as_json: bool,
) -> None:
    if as_json:
        results = [{"id": text, "outcome": error.code if error else "retried"} for text, error in outcomes]
        output.print_json(result.as_resource() | ({"results": results} if results else {}))
        return
    output.say(str(retries.Retried(result.retried, 0) if outcomes else result))
    for text, error in outcomes:
        if error:
            output.say(f"  {text}: {error}")


def _row(delivery: dict[str, Any]) -> tuple[str, ...]:
    next_try = (delivery["next_at"] or "–")[:16].replace("T", " ")
    names = ("id", "to", "kind", "state")
    return *(delivery[name] for name in names), next_try, delivery["detail"] or ""
