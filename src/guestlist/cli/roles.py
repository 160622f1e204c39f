"""Roles on the command line."""

from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import roles as actions
from guestlist.cli import completion, output
from guestlist.models import Organization, Role
from guestlist.models.fields import as_uuid
from guestlist.models.listing import COUNT_LIMIT

NONE = "none"
app = output.group("List, create, change, duplicate and delete roles.")
Name = Annotated[
    str,
    typer.Argument(metavar="ROLE", help="Name of the role, or its id.", autocompletion=completion.roles),
]
NewName = Annotated[str | None, typer.Option(help="Its new name.")]
PERMISSION_HELP = "What it allows, for example member.manage; can be given several times."


@app.command("list", epilog=output.example("roles list northwind"))
def list_(slug: output.Slug, as_json: output.Json = False) -> None:
    """List the roles."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        found = [_resource(role, members) for role, members in actions.list_roles(organization)]
    if as_json:
        output.print_json_list(found)
    else:
        rows = [(r["name"], _count(r["member_count"]), ", ".join(r["permissions"]) or "–") for r in found]
        output.print_table(("NAME", "MEMBERS", "PERMISSIONS"), rows)


@app.command(epilog=output.example("roles create northwind Editor --permission member.manage"))
def create(
    slug: output.Slug,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    permission: Annotated[
        list[str] | None, typer.Option(help=PERMISSION_HELP, autocompletion=completion.permissions)
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Create a role."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        role = actions.create_role(
            actor=output.OPERATOR, organization=organization, name=name, permissions=permission or []
        )
    _print(organization, role, f"Created the role {role.name}.", as_json)


@app.command(epilog=output.example("roles update northwind Editor --name Author --permission none"))
def update(
    slug: output.Slug,
    role: Name,
    name: NewName = None,
    permission: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{PERMISSION_HELP} All of them; none takes every one away.",
            autocompletion=completion.permissions,
        ),
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Rename a role, or change what it allows, for all its members at once."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        changed = actions.update_role(
            actor=output.OPERATOR,
            organization=organization,
            role_id=find_role(organization, role).pk,
            name=name,
            permissions=[] if permission == [NONE] else permission or None,
        )
    _print(organization, changed, f"Saved the role {changed.name}.", as_json)


@app.command(epilog=output.example("roles duplicate northwind Admin --name Editor"))
def duplicate(slug: output.Slug, role: Name, name: NewName = None, as_json: output.Json = False) -> None:
    """Create a role with the permissions of another."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        copy = actions.duplicate_role(
            actor=output.OPERATOR,
            organization=organization,
            role_id=find_role(organization, role).pk,
            name=name,
        )
    _print(organization, copy, f"Created the role {copy.name}.", as_json)


@app.command(epilog=output.example("roles delete northwind Editor --successor Member"))
def delete(
    slug: output.Slug,
    role: Name,
    successor: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="The role that its members get instead; none is none.",
            autocompletion=completion.roles,
        ),
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Delete a role; one that has members needs a successor."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        gone = actions.delete_role(
            actor=output.OPERATOR,
            organization=organization,
            role_id=find_role(organization, role).pk,
            successor_id=_successor(organization, successor),
        )
    if not as_json:
        output.say(f"Deleted the role {gone.name}.")


def find_role(organization: Organization, text: str) -> Role:
    """The role with this id, or else with this name. Raises UnknownRole."""
    role_id, name = as_uuid(text), text.casefold()
    roles = list(Role.objects.filter(organization=organization))
    fitting = [role for role in roles if role.pk == role_id or role.name.casefold() == name]
    if not fitting:
        raise errors.UnknownRole
    return max(fitting, key=lambda role: role.pk == role_id)


def _successor(organization: Organization, text: str | None) -> Any:
    if text is None:
        return actions.UNDECIDED
    return None if text == NONE else find_role(organization, text).pk


def _resource(role: Role, members: int) -> dict[str, Any]:
    return role.as_resource(members if members <= COUNT_LIMIT else None)


def _count(members: int | None) -> str:
    return f"{COUNT_LIMIT:,}+" if members is None else f"{members:,}"


def _print(organization: Organization, role: Role, sentence: str, as_json: bool) -> None:
    if as_json:
        output.print_json(_resource(role, dict(actions.list_roles(organization))[role]))
    else:
        output.say(sentence)
