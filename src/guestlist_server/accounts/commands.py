"""`guestlist accounts …`: what only the operator can do for somebody who is locked out."""

from typing import Annotated

import typer
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from guestlist.cli import output

app = output.group("Help people who can’t sign in any more.")


@app.callback()
def accounts() -> None:
    """Help people who can’t sign in any more."""


@app.command("reset-two-factor", epilog=output.example("accounts reset-two-factor jane@example.com"))
def reset_two_factor(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="A verified address of the account.")],
    as_json: output.Json = False,
) -> None:
    """Take away every second factor, passkey and recovery code of an account, and end its sessions.

    Make sure that it is the owner who asks. They sign in with their password, or set one by “Forgot your
    password?”, and can then set up a second factor anew.
    """
    with output.refusals(as_json=as_json):
        account = output.find_account(email)
        with transaction.atomic():
            removed = Authenticator.objects.filter(user=account).delete()[0]
            for session in UserSession.objects.filter(user=account):
                session.end()
    if as_json:
        output.print_json({"id": str(account.pk), "email": account.email, "removed": removed})
    elif removed:
        output.say(f"{account} signs in without a second factor now.")
    else:
        output.say(f"{account} had no second factor.")
