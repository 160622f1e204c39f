"""API keys on the command line."""

from typing import Annotated

import typer

from guestlist.actions.api_keys import create_api_key
from guestlist.cli import output

app = output.group("Create API keys.")


@app.callback()
def api_keys() -> None:
    """Create API keys."""


@app.command(epilog=output.example("api-keys create northwind --name CI --permission member.manage"))
def create(
    slug: output.Slug,
    name: Annotated[str, typer.Option(help="What it is for.")],
    permission: Annotated[
        list[str], typer.Option(help="What it may do, for example member.manage; can be given several times.")
    ],
    as_json: output.Json = False,
) -> None:
    """Create an API key and print it, this one time."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        new = create_api_key(
            actor=output.OPERATOR, organization=organization, name=name, permissions=permission
        )
    if as_json:
        output.print_json(new.as_resource())
    else:
        output.say(f"Created the API key {new.key.name}. It is shown only now:")
        output.say(f"  {new.secret}")
