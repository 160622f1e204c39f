"""A passkey in place of a password, for an account that does not exist yet.

The first POST draws the id of the user, which the passkey carries, and keeps it with the checked name in
the session; the second brings the passkey. The address is the invitation's, both times.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal import auth
from django.http import HttpRequest

from guestlist.models import Invitation
from guestlist.models.fields import new_id
from guestlist_server.accounts.credentials import UNREADABLE, plain, read
from guestlist_server.accounts.models import User

_STATE = "guestlist.passkey_sign_up"
_SECONDS = 10 * 60


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was checked, and whose account is still to be made."""

    user_id: UUID
    name: str
    credential: dict[str, Any]


def begin(request: HttpRequest, invitation: Invitation, name: str) -> dict[str, Any]:
    """What the browser needs in order to make the passkey; the rest waits in the session."""
    user = User(id=new_id(), name=name, email=invitation.email)
    options = auth.begin_registration(user, passwordless=True)
    state = {"invitation": str(invitation.pk), "user": user.pk.hex, "name": name, "at": time.time()}
    request.session[_STATE] = state
    return dict(options)


def complete(request: HttpRequest, invitation: Invitation) -> NewPasskey | None:
    """The passkey that the browser made for this invitation; None where it does not hold."""
    state = request.session.pop(_STATE, None)
    if not state or state["invitation"] != str(invitation.pk) or time.time() - state["at"] > _SECONDS:
        return None
    try:
        credential = plain(read(request.POST["credential"]))
        verified = auth.complete_registration(credential).is_user_verified()
    except UNREADABLE:
        return None
    return NewPasskey(UUID(state["user"]), state["name"], credential) if verified else None


def keep(user: User, new: NewPasskey) -> None:
    """Give the passkey to its account, with recovery codes for the day it is lost."""
    name = get_adapter().generate_authenticator_name(user, Authenticator.Type.WEBAUTHN)
    auth.WebAuthn.add(user, name, new.credential)
    RecoveryCodes.activate(user)
