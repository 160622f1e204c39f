"""Memberships keep a copy of the account's name and primary address; it is renewed when those change."""

from typing import Any

from allauth.account.signals import email_changed
from django.dispatch import receiver

from guestlist.actions.members import update_profile


@receiver(email_changed, dispatch_uid="guestlist.profile")
def copy_address(*, user: Any, **_: Any) -> None:
    """The primary address changed."""
    update_profile(user=user)
