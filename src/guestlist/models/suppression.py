"""An address that asked not to be invited again."""

from collections.abc import Iterable

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row
from guestlist.models.organization import Organization


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Suppressions."""

    def against(self, organization: Organization, keys: Iterable[str]) -> "SuppressionQuerySet":
        """Those that keep `organization` from inviting these addresses."""
        theirs = models.Q(organization=organization) | models.Q(organization=None)
        return self.filter(theirs, key__in=set(keys))


class Suppression(Row):
    """Without `organization` it holds for the whole server."""

    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="suppressions")
    key = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("key", "organization"), name="suppression_once"),
            models.UniqueConstraint(
                fields=("key",), condition=models.Q(organization=None), name="suppression_of_server_once"
            ),
        )

    def __str__(self) -> str:
        return self.key
