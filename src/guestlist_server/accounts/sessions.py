"""Every session is on its user's list of sessions, also those that began outside allauth's pages."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest


@receiver(user_logged_in, dispatch_uid="guestlist.sessions")
def list_session(*, request: HttpRequest | None, **_: Any) -> None:
    """Somebody signed in: by an invitation, the set-up link, or a page of accounts."""
    if request is not None and request.META.get("REMOTE_ADDR"):
        UserSession.objects.create_from_request(request)
