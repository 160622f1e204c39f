"""A mail domain that an organization has shown to be its own."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row, timestamp
from guestlist.models.organization import Organization


class Mode(models.TextChoices):
    """What whoever has an address at the domain may do."""

    OFF = "off"
    REQUEST = "request"
    JOIN = "join"


class Domain(Row):
    """`domain` is the A-label. The code that proves it went to `email`, an address there; it is computed from
    `nonce`, not stored, holds until `code_expires_at` and allows a few `tries`.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.REQUEST)
    email = models.CharField(max_length=254)
    nonce = models.CharField(max_length=22)
    code_expires_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "domain"), name="domain_is_unique"),
            models.CheckConstraint(condition=models.Q(mode__in=Mode.values), name="domain_mode_is_known"),
        )
        indexes = (
            models.Index(
                fields=("domain",),
                condition=models.Q(verified_at__isnull=False),
                name="domain_verified",
            ),
        )

    def __str__(self) -> str:
        return self.domain

    def as_resource(self) -> dict[str, Any]:
        """The domain as programs are shown it: without what proves it."""
        return {
            "id": str(self.pk),
            "domain": self.domain,
            "mode": self.mode,
            "email": self.email,
            "verified_at": timestamp(self.verified_at),
            "created_at": timestamp(self.created_at),
        }
