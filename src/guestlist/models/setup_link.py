"""The link by which a server or an organization gets its first owner."""

import secrets
from hashlib import sha256
from uuid import UUID

from django.db import models
from django.db.models.functions import Coalesce, Now

from guestlist.models.fields import Row
from guestlist.models.organization import Organization


def new_code() -> str:
    """A code of 128 random bits."""
    return secrets.token_urlsafe(16)


def code_hash(code: str) -> str:
    """What is stored of a code."""
    return sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


class SetupLinkQuerySet(models.QuerySet["SetupLink"]):
    """Set-up links."""

    def usable(self, code: str) -> "SetupLinkQuerySet":
        """The link with this code, if it can still be used."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.filter(unexpired, hash=code_hash(code), used_at=None)


class SetupLink(Row):
    """Without an organization it is the server's first-run link, which lives until the next start.

    With one, it makes `email` the owner, within 7 days.
    """

    organization = models.ForeignKey(
        Organization, models.CASCADE, null=True, blank=True, related_name="setup_links"
    )
    email = models.CharField(max_length=254, blank=True)
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = SetupLinkQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Coalesce("organization_id", models.Value(UUID(int=0), models.UUIDField())),
                condition=models.Q(used_at=None),
                name="setup_link_one_unused",
            ),
        )

    def __str__(self) -> str:
        return f"set-up link for {self.email or 'the server'}"
