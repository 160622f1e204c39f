"""What people fill in to get an account."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from guestlist import errors
from guestlist.actions.slugs import check_slug, suggested_slug
from guestlist.addresses import parse_items
from guestlist.names import MAX_NAME, clean_name


def cleaned_name(text: str) -> str:
    """`clean_name` for forms."""
    try:
        return clean_name(text)
    except errors.GuestlistError as error:
        raise ValidationError(str(error)) from error


class ProfileForm(forms.Form):
    """What sign-up asks for beside address and password. allauth builds its own form on it."""

    name = forms.CharField(
        label=_("Full name"), max_length=MAX_NAME, widget=forms.TextInput({"autocomplete": "name"})
    )

    def clean_name(self) -> str:
        """A name that may be shown and mailed."""
        return cleaned_name(self.cleaned_data["name"])

    def signup(self, request: Any, user: Any) -> None:
        """Required by allauth; the adapter has stored the name."""


class PasswordForm(ProfileForm):
    """Name and a new password for `email`, which was proved by a link and cannot be typed."""

    email = forms.EmailField(
        label=_("Email"),
        required=False,
        widget=forms.EmailInput({"readonly": True, "autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Create a password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", "minlength": 12}),
        help_text=_("At least 12 characters. A short sentence works well."),
    )
    field_order: tuple[str, ...] = ("email", "name", "password")

    def __init__(self, data: Any = None, *, address: str, passkey: bool = False) -> None:
        super().__init__(data, initial={"email": address})
        self.address = address
        # The box stays, for whoever changes their mind.
        self.fields["password"].required = not passkey

    def clean_email(self) -> str:
        """Refuse a changed address: nothing else was proved."""
        given = self.cleaned_data["email"]
        if given and given != self.address:
            raise ValidationError(_("This link is only valid for %(email)s."), params={"email": self.address})
        return self.address

    def clean(self) -> dict[str, Any]:
        """The password is strong enough for this person."""
        values = super().clean() or self.cleaned_data
        if password := values.get("password"):
            user = get_user_model()(email=self.address, name=values.get("name", ""))
            try:
                password_validation.validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        return values


class OwnerForm(PasswordForm):
    """First run: the first person, and the organization."""

    organization = forms.CharField(label=_("Organization"), max_length=MAX_NAME)
    slug = forms.CharField(
        label=_("Short name"),
        max_length=63,
        required=False,
        help_text=_("Used in addresses. Left empty, it is made from the organization’s name."),
    )
    field_order = ("name", "email", "password", "organization", "slug")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, address="")
        self.fields["email"].required = True
        self.fields["email"].widget = forms.EmailInput({"autocomplete": "username"})

    def clean_email(self) -> str:
        """A plain, deliverable address."""
        found = parse_items([self.cleaned_data["email"]]).addresses
        if len(found) != 1:
            raise ValidationError(_("Enter a valid email address."))
        self.address = found[0].email.lower()
        return self.address

    def clean_organization(self) -> str:
        """A name that may be shown and mailed."""
        return cleaned_name(self.cleaned_data["organization"])

    def clean_slug(self) -> str:
        """A short name, made from the name if it was left out."""
        try:
            return check_slug(self.cleaned_data["slug"] or suggested_slug(self.data.get("organization", "")))
        except errors.GuestlistError as error:
            raise ValidationError(str(error)) from error
