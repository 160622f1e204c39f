"""Short names: which may be taken, and which of its former ones an organization keeps."""

import re

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from guestlist import errors
from guestlist.models import FormerSlug, Organization
from guestlist.models.organization import MAX_SLUG, SLUG

# Of an organization's former short names; the oldest goes.
MOST_KEPT = 10


def check_slug(slug: str) -> str:
    """`slug`, if it may be a short name. Raises SlugInvalid."""
    if len(slug) > MAX_SLUG or not SLUG.fullmatch(slug):
        raise errors.SlugInvalid
    return slug


def suggested_slug(name: str) -> str:
    """A short name from a name: `Straße & Co` → `strasse-co`; `organization` where nothing is left."""
    plain = slugify(name.replace("ß", "ss")).replace("_", "-")
    return re.sub("-+", "-", plain)[:MAX_SLUG].strip("-") or "organization"


def find_organization(slug: str) -> Organization | None:
    """The organization that has this short name, or had it."""
    if not SLUG.fullmatch(slug):
        return None
    rows = Organization.objects.present()
    return rows.filter(slug=slug).first() or rows.filter(former_slugs__slug=slug).first()


def was_called(organization: Organization, slug: str) -> bool:
    """Whether `slug` is a short name that the organization had."""
    return FormerSlug.objects.filter(organization=organization, slug=slug).exists()


def take_slug(organization: Organization, former: str | None = None) -> None:
    """Part of creating and changing: store the organization under its new short name, and keep `former`.

    Nobody else has that name, or had it and keeps it. Raises SlugTaken.
    """
    slug = organization.slug
    try:
        with transaction.atomic():
            organization.save()
    except IntegrityError as error:
        raise errors.SlugTaken(slug=slug) from error
    # Asked after writing, which has waited for whoever was giving up the name.
    kept = FormerSlug.objects.filter(slug=slug).first()
    if kept and kept.organization_id != organization.pk:
        raise errors.SlugTaken(slug=slug)
    if kept:
        kept.delete()
    if former:
        FormerSlug.objects.create(organization=organization, slug=former)
        ours = FormerSlug.objects.filter(organization=organization).order_by("-created_at", "-pk")
        FormerSlug.objects.filter(pk__in=list(ours.values_list("pk", flat=True)[MOST_KEPT:])).delete()
