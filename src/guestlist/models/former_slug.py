"""A short name that an organization once had. Links with it still lead there."""

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row
from guestlist.models.organization import MAX_SLUG, Organization


class FormerSlug(Row):
    """Nobody else can take it while it is kept, so that no link leads to a stranger."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="former_slugs")
    slug = models.CharField(max_length=MAX_SLUG, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.slug
