"""Which addresses a user owns: those that allauth holds as verified."""

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import CharField

from guestlist.models.prepared import Among, Prepared


def verified_addresses(user: Any) -> list[str]:
    """The verified addresses of an active user."""
    if not user.is_active:
        return []
    return list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))


def owners(keys: Iterable[str]) -> Mapping[str, Any]:
    """Comparison key → id of the user who owns it. allauth stores addresses in lower case, as keys are."""
    return dict(_OWNERS.rows(keys=list(keys)))


_OWNERS = Prepared(
    lambda: EmailAddress.objects.filter(
        Among("email", "keys", CharField()), verified=True, user__is_active=True
    ).values_list("email", "user_id")
)
