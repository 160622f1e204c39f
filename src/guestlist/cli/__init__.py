"""The command line: parse, call one action, print. The operator is the actor.

Importing this package imports no model, so an entry point can set Django up first.
"""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add the groups of commands, one for each noun. Django must be set up."""
    from guestlist.cli import (
        api_keys,
        audit,
        bounces,
        deliveries,
        domains,
        invitations,
        join_links,
        members,
        organizations,
        output,
        pruning,
        roles,
        webhook_log,
    )

    app.add_typer(organizations.app, name="organizations")
    app.add_typer(invitations.app, name="invitations")
    app.add_typer(join_links.app, name="join-links")
    app.add_typer(deliveries.app, name="deliveries")
    app.add_typer(members.app, name="members")
    app.add_typer(roles.app, name="roles")
    app.add_typer(domains.app, name="domains")
    app.add_typer(api_keys.app, name="api-keys")
    app.add_typer(webhook_log.app, name="webhooks")
    app.add_typer(audit.app, name="audit")
    app.add_typer(bounces.app, name="bounces")
    app.command(epilog=output.example("prune --dry-run", "prune --older-than 365d"))(pruning.prune)


def app() -> typer.Typer:
    """The groups alone, for a project with an entry point of its own. Django must be set up."""
    commands = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
    )
    add_commands(commands)
    return commands
