"""The default answer to "which addresses does this user own?": the user model's own e-mail field.

A project whose users can change that field without proof must point `GUESTLIST["ADDRESSES"]` at
something stricter.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models.functions import Lower


def verified_addresses(user: Any) -> list[str]:
    """The user's one address, or none."""
    email = getattr(user, user.get_email_field_name(), "")
    return [email] if email and user.is_active else []


def owners(keys: Iterable[str]) -> Mapping[str, Any]:
    """Who owns each comparison key, for the keys that somebody owns; of two accounts, the older."""
    model = get_user_model()
    accounts = model._default_manager.annotate(address_key=Lower(model.get_email_field_name()))
    if _has_field(model, "is_active"):
        accounts = accounts.filter(is_active=True)
    found = accounts.filter(address_key__in=set(keys)).order_by("-pk")
    return dict(found.values_list("address_key", "pk"))


def _has_field(model: Any, name: str) -> bool:
    """`is_active` is a plain attribute of Django's smallest user model."""
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
