"""The default answer to "which addresses does this user own?": the user model's own e-mail field.

A project whose users can change that field without proof must point `GUESTLIST["ADDRESSES"]` at
something stricter.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.functions import Lower


def verified_addresses(user: Any) -> list[str]:
    """The user's one address, or none."""
    email = getattr(user, user.get_email_field_name(), "")
    return [email] if email and user.is_active else []


def owners(keys: Iterable[str]) -> Mapping[str, Any]:
    """Who owns each comparison key, for the keys that somebody owns."""
    model = get_user_model()
    field = model.get_email_field_name()
    active = model._default_manager.filter(is_active=True).annotate(address_key=Lower(field))
    return dict(active.filter(address_key__in=set(keys)).values_list("address_key", "pk"))
