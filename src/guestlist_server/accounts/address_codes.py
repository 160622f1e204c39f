"""Codes that prove the mailbox of an address which a user wants to add."""

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions.members import update_profile
from guestlist_server.accounts.models import AddressCode, User
from guestlist_server.accounts.sign_up import take_from_squatters

LIFETIME = timedelta(minutes=15)
MAX_TRIES = 5
MAX_PER_HOUR = 3
# Without letters and digits that look alike, or that spell words.
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"


def new_code(user: User, email: str) -> str | None:
    """A code to mail to `email`, which ends the earlier ones; None where the user had enough of them."""
    with transaction.atomic():
        # The lock makes codes of one user count one after another.
        User.objects.select_for_update().get(pk=user.pk)
        own = AddressCode.objects.filter(user=user)
        if own.filter(created_at__gt=Now() - timedelta(hours=1)).count() >= MAX_PER_HOUR:
            return None
        forget(user)
        code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        AddressCode.objects.create(user=user, email=email, digest=_digest(user, email, code))
    return f"{code[:4]}-{code[4:]}"


def forget(user: User) -> None:
    """Nothing is waiting any more; what was asked for still counts."""
    AddressCode.objects.filter(user=user).update(used=True)


def take_back(user: User, email: str, code: str) -> None:
    """The code never left: it cannot be entered, and does not count."""
    AddressCode.objects.filter(user=user, digest=_digest(user, email, _plain(code))).delete()


def waiting_code(user: User, email: str) -> AddressCode | None:
    """The code that was mailed and can still be entered."""
    live = AddressCode.objects.filter(user=user, email=email, used=False, tries__lt=MAX_TRIES)
    return live.filter(created_at__gt=Now() - LIFETIME).order_by("-pk").first()


def is_right(user: User, email: str, typed: str) -> bool:
    """Whether `typed` is the waiting code. Every question counts as a try, the right one uses the code up."""
    code = waiting_code(user, email)
    if code is None:
        return False
    # One conditional write each: many requests at once get no more tries, and no second success.
    row = AddressCode.objects.filter(pk=code.pk, used=False)
    if not row.filter(tries__lt=MAX_TRIES).update(tries=F("tries") + 1):
        return False
    return hmac.compare_digest(code.digest, _digest(user, email, _plain(typed))) and bool(
        row.update(used=True)
    )


def add_verified_address(user: User, email: str) -> list[str]:
    """Give `email` to the account, verified; accounts that hold it unverified lose it. The addresses that the
    account had verified before. Raises AccountExists where it is somebody's already.
    """
    own = EmailAddress.objects.filter(user=user)
    with transaction.atomic():
        before = list(own.filter(verified=True).values_list("email", flat=True))
        take_from_squatters(email, owner=user)
        try:
            with transaction.atomic():
                own.update_or_create(email=email, defaults={"user": user, "verified": True})
        except IntegrityError as error:
            raise errors.AccountExists from error
        if not own.filter(primary=True).exists():
            own.get(email=email).set_as_primary()
        update_profile(user=User.objects.get(pk=user.pk))
    return before


def _plain(typed: str) -> str:
    return "".join(typed.split()).replace("-", "").upper()


def _digest(user: User, email: str, code: str) -> str:
    message = f"{user.pk.hex} {email} {code}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), b"guestlist.address-code " + message, sha256).hexdigest()
