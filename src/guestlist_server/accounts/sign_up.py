"""The sign-up part of an invitation, and the accounts it makes."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions.api_keys import revoke_keys_of
from guestlist.actions.members import update_profile
from guestlist.actions.webhook_ends import turn_off_webhooks_of
from guestlist.addresses import comparison_key
from guestlist.models import Invitation
from guestlist.web.link import sign_in_url
from guestlist_server.accounts import passkey_sign_up
from guestlist_server.accounts.context import passkeys_work
from guestlist_server.accounts.forms import PasswordForm
from guestlist_server.accounts.models import User


def sign_up(request: HttpRequest, invitation: Invitation) -> User | str:
    """The sign-up part of the accept page: the new user, or the fields and buttons to show, with what is
    wrong. Raises AccountExists.
    """
    if request.method != "POST":
        return _fields(request, invitation, PasswordForm(address=invitation.email))
    if passkeys_work() and "credential" in request.POST:
        return _with_passkey(request, invitation)
    if passkeys_work() and "use_passkey" in request.POST:
        return _offer_passkey(request, invitation)
    form = PasswordForm(request.POST, address=invitation.email)
    if not form.is_valid():
        return _fields(request, invitation, form)
    values = form.cleaned_data
    return create_user(
        invitation.email, values["name"], values["password"], verified=invitation.proves_mailbox
    )


def _offer_passkey(request: HttpRequest, invitation: Invitation) -> str:
    form = PasswordForm(request.POST, address=invitation.email, passkey=True)
    if not form.is_valid():
        return _fields(request, invitation, form)
    options = passkey_sign_up.begin(request, invitation, form.cleaned_data["name"])
    return render_to_string("signup_passkey.html", {"js_data": {"creation_options": options}}, request)


def _with_passkey(request: HttpRequest, invitation: Invitation) -> User | str:
    new = passkey_sign_up.complete(request, invitation)
    if new is None:
        form = PasswordForm(address=invitation.email)
        return _fields(request, invitation, form, passkey_failed=True)
    user = create_user(invitation.email, new.name, None, verified=invitation.proves_mailbox, id=new.user_id)
    passkey_sign_up.keep(user, new)
    messages.info(
        request, _("Save your recovery codes, for the day your passkey is lost. They are under Security.")
    )
    return user


def _fields(request: HttpRequest, invitation: Invitation, form: PasswordForm, **context: Any) -> str:
    context = {
        "form": form,
        "passkey_failed": False,
        "mailed": invitation.proves_mailbox,
        "claimed": invitation.proves_mailbox and is_claimed(invitation.key),
        "sign_in_url": sign_in_url(request),
        **context,
    }
    return render_to_string("signup_fields.html", context, request)


def is_claimed(key: str) -> bool:
    """Whether an account holds the address without having confirmed it."""
    return bool(EmailAddress.objects.filter(email=key, verified=False, user__is_active=True).exists())


def create_verified_user(email: str, name: str, password: str | None) -> User:
    """An account whose one address is verified. Raises AccountExists."""
    return create_user(email, name, password, verified=True)


def create_user(email: str, name: str, password: str | None, *, verified: bool, **values: Any) -> User:
    """An account with one address. Where that is verified, an account that held it unverified loses it, and
    with its only address its sessions, its password and its keys. Raises AccountExists where it is somebody's
    already.
    """
    key = comparison_key(email) or email.lower()
    if verified:
        take_from_squatters(key)
    try:
        with transaction.atomic():
            user = User.objects.create_user(key, password, name=name, **values)
            EmailAddress.objects.create(user=user, email=key, verified=verified, primary=True)
    except IntegrityError as error:
        raise errors.AccountExists from error
    return user


def take_from_squatters(key: str, *, owner: User | None = None) -> None:
    """Take an address from every account but `owner` that holds it unverified."""
    others = EmailAddress.objects.filter(email=key, verified=False).exclude(user=owner)
    for squat in others.select_related("user"):
        user = squat.user
        squat.delete()
        if squat.primary or user.email == key:
            _move_to_another_address(user)
        if not EmailAddress.objects.filter(user=user).exists():
            remove_keys(user)
            # With the password every session of the account ends.
            user.set_unusable_password()
            user.save(update_fields=("password",))
        update_profile(user=user)
    strays = User.objects.filter(email=key).exclude(emailaddress__email=key)
    (strays.exclude(pk=owner.pk) if owner else strays).update(email=None)


def remove_keys(user: User) -> None:
    """Nothing but a password opens the account any more: neither passkey, code nor provider, and no API key
    that it made.
    """
    revoke_keys_of(user=user)
    turn_off_webhooks_of(user=user)
    Authenticator.objects.filter(user=user).delete()
    SocialAccount.objects.filter(user=user).delete()


def _move_to_another_address(user: User) -> None:
    """Make the next address of an account its primary one: a verified one, else one that it only claims,
    unless that is the primary address of somebody else.
    """
    user.email = None
    user.save(update_fields=("email",))
    rest = EmailAddress.objects.filter(user=user).order_by("-verified", "pk")
    taken = User.objects.filter(email__in=rest.values("email")).values("email")
    if following := rest.exclude(email__in=taken).first():
        following.user = user
        following.set_as_primary()
