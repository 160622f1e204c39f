"""Join links on the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import join_links as actions
from guestlist.cli import completion, output
from guestlist.models import JoinLink, Organization
from guestlist.models.fields import as_uuid

app = output.group("Make, list, turn off and turn on the links by which people can join.")
Link = Annotated[str, typer.Argument(metavar="LINK", help="Its id, or its name where only one has it.")]


class NoSuchJoinLink(errors.NotFound):
    """{organization} has no join link with the id “{link}”, and not exactly one with that name."""


@app.command(epilog=output.example("join-links create northwind Summer --expires 7d --max-uses 20"))
def create(
    slug: output.Slug,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For those who manage members.")],
    expires: Annotated[str, typer.Option(help="7d, the last day like 2026-12-31, or never.")] = "never",
    max_uses: Annotated[
        str, typer.Option(help="How many people can join by it; any number unless told.")
    ] = "",
    domains: Annotated[
        str, typer.Option(help="Only for addresses there: acme.com, *.acme.com, with commas between them.")
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Make a link and print its address."""
    with output.refusals(as_json=as_json):
        row = actions.create_join_link(
            actor=output.OPERATOR,
            organization=output.find_organization(slug),
            name=name,
            expires=expires,
            max_uses=max_uses,
            domains=domains,
        )
    if as_json:
        output.print_json(_resource(row))
    else:
        typer.echo(actions.url_of(row))


@app.command("list", epilog=output.example("join-links list northwind"))
def list_(
    slug: output.Slug,
    sort: Annotated[
        str,
        typer.Option(
            help="name, uses, expires, status or created; - in front reverses.",
            autocompletion=completion.sorts("name", "uses", "expires", "status", "created"),
        ),
    ] = "-created",
    as_json: output.Json = False,
) -> None:
    """List the links, newest first unless told otherwise."""
    with output.refusals(as_json=as_json):
        rows = JoinLink.objects.for_display().filter(organization=output.find_organization(slug))
        found = output.read_all(rows, JoinLink.COLUMNS, sort, _resource)
    if as_json:
        output.print_json_list(found)
    elif found:
        output.print_table(("NAME", "USES", "EXPIRES", "STATUS", "LINK"), [_row(link) for link in found])
    else:
        output.say("There are no join links yet.")


@app.command("turn-off", epilog=output.example("join-links turn-off northwind Summer"))
def turn_off(slug: output.Slug, link: Link, as_json: output.Json = False) -> None:
    """Let nobody join by a link any more. Whoever has joined stays."""
    _switch(actions.turn_off_join_link, slug, link, as_json, "Nobody can join by “{name}” now.")


@app.command("turn-on", epilog=output.example("join-links turn-on northwind Summer"))
def turn_on(slug: output.Slug, link: Link, as_json: output.Json = False) -> None:
    """Let people join by a link again."""
    _switch(actions.turn_on_join_link, slug, link, as_json, "“{name}” is on again.")


def _switch(action: Callable[..., JoinLink], slug: str, link: str, as_json: bool, said: str) -> None:
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        row = action(
            actor=output.OPERATOR, organization=organization, join_link_id=_id_of(organization, link)
        )
    if as_json:
        output.print_json(_resource(row))
    else:
        output.say(said.format(name=row.name))


def _id_of(organization: Organization, text: str) -> Any:
    rows = JoinLink.objects.filter(organization=organization)
    # What no database can store is no name, and is answered like any other unknown one.
    pk = as_uuid(text)
    found = rows.filter(pk=pk) if pk else rows.filter(name=output.shown(text))
    ids = list(found.values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        raise NoSuchJoinLink(organization=organization.name, link=text)
    return ids[0]


def _resource(row: JoinLink) -> dict[str, Any]:
    """With what opens it: whoever runs commands may see everything."""
    return row.as_resource() | {"url": actions.url_of(row)}


def _row(link: dict[str, Any]) -> tuple[str, ...]:
    most = link["max_uses"]
    uses = str(link["uses"]) if most is None else f"{link['uses']} of {most}"
    expires = output.day(link["expires_at"]) if link["expires_at"] else "never"
    return link["name"], uses, expires, link["status"].replace("_", " "), link["url"]
