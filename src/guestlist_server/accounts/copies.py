"""Memberships keep a copy of the account's name and primary address; it is renewed when those change."""

from typing import Any

from allauth.account.signals import email_added, email_changed, email_confirmed, email_removed
from django.dispatch import receiver

from guestlist.actions.members import update_profile


@receiver(email_added, dispatch_uid="guestlist.copies.added")
@receiver(email_changed, dispatch_uid="guestlist.copies.changed")
@receiver(email_removed, dispatch_uid="guestlist.copies.removed")
def copy_address(*, user: Any, **_: Any) -> None:
    """An address came, went, or became the primary one."""
    update_profile(user=user)


@receiver(email_confirmed, dispatch_uid="guestlist.copies.confirmed")
def copy_confirmed_address(*, email_address: Any, **_: Any) -> None:
    """The first confirmed address of an account becomes its primary one."""
    update_profile(user=email_address.user)
