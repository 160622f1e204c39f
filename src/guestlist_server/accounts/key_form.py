"""Adding a passkey or security key, in our words. Apart from the other forms: this one waits for allauth."""

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """A passkey unless told otherwise: most people want to be rid of the password."""

    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without a password"),
        required=False,
        initial=True,
        help_text=_("It then asks for your fingerprint, face or PIN. Otherwise it is a second step."),
    )
