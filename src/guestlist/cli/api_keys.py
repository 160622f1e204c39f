"""API keys on the command line."""

from typing import Annotated, Any

import typer

from guestlist import errors
from guestlist.actions import api_keys as actions
from guestlist.cli import completion, output
from guestlist.models import ApiKey, Organization
from guestlist.models.api_key import State
from guestlist.models.fields import as_uuid
from guestlist.permissions import all_permissions

app = output.group("Create, list, rotate and revoke API keys.")
Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="Its id, its beginning (glk_ab12cd34), or its name where one active has it.",
    ),
]


class NoSuchKey(errors.NotFound):
    """{organization} has no API key with the id or beginning “{key}”, and not exactly one active with that
    name.
    """


@app.command(
    epilog=output.example("api-keys create northwind --name CI --permission member.manage --expires 90d")
)
def create(
    slug: output.Slug,
    name: Annotated[str, typer.Option(help="What it is for.")],
    permission: Annotated[
        list[str],
        typer.Option(
            help="What it may do; can be given several times. "
            f"One of: {', '.join(sorted(all_permissions()))}.",
            autocompletion=completion.permissions,
        ),
    ],
    expires: Annotated[str, typer.Option(help="90d, the last day like 2026-12-31, or never.")] = "never",
    as_json: output.Json = False,
) -> None:
    """Create an API key and print it, this one time."""
    with output.refusals(as_json=as_json):
        new = actions.create_api_key(
            actor=output.OPERATOR,
            organization=output.find_organization(slug),
            name=name,
            permissions=permission,
            expires=expires,
        )
    _show_once(new, f"Created the API key {new.key.name}.", as_json)


@app.command(
    "list", epilog=output.example("api-keys list northwind", "api-keys list northwind --status active")
)
def list_(
    slug: output.Slug,
    status: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(State.values)}; all unless told.",
            autocompletion=completion.choices(*State.values),
        ),
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(ApiKey.COLUMNS)}; - in front reverses.",
            autocompletion=completion.sorts(*ApiKey.COLUMNS),
        ),
    ] = "-created",
    q: Annotated[str, typer.Option(help="Only those whose name or beginning holds this text.")] = "",
    as_json: output.Json = False,
) -> None:
    """List the keys, newest first unless told otherwise."""
    with output.refusals(as_json=as_json):
        rows = ApiKey.objects.for_display().filter(organization=output.find_organization(slug))
        rows = rows.in_state(output.shown(status)).matching(output.searched(q))
        found = output.read_all(rows, ApiKey.COLUMNS, sort)
    if as_json:
        output.print_json_list(found)
    elif found:
        headings = ("NAME", "KEY", "STATUS", "EXPIRES", "LAST USED", "CREATED BY", "PERMISSIONS")
        output.print_table(headings, [_row(key) for key in found])
    else:
        output.say("There are no such API keys.")


@app.command(
    epilog=output.example("api-keys rotate northwind CI", "api-keys rotate northwind CI --overlap 7d")
)
def rotate(
    slug: output.Slug,
    key: Key,
    overlap: Annotated[
        str, typer.Option(help="How long the old key goes on: 24h, 7d, or 0; at most 30 days.")
    ] = actions.OVERLAP,
    as_json: output.Json = False,
) -> None:
    """Replace a key by a new one of the same name and permissions, and print it, this one time."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        new = actions.rotate_api_key(
            actor=output.OPERATOR,
            organization=organization,
            api_key_id=_id_of(organization, key),
            overlap=overlap,
        )
    _show_once(new, f"Rotated the API key {new.key.name}.", as_json)


@app.command(epilog=output.example("api-keys revoke northwind CI"))
def revoke(slug: output.Slug, key: Key, as_json: output.Json = False) -> None:
    """End a key at once."""
    with output.refusals(as_json=as_json):
        organization = output.find_organization(slug)
        ended = actions.revoke_api_key(
            actor=output.OPERATOR, organization=organization, api_key_id=_id_of(organization, key)
        )
    if as_json:
        output.print_json(ended.as_resource())
    else:
        output.say(f"Revoked the API key {ended.name}.")


def _id_of(organization: Organization, text: str) -> Any:
    """A name counts among those that are active and not replaced: a key and the one that replaces it have the
    same. Raises NoSuchKey.
    """
    keys = ApiKey.objects.for_display().filter(organization=organization)
    # What no database can store is no name, and is answered like any other unknown one.
    pk, word = as_uuid(text), output.shown(text).removesuffix("…")
    found = keys.filter(pk=pk) if pk else keys.filter(prefix=word)
    if not pk and not found:
        found = keys.in_state(State.ACTIVE).filter(name=word, replaced_by=None)
    ids = list(found.values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        raise NoSuchKey(organization=organization.name, key=text)
    return ids[0]


def _show_once(new: actions.NewApiKey, sentence: str, as_json: bool) -> None:
    if as_json:
        output.print_json(new.as_resource())
    else:
        output.say(f"{sentence} It is shown only now:")
        output.say(f"  {new.secret}")


def _row(key: dict[str, Any]) -> tuple[str, ...]:
    expires = output.day(key["expires_at"]) if key["expires_at"] else "never"
    used = key["last_used_at"][:16].replace("T", " ") if key["last_used_at"] else "never used"
    status = "replaced" if key["status"] == State.ACTIVE and key["replaced_by"] else key["status"]
    creator, permissions = key["created_by"]["name"], ", ".join(key["permissions"]) or "–"
    return key["name"], f"{key['prefix']}…", status.replace("_", " "), expires, used, creator, permissions
