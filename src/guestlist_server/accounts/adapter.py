"""allauth, tied to invitations: who may sign up, and where people go afterwards."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from guestlist.conf import conf


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-up is closed unless GUESTLIST_SIGNUP=open: the invited sign up on their invitation's page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether anybody may make an account."""
        return bool(settings.GUESTLIST_SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Keep the name that the sign-up form asked for."""
        user.name = form.cleaned_data.get("name", "")
        return super().save_user(request, user, form, commit)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """On the public address from configuration, never from the request's Host."""
        return conf().url + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On the public address from configuration, never from the request's Host."""
        path = urlsplit(str(super().get_reset_password_from_key_url(key))).path
        return conf().url + path

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of this server without a host in them are followed after sign-in."""
        return url.startswith("/") and bool(url_has_allowed_host_and_scheme(url, allowed_hosts=None))


def user_display(user: Any) -> str:
    """How account pages and mails address somebody."""
    return str(user.name or user.email)
