"""Passkeys and security keys in forms. Apart from the other forms: these wait for allauth."""

from typing import Any

from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.utils.translation import gettext_lazy as _

from guestlist_server.accounts.credentials import CredentialField, plain, readable


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """A passkey unless told otherwise: most people want to be rid of the password."""

    credential = CredentialField()
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without a password"),
        required=False,
        initial=True,
        help_text=_("It then asks for your fingerprint, face or PIN. Otherwise it is a second step."),
    )

    def clean(self) -> dict[str, Any]:
        """The key is one of this browser; only what is needed of it is kept."""
        values: dict[str, Any] = readable(super().clean)
        if credential := values.get("credential"):
            values["credential"] = readable(lambda: plain(credential))
        return values


class LoginForm(LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in with a passkey alone."""

    credential = CredentialField()

    def clean_credential(self) -> Any:
        """The key that it is."""
        return readable(super().clean_credential)


class AuthenticateForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The second step."""

    credential = CredentialField()

    def clean_credential(self) -> Any:
        """The key that it is."""
        return readable(super().clean_credential)


class ReauthenticateForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Proving that it is still the same person."""

    credential = CredentialField()

    def clean_credential(self) -> Any:
        """The key that it is."""
        return readable(super().clean_credential)
