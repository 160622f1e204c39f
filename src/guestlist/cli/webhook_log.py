"""The calls of webhooks on the command line: a test, what became of each, making some again."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import webhook_log
from guestlist.cli import completion, output, webhooks
from guestlist.cli.audit import moment
from guestlist.cli.webhooks import Hook, which_of
from guestlist.models import WebhookDelivery
from guestlist.models.fields import id_of
from guestlist.models.webhook_delivery import OWED_CALLS, CallState

# The same group: a webhook and its log are one noun.
app = webhooks.app
# Seconds to wait for what becomes of a test, and between two looks.
PATIENCE, PAUSE = 20.0, 0.2
States = ", ".join(CallState.values)
State = Annotated[
    str,
    typer.Option(help=f"{States}; all unless told.", autocompletion=completion.choices(*CallState.values)),
]


@app.command("test", epilog=output.example("webhooks test northwind CRM"))
def send_test(
    slug: output.Slug,
    webhook: Hook,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Don't wait for the answer.")] = False,
    as_json: output.Json = False,
) -> None:
    """Send a test event, and say what was answered if a worker runs."""
    with output.refusals(as_json=as_json):
        which = which_of(slug, webhook)
        row = webhook_log.send_test(**which)
        row = webhook_log.find_call(**which, delivery_id=row.pk) if no_wait else _outcome(which, row)
    if as_json:
        output.print_json(webhook_log.whole_call(row))
    else:
        output.say(_said(row))
    raise typer.Exit(0 if no_wait or row.state == CallState.DELIVERED else 1)


@app.command(
    epilog=output.example(
        "webhooks deliveries northwind CRM --state failed", "webhooks deliveries northwind CRM ID"
    )
)
def deliveries(
    slug: output.Slug,
    webhook: Hook,
    call: Annotated[
        str, typer.Argument(metavar="[ID]", help="One of them, with what was sent and answered.")
    ] = "",
    state: State = "",
    q: Annotated[str, typer.Option(help="Only about whom or what has this text in its name.")] = "",
    as_json: output.Json = False,
) -> None:
    """List the calls of a webhook, newest first, or show one."""
    with output.refusals(as_json=as_json):
        which = which_of(slug, webhook)
        if call:
            shown = webhook_log.find_call(**which, delivery_id=id_of(call))
            found = [webhook_log.whole_call(shown)]
        else:
            rows = webhook_log.calls_of(**which, state=output.shown(state), q=output.searched(q))
            found = output.read_all(rows, WebhookDelivery.COLUMNS, "-created")
    if as_json:
        output.print_json(found[0]) if call else output.print_json_list(found)
    elif call:
        _print_call(found[0])
    elif found:
        headings = ("ID", "MADE", "TYPE", "ABOUT", "STATE", "ATTEMPTS", "STATUS", "DETAIL")
        output.print_table(headings, [_call_row(each) for each in found])
    else:
        output.say("There are no such calls.")


@app.command(
    epilog=output.example(
        "webhooks redeliver northwind CRM ID", "webhooks redeliver northwind CRM --since 2026-03-01"
    )
)
def redeliver(
    slug: output.Slug,
    webhook: Hook,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of calls.", show_default=False)
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="All of events from then on: 2026-03-01, in UTC.")
    ] = "",
    state: State = "",
    as_json: output.Json = False,
) -> None:
    """Make calls again at once, with the same bodies and message ids."""
    if bool(ids) == bool(since) or (state and not since):
        raise typer.BadParameter("Give either ids, or --since and perhaps --state.")
    with output.refusals(as_json=as_json):
        which, outcomes = which_of(slug, webhook), []
        if at := moment(since):
            done = webhook_log.redeliver_since(**which, since=at, state=output.shown(state))
        else:
            outcomes = [_try(which, text) for text in ids or []]
            done = webhook_log.Redelivered(sum(refusal is None for _, refusal in outcomes))
    _print_redelivered(done, outcomes, as_json=as_json)
    raise typer.Exit(1 if outcomes and not done.redelivered else 0)


def _outcome(which: dict[str, Any], row: WebhookDelivery) -> WebhookDelivery:
    """The call once something has come of it, or as it is after a while."""
    until = time.monotonic() + PATIENCE
    while True:
        row = webhook_log.find_call(**which, delivery_id=row.pk)
        if row.state != CallState.QUEUED or time.monotonic() > until:
            return row
        time.sleep(PAUSE)


def _said(row: WebhookDelivery) -> str:
    if row.state == CallState.DELIVERED:
        return f"The test event arrived: the receiver answered {row.status}."
    if row.state != CallState.QUEUED:
        again = " It is tried again later." if row.state in OWED_CALLS else ""
        return f"The test event did not arrive: {row.detail.rstrip('.')}.{again}"
    return "The test event is queued. A worker sends it: look at guestlist webhooks deliveries."


def _try(which: dict[str, Any], text: str) -> tuple[str, errors.GuestlistError | None]:
    try:
        webhook_log.redeliver(**which, delivery_id=id_of(text))
    except (errors.NotFound, errors.CallUnderWay) as error:
        return text, error
    return text, None


def _print_redelivered(
    done: webhook_log.Redelivered,
    outcomes: Sequence[tuple[str, errors.GuestlistError | None]],
    *,
    as_json: bool,
) -> None:
    if as_json:
        results = [
            {"id": text, "outcome": error.code if error else "redelivered"} for text, error in outcomes
        ]
        output.print_json(done.as_resource() | ({"results": results} if results else {}))
        return
    output.say(str(done))
    for text, error in outcomes:
        if error:
            output.say(f"  {text}: {error}")


def _print_call(call: dict[str, Any]) -> None:
    output.say(f"{call['type']} about {call['subject']['name']}: {call['state']}")
    output.say(f"POST {call['request']['url']}")
    for name, value in call["request"]["headers"].items():
        output.say(f"{name}: {value}")
    output.say(call["request"]["body"])
    if call["answer"]:
        output.say(f"Answered {call['answer']['status']}: {call['answer']['body']}")
    for entry in call["history"]:
        output.say(_happened(entry))


def _happened(entry: dict[str, Any]) -> str:
    who = f"asked for by {entry['by']}" if entry["by"] else ""
    attempt = f"attempt {entry['attempt']}" if entry["attempt"] else who
    said = (entry["at"] or "–")[:19].replace("T", " "), entry["state"], attempt, entry["detail"] or ""
    return "  ".join(word for word in said if word)


def _call_row(call: dict[str, Any]) -> tuple[str, ...]:
    made = call["created_at"][:16].replace("T", " ")
    about, status = call["subject"]["name"], str(call["status"] or "–")
    attempts, detail = str(call["attempts"]), call["detail"] or ""
    return call["id"], made, call["type"], about, call["state"], attempts, status, detail
