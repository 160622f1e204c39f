"""Identity providers, tied to invitations: who may make an account with theirs."""

import re
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone

from guestlist import errors
from guestlist.actions.acceptance import find_invitation
from guestlist.addresses import comparison_key, mask
from guestlist.models import Invitation
from guestlist.models.invitation import Status
from guestlist.names import MAX_NAME, clean_name
from guestlist_server.accounts.sign_up import create_verified_user

_INVITATION_PAGE = re.compile(r"/i/(gli_[A-Za-z0-9_-]+)")


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """A new account needs open sign-up, or the mailed invitation to the address that the provider vouches
    for. An account is never connected because the addresses are the same.
    """

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:
        """Only environment variables configure providers, so no table is asked."""
        apps = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for several in apps.values() for app in several]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whether anybody may make an account."""
        return bool(settings.GUESTLIST_SIGNUP == "open")

    def new_user(self, request: HttpRequest, sociallogin: Any) -> Any:
        """A user who may wait in the session for a while, where a value still to come from the database
        cannot stand.
        """
        user = super().new_user(request, sociallogin)
        user.date_joined = timezone.now()
        return user

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Name and address as the provider says them."""
        user = sociallogin.user
        user.name = _name(data)
        user.email = data.get("email") or None
        return user

    def get_signup_form_initial_data(self, sociallogin: Any) -> dict[str, Any]:
        """What the sign-up form is filled with."""
        return {**super().get_signup_form_initial_data(sociallogin), "name": sociallogin.user.name}

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Make the account that an invitation allows, or say why there is none."""
        if sociallogin.is_existing or sociallogin.state.get("process") != "login":
            return
        invitation = _invitation(sociallogin.state.get("next") or "")
        if invitation and invitation.key in _verified_keys(sociallogin):
            _join(request, sociallogin, invitation)
        elif not self.is_open_for_signup(request, sociallogin):
            raise _refused(request, sociallogin, "address" if invitation else "closed", invitation)


def _join(request: HttpRequest, sociallogin: Any, invitation: Invitation) -> None:
    """The account with the one address that was proved twice: by the link, and by the provider."""
    try:
        with transaction.atomic():
            user = create_verified_user(invitation.email, sociallogin.user.name, None)
            sociallogin.user = user
            sociallogin.save(request, connect=True)
    except errors.AccountExists as error:
        raise _refused(request, sociallogin, "account", invitation) from error


def _refused(
    request: HttpRequest, sociallogin: Any, reason: str, invitation: Invitation | None
) -> ImmediateHttpResponse:
    context = {
        "reason": reason,
        "provider": sociallogin.provider.name,
        "masked": invitation and mask(invitation.email),
        "next": sociallogin.state.get("next") if invitation else None,
    }
    return ImmediateHttpResponse(render(request, "socialaccount/refused.html", context, status=403))


def _invitation(path: str) -> Invitation | None:
    """The pending invitation whose mailed link the visitor came from."""
    match = _INVITATION_PAGE.fullmatch(path)
    try:
        invitation = find_invitation(token=match[1]) if match else None
    except errors.NotFound:
        return None
    return invitation if invitation and invitation.status_now == Status.PENDING else None


def _verified_keys(sociallogin: Any) -> set[str | None]:
    return {comparison_key(address.email) for address in sociallogin.email_addresses if address.verified}


def _name(data: dict[str, Any]) -> str:
    """The person's name; the address' local part where the provider gives none that may be shown."""
    full = data.get("name") or f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
    local = re.sub(r"[^\w]+", " ", str(data.get("email") or "").partition("@")[0])
    for text in (str(full), local):
        try:
            return clean_name(text[:MAX_NAME])
        except errors.GuestlistError:
            continue
    return "?"
