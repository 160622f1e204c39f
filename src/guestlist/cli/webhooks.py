"""Webhooks on the command line."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import typer
from django.db.models import Q

from guestlist import errors
from guestlist.actions import webhooks as actions
from guestlist.cli import completion, output
from guestlist.delivery.targets import checked_url
from guestlist.models import Organization, Webhook
from guestlist.models.fields import as_uuid
from guestlist.webhook_messages import TYPES

app = output.group("Create, change, test and delete webhooks, and make their calls again.")
REASONS = {"": "on", "turned_off": "off", "gone": "off, gone", "failing": "off, failing"}
Hook = Annotated[
    str,
    typer.Argument(metavar="WEBHOOK", help="Its id, or its address or description where only one has it."),
]
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help="A type of event that it is told of, such as member.joined; can be given several times.",
        show_default=False,
        autocompletion=completion.choices(*TYPES),
    ),
]


class NoSuchWebhook(errors.NotFound):
    """{organization} has no webhook with the id “{webhook}”, and not exactly one with that address or
    description.
    """


@app.command(
    epilog=output.example(
        "webhooks create northwind https://example.com/hooks --type member.joined --type member.left"
    )
)
def create(
    slug: output.Slug,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where calls go, for example https://….")],
    type_: Types = None,
    description: Annotated[str, typer.Option(help="For those who manage webhooks.")] = "",
    as_json: output.Json = False,
) -> None:
    """Tell another program what happens, of each type unless told, and print the secret, this one time."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        checked_url(url)
        new = actions.create_webhook(
            actor=output.OPERATOR,
            organization=organization,
            url=url,
            types=type_ or None,
            description=description,
        )
    _show_once(new, "Created the webhook", as_json)


@app.command("list", epilog=output.example("webhooks list northwind"))
def list_(slug: output.Slug, as_json: output.Json = False) -> None:
    """List the webhooks, newest first."""
    with output.refusals(as_json=as_json):
        rows = Webhook.objects.filter(organization=output.find_organization(slug))
        found = output.read_all(rows, Webhook.COLUMNS, "-created")
    if as_json:
        output.print_json_list(found)
    elif found:
        headings = ("ID", "ADDRESS", "DESCRIPTION", "STATUS", "LAST DELIVERED", "TYPES")
        output.print_table(headings, [_row(webhook) for webhook in found])
    else:
        output.say("There are no webhooks yet.")


@app.command(
    epilog=output.example("webhooks update northwind CRM --url https://example.com/new --description Shop")
)
def update(
    slug: output.Slug,
    webhook: Hook,
    url: Annotated[str | None, typer.Option(help="Where calls go from now on.")] = None,
    type_: Types = None,
    description: Annotated[str | None, typer.Option(help="For those who manage webhooks.")] = None,
    as_json: output.Json = False,
) -> None:
    """Change an address, a description, or all the types of events that a webhook is told of."""
    if url is None and description is None and not type_:
        raise typer.BadParameter("Give --url, --type or --description.")
    with output.refusals(as_json=as_json):
        which = which_of(slug, webhook)
        if url is not None:
            checked_url(url)
        row = actions.update_webhook(**which, url=url, types=type_ or None, description=description)
    _print(row, "Changed the webhook {name}.", as_json)


@app.command("turn-off", epilog=output.example("webhooks turn-off northwind CRM"))
def turn_off(slug: output.Slug, webhook: Hook, as_json: output.Json = False) -> None:
    """Tell it nothing any more; what it is owed is canceled."""
    _switch(actions.turn_off_webhook, slug, webhook, as_json, "The webhook {name} is told nothing any more.")


@app.command("turn-on", epilog=output.example("webhooks turn-on northwind CRM"))
def turn_on(slug: output.Slug, webhook: Hook, as_json: output.Json = False) -> None:
    """Tell it again what happens from now on."""
    _switch(actions.turn_on_webhook, slug, webhook, as_json, "The webhook {name} is on again.")


@app.command(epilog=output.example("webhooks delete northwind CRM"))
def delete(slug: output.Slug, webhook: Hook, as_json: output.Json = False) -> None:
    """Delete a webhook, what it is owed, and the log of its calls."""
    with output.refusals(as_json=as_json):
        gone = actions.delete_webhook(**which_of(slug, webhook))
    if not as_json:
        output.say(f"Deleted the webhook {gone}.")


@app.command(
    "rotate-secret",
    epilog=output.example(
        "webhooks rotate-secret northwind CRM", "webhooks rotate-secret northwind CRM --overlap 7d"
    ),
)
def rotate_secret(
    slug: output.Slug,
    webhook: Hook,
    overlap: Annotated[
        str, typer.Option(help="How long the former secret signs too: 24h, 7d at most, or 0.")
    ] = actions.OVERLAP,
    as_json: output.Json = False,
) -> None:
    """Give it a new secret and print it, this one time. For a while the former one signs too."""
    with output.refusals(as_json=as_json):
        new = actions.rotate_secret(**which_of(slug, webhook), overlap=overlap)
    _show_once(new, "Changed the secret of the webhook", as_json)


def _switch(action: Callable[..., Webhook], slug: str, webhook: str, as_json: bool, said: str) -> None:
    with output.refusals(as_json=as_json):
        row = action(**which_of(slug, webhook))
    _print(row, said, as_json)


def which_of(slug: str, text: str) -> dict[str, Any]:
    """What the actions take. Raises NoSuchOrganization, NoSuchWebhook."""
    organization = output.find_organization(slug)
    return {
        "actor": output.OPERATOR,
        "organization": organization,
        "webhook_id": _id_of(organization, text),
    }


def _id_of(organization: Organization, text: str) -> UUID:
    rows = Webhook.objects.filter(organization=organization)
    # What no database can store is no name, and is answered like any other unknown one.
    pk, word = as_uuid(text), output.shown(text)
    found = rows.filter(pk=pk) if pk else rows.filter(Q(url=word) | Q(description=word))
    ids = list(found.values_list("pk", flat=True)[:2]) if word else []
    if len(ids) != 1:
        raise NoSuchWebhook(organization=organization.name, webhook=text)
    return ids[0]


def _print(row: Webhook, said: str, as_json: bool) -> None:
    if as_json:
        output.print_json(row.as_resource())
    else:
        output.say(said.format(name=row))


def _show_once(new: actions.Disclosed, said: str, as_json: bool) -> None:
    if as_json:
        output.print_json(new.as_resource())
    else:
        output.say(f"{said} {new.webhook}. Its secret is shown only now:")
        output.say(f"  {new.secret}")


def _row(webhook: dict[str, Any]) -> tuple[str, ...]:
    status = REASONS[webhook["disabled_reason"] or ""]
    failing = webhook["enabled"] and webhook["failing_since"]
    arrived = (webhook["delivered_at"] or "–")[:16].replace("T", " ")
    types = "all" if len(webhook["types"]) == len(TYPES) else ", ".join(webhook["types"])
    status = f"failing since {output.day(webhook['failing_since'])}" if failing else status
    return webhook["id"], webhook["url"], webhook["description"], status, arrived, types
