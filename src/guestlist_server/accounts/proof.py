"""Proving that it is still the same person, for accounts that have nothing here to prove it with.

allauth asks for a password, a passkey or a code before a change, and lets an account that has only an
identity provider pass. Here such an account has to have signed in a moment ago.
"""

import time

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.http import HttpRequest


def is_missing(request: HttpRequest) -> bool:
    """Whether the account has nothing to prove who is there, and its sign-in was too long ago."""
    if not request.user.is_authenticated or get_reauthentication_flows(request.user):
        return False
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=0.0)
    return bool(time.time() - latest >= app_settings.REAUTHENTICATION_TIMEOUT)
