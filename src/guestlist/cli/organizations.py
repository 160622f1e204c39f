"""Organizations on the command line."""

from typing import Annotated, Any

import typer
from django.db import transaction
from django.urls import NoReverseMatch, reverse

from guestlist import errors
from guestlist.actions.deletion import delete_organization, gone_at, restore_organization
from guestlist.actions.organizations import SetupCode, create_organization, create_setup_link
from guestlist.cli import output
from guestlist.models import Organization
from guestlist.models.fields import timestamp


class NothingToRestore(errors.NotFound):
    """No deleted organization has the short name “{slug}”. List them with: guestlist organizations list"""


app = output.group("Create, list, delete and restore organizations.")


@app.command(
    epilog=output.example('organizations create "Northwind" --slug northwind --owner maya@example.com')
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    slug: Annotated[str, typer.Option(help="Its short name, for addresses: lower-case, digits, hyphens.")],
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="Who will own it.")],
    as_json: output.Json = False,
) -> None:
    """Create an organization and print the link by which its owner sets it up.

    In a project without the set-up page the account with this address owns it at once.
    """
    if not _has_setup_page():
        _create_for_account(name, slug, owner, as_json)
        return
    with output.refusals(as_json=as_json), transaction.atomic():
        organization = create_organization(actor=output.OPERATOR, name=name, slug=slug)
        code = create_setup_link(actor=output.OPERATOR, organization=organization, email=owner)
    if not as_json:
        output.say(f"Created {organization.name} ({organization.slug}).")
    _print_link(organization, code, as_json)


@app.command("setup-link", epilog=output.example("organizations setup-link northwind"))
def setup_link(slug: output.Slug, as_json: output.Json = False) -> None:
    """Print a new set-up link for an organization without an owner; the earlier one stops working."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        code = create_setup_link(actor=output.OPERATOR, organization=organization)
    _print_link(organization, code, as_json)


@app.command("list", epilog=output.example("organizations list"))
def list_(as_json: output.Json = False) -> None:
    """List the organizations of this server; one that is deleted says until when it can be restored."""
    found = [_resource(row) for row in Organization.objects.order_by("slug")]
    if as_json:
        output.print_json_list(found)
    elif found:
        rows = [
            (o["slug"], o["name"], output.day(o["created_at"]), output.day(o.get("gone_at"))) for o in found
        ]
        output.print_table(("ORG", "NAME", "CREATED", "DELETED, GONE ON"), rows)
    else:
        output.say("There are no organizations yet.")


@app.command(epilog=output.example("organizations delete northwind --yes"))
def delete(
    slug: output.Slug,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: output.Json = False,
) -> None:
    """Delete an organization. For 30 days it can be restored; then it goes for good."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        if not yes:
            typer.confirm(f"Delete {output.shown(organization.name)}?", abort=True, err=True)
        gone = delete_organization(actor=output.OPERATOR, organization=organization, name=organization.name)
    if as_json:
        output.print_json(_resource(gone))
    else:
        day = output.day(timestamp(gone_at(gone)))
        output.say(f"Deleted {gone.name} ({gone.slug}). It can be restored until {day}.")


@app.command(epilog=output.example("organizations restore northwind"))
def restore(slug: output.Slug, as_json: output.Json = False) -> None:
    """Restore an organization that was deleted less than 30 days ago."""
    with output.refusals(as_json=as_json):
        deleted = Organization.objects.filter(deleted_at__isnull=False, slug=slug).first()
        if deleted is None:
            raise NothingToRestore(slug=slug)
        organization = restore_organization(actor=output.OPERATOR, organization_id=deleted.pk)
    if as_json:
        output.print_json(organization.as_resource())
    else:
        output.say(f"Restored {organization.name} ({organization.slug}).")


def _resource(organization: Organization) -> dict[str, Any]:
    """As REST shows it; when it was deleted and when it is gone, where it is deleted."""
    resource = organization.as_resource()
    if organization.deleted_at:
        resource |= {
            "deleted_at": timestamp(organization.deleted_at),
            "gone_at": timestamp(gone_at(organization)),
        }
    return resource


def _has_setup_page() -> bool:
    """Whether a set-up link leads anywhere: the server has that page, a project with its own accounts not."""
    try:
        return bool(reverse("set_up", args=["code"]))
    except NoReverseMatch:
        return False


def _create_for_account(name: str, slug: str, email: str, as_json: bool) -> None:
    with output.refusals(as_json=as_json):
        account = output.find_account(email)
        organization = create_organization(actor=output.OPERATOR, name=name, slug=slug, owner=account)
    if as_json:
        resource: dict[str, Any] = organization.as_resource()
        output.print_json({key: resource[key] for key in ("id", "slug", "name")})
    else:
        output.say(f"Created {organization.name} ({organization.slug}), owned by {account}.")


def _print_link(organization: Organization, code: SetupCode, as_json: bool) -> None:
    resource: dict[str, Any] = organization.as_resource()
    if as_json:
        output.print_json({key: resource[key] for key in ("id", "slug", "name")} | {"setup_url": code.url})
    else:
        output.say(f"Set-up link for {code.link.email}; it works once, within 7 days:")
        output.say(f"  {code.url}")
