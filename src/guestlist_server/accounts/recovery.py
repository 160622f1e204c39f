"""Whoever reads a mailbox takes over the account that stands on it."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset
from django.dispatch import receiver


@receiver(password_reset, dispatch_uid="guestlist.recovery")
def leave_no_other_way_in(*, user: Any, **_: Any) -> None:
    """A password was set by mail. Where nobody had confirmed an address of the account, whoever made it may
    have been somebody else, who must not keep a passkey to it.
    """
    from guestlist_server.accounts.sign_up import remove_keys  # with all of the pages, which no worker needs

    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        remove_keys(user)
