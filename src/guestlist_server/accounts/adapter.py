"""allauth, tied to invitations: who may sign up, and where people go afterwards."""

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from anymail.exceptions import AnymailError
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.conf import conf
from guestlist_server.accounts.context import passkeys_work

log = logging.getLogger("guestlist.accounts")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-up is closed unless GUESTLIST_SIGNUP=open: the invited sign up on their invitation's page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether anybody may make an account."""
        return bool(settings.GUESTLIST_SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Keep the name that the sign-up form asked for."""
        user.name = form.cleaned_data.get("name", "")
        return super().save_user(request, user, form, commit)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the request, so that a failure is shown. Raises MailFailed."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException, AnymailError) as error:
            log.exception("account mail was not sent")
            raise errors.MailFailed from error

    def send_notification_mail(self, *values: Any, **named: Any) -> None:
        """Tell somebody what has happened; a mail server that is down does not undo it."""
        try:
            super().send_notification_mail(*values, **named)
        except errors.MailFailed:
            return

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """On the public address from configuration, never from the request's Host."""
        return conf().url + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On the public address from configuration, never from the request's Host."""
        path = urlsplit(str(super().get_reset_password_from_key_url(key))).path
        return conf().url + path

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """How somebody may prove that it is still them: what takes least comes first."""
        names = {
            "reauthenticate": _("Use Password"),
            "mfa_reauthenticate:webauthn": _("Use Passkey or Security Key"),
            "mfa_reauthenticate": _("Use Code"),
        }
        if not passkeys_work():
            del names["mfa_reauthenticate:webauthn"]
        found = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        return [{**found[key], "description": name} for key, name in names.items() if key in found]

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of this server without a host in them are followed after sign-in."""
        return url.startswith("/") and bool(url_has_allowed_host_and_scheme(url, allowed_hosts=None))


def user_display(user: Any) -> str:
    """How account pages and mails address somebody."""
    return str(user.name or user.email)
