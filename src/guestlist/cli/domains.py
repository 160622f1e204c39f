"""Domains on the command line."""

from typing import Annotated

import typer

from guestlist import errors
from guestlist.actions import domains as actions
from guestlist.cli import output
from guestlist.models import Domain, Organization

app = output.group("List and remove mail domains.")
Name = Annotated[str, typer.Argument(metavar="DOMAIN", help="As the list shows it, for example acme.com.")]


class NoSuchDomain(errors.NotFound):
    """{organization} has no domain “{domain}”."""


@app.command("list", epilog=output.example("domains list northwind"))
def list_(slug: output.Slug, as_json: output.Json = False) -> None:
    """List the domains."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        rows = Domain.objects.filter(organization=organization).order_by("domain")
        found = [row.as_resource() for row in rows[: actions.MOST_DOMAINS]]
    if as_json:
        output.print_json_list(found)
    elif found:
        table = [(d["domain"], d["mode"], output.day(d["verified_at"])) for d in found]
        output.print_table(("DOMAIN", "PEOPLE THERE MAY", "VERIFIED"), table)
    else:
        output.say("There are no domains yet.")


@app.command(epilog=output.example("domains remove northwind acme.com"))
def remove(slug: output.Slug, domain: Name, as_json: output.Json = False) -> None:
    """Remove a domain: nobody joins or asks by it any more, and requests that wait are dismissed."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        row = _find(organization, domain)
        actions.remove_domain(actor=output.OPERATOR, organization=organization, domain_id=row.pk)
    if not as_json:
        output.say(f"{row.domain} is no longer a domain of {organization.name}.")


def _find(organization: Organization, text: str) -> Domain:
    # What no database can store is no name, and is answered like any other unknown one.
    name = output.shown(text).strip().lower()
    row = Domain.objects.filter(organization=organization, domain=name).first()
    if row is None:
        raise NoSuchDomain(organization=organization.name, domain=text)
    return row
