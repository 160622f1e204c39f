"""Accounts made through a link that proves the mailbox: no second confirmation mail."""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string

from guestlist import errors
from guestlist.actions.api_keys import revoke_keys_of
from guestlist.actions.members import update_profile
from guestlist.addresses import comparison_key
from guestlist.models import Invitation
from guestlist_server.accounts.forms import PasswordForm
from guestlist_server.accounts.models import User


def sign_up(request: HttpRequest, invitation: Invitation) -> User | str:
    """The sign-up part of the accept page: the new user, or the fields to show, with what is wrong."""
    data = request.POST if request.method == "POST" else None
    form = PasswordForm(data, address=invitation.email)
    if data is not None and form.is_valid():
        values = form.cleaned_data
        return create_verified_user(invitation.email, values["name"], values["password"])
    return render_to_string("signup_fields.html", {"form": form}, request)


def create_verified_user(email: str, name: str, password: str) -> User:
    """An account whose one address is verified. An account that held it unverified loses it, and with its
    only address its sessions and keys. Raises AccountExists where it is somebody's already.
    """
    key = comparison_key(email) or email.lower()
    _take_from_squatters(key)
    try:
        with transaction.atomic():
            user = User.objects.create_user(key, password, name=name)
            EmailAddress.objects.create(user=user, email=key, verified=True, primary=True)
    except IntegrityError as error:
        raise errors.AccountExists from error
    return user


def _take_from_squatters(key: str) -> None:
    for squat in EmailAddress.objects.filter(email=key, verified=False).select_related("user"):
        user = squat.user
        squat.delete()
        other = EmailAddress.objects.filter(user=user).order_by("-verified", "pk").first()
        if user.email == key:
            user.email = other and other.email
        if other is None:
            revoke_keys_of(user=user)
            # With the password every session of the account ends.
            user.set_unusable_password()
        user.save()
        update_profile(user=user)
    User.objects.filter(email=key).exclude(emailaddress__email=key).update(email=None)
