"""allauth, tied to invitations: who may sign up, and where people go afterwards."""

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist_server.accounts import proof
from guestlist_server.accounts.context import passkeys_work
from guestlist_server.accounts.sign_up import take_from_squatters

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

    def clean_email(self, email: str) -> str:
        """The one spelling of an address that is stored, compared and mailed. Raises ValidationError."""
        key = comparison_key(email)
        if key is None:
            raise ValidationError(_("Enter a valid email address."))
        return key

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Mail the code, where mail is sent at all."""
        if conf().email_sending != "off":
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """The mailbox is proved: accounts that only claimed the address lose it."""
        try:
            with transaction.atomic():
                take_from_squatters(email_address.email, owner=email_address.user)
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            # Somebody else confirmed it at the same moment.
            return False

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        """Where who was signed in already goes on."""
        return reverse("account_email")

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
        methods = [{**found[key], "description": name} for key, name in names.items() if key in found]
        again = {"id": "sign_in_again", "url": reverse("sign_in_again"), "description": _("Sign In Again")}
        return methods or ([again] if user.is_authenticated else [])

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Whether it is the account's password, also where the account has no primary address."""
        if user.email is None:
            return bool(user.check_password(password))
        return bool(super().reauthenticate(user, password))

    def is_reauthentication_required(self, *, app: str, **values: Any) -> bool:
        """As configured. Raises ReauthenticationRequired for accounts with nothing to prove themselves by
        that signed in long ago, which allauth does not ask.
        """
        if proof.is_missing(context.request):
            raise ReauthenticationRequired
        return bool(super().is_reauthentication_required(app=app, **values))

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of this server without a host in them are followed after sign-in."""
        return url.startswith("/") and bool(url_has_allowed_host_and_scheme(url, allowed_hosts=None))


def user_display(user: Any) -> str:
    """How account pages and mails address somebody."""
    return str(user.name or user.email)
