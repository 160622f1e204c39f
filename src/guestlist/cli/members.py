"""Members on the command line."""

from typing import Annotated

import typer

from guestlist.actions import members as actions
from guestlist.actions.member_export import HEADER, export_members
from guestlist.cli import completion, output
from guestlist.cli.roles import NONE, find_role
from guestlist.csv_lines import csv_lines
from guestlist.models import Membership, Organization
from guestlist.models.membership import NEEDS_ROLE

app = output.group("List and export members, change their roles, remove them.")
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="A verified address of the member, or their id.")]


@app.command(
    "list", epilog=output.example("members list northwind", "members list northwind --role Admin --q jane")
)
def list_(
    slug: output.Slug,
    q: Annotated[str, typer.Option(help="Only with this text in the name or address.")] = "",
    role: Annotated[
        str,
        typer.Option(
            help="Only those with the role of this name or id; none is those without one.",
            autocompletion=completion.roles,
        ),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            help="name, email, role or joined; - in front reverses.",
            autocompletion=completion.sorts(*Membership.COLUMNS),
        ),
    ] = "name",
    as_json: output.Json = False,
) -> None:
    """List the members, by name unless told otherwise."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        members = Membership.objects.active().filter(organization=organization)
        held = NEEDS_ROLE if role == NONE else role and str(find_role(organization, role).pk)
        members = members.with_role(held).matching(output.searched(q)).select_related("role")
        found = output.read_all(members, Membership.columns(held), sort)
    if as_json:
        output.print_json_list(found)
    elif found:
        rows = [
            (m["name"], m["email"], (m["role"] or {}).get("name", "–"), output.day(m["joined_at"]))
            for m in found
        ]
        output.print_table(("NAME", "EMAIL", "ROLE", "JOINED"), rows)
    else:
        output.say("There are no such members.")


@app.command("change-role", epilog=output.example("members change-role northwind jane@example.com Admin"))
def change_role(
    slug: output.Slug,
    email: Email,
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE",
            help="Name of the role, or its id; none takes it away.",
            autocompletion=completion.roles,
        ),
    ],
    as_json: output.Json = False,
) -> None:
    """Give a member another role."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        member = actions.change_role(
            actor=output.OPERATOR,
            organization=organization,
            member_id=_find_member(organization, email).pk,
            role_id=None if role == NONE else find_role(organization, role).pk,
        )
    if as_json:
        output.print_json(member.as_resource())
    elif member.role:
        output.say(f"{member.name} now has the role {member.role.name}.")
    else:
        output.say(f"{member.name} now has no role.")


@app.command(epilog=output.example("members remove northwind jane@example.com"))
def remove(slug: output.Slug, email: Email, as_json: output.Json = False) -> None:
    """Remove a member, and revoke their API keys and pending invitations to any of their addresses."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        member = _find_member(organization, email)
        actions.remove_member(actor=output.OPERATOR, organization=organization, member_id=member.pk)
    if not as_json:
        output.say(f"{member.name} is no longer a member of {organization.name}.")


@app.command(epilog=output.example("members export northwind > members.csv"))
def export(slug: output.Slug) -> None:
    """Print the members as CSV, for a spreadsheet."""
    with output.refusals(as_json=False):
        organization = output.find_organization(slug)
        rows = export_members(actor=output.OPERATOR, organization=organization)
        number = Membership.objects.active().filter(organization=organization).count()
    rows = output.progress(rows, label="Members", length=number, shown=output.is_piped())
    for lines in csv_lines(HEADER, rows):
        typer.echo(lines, nl=False)


def _find_member(organization: Organization, email: str) -> Membership:
    if member := actions.find_member(organization, email):
        return member
    raise output.NoSuchMember(organization=organization.name, email=email)
