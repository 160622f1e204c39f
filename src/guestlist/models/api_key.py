"""A credential of an organization for programs."""

import secrets
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row
from guestlist.models.organization import Organization

PREFIX = "glk_"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_key() -> str:
    """`glk_`, 8 characters that are kept in clear, then 32 random bytes as base64url."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(8)) + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is stored of a key: the SHA-256 of the whole. A key has 256 random bits, so no salt is needed."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """API keys."""

    def usable(self) -> "ApiKeyQuerySet":
        """Those that are neither revoked nor expired."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.filter(unexpired, revoked_at=None)


class ApiKey(Row):
    """`permissions` is what was asked; what a key may do is cut to its creator's at each request. A key
    without a creator was made by the operator.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = (models.CheckConstraint(condition=~models.Q(name=""), name="api_key_has_name"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def as_resource(self) -> dict[str, Any]:
        """The key as it is shown after it was made: without the secret."""
        return {"id": str(self.pk), "name": self.name, "permissions": sorted(self.permissions)}
