"""Forms of allauth that take an address: however it is spelled, the one that is stored is meant and mailed.

Apart from the other forms: these wait for allauth.
"""

from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress

from guestlist.addresses import comparison_key


class LoginForm(forms.LoginForm):  # type: ignore[misc]  # allauth ships no types
    """Sign in."""

    def clean_login(self) -> str:
        """The address as it is stored; what is none finds nobody."""
        typed = super().clean_login()
        return comparison_key(typed) or str(typed)


class ResetPasswordForm(forms.ResetPasswordForm):  # type: ignore[misc]
    """Ask for a link to set a new password."""

    def clean_email(self) -> str:
        """The address as it is stored: mail to another spelling may go to another mailbox."""
        return str(get_adapter().clean_email(super().clean_email()))


class ConfirmForm(forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """Type the code that shows whose the mailbox is."""

    def clean_code(self) -> Any:
        """The right code wins over every account but one that has confirmed the address before."""
        # Past allauth's own rule, by which a mere claim of somebody else would keep the owner out.
        code = super(forms.ConfirmEmailVerificationCodeForm, self).clean_code()
        taken = EmailAddress.objects.filter(email=self.email, verified=True).exclude(user=self.user)
        if self.user is None or taken.exists():
            raise get_adapter().validation_error("email_taken")
        return code
