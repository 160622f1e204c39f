"""A credential of an organization for programs."""

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.functions import Coalesce, Now

from guestlist import errors
from guestlist.actors import Actor, Origin
from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.invitation import NEVER
from guestlist.models.listing import Columns
from guestlist.models.membership import Membership
from guestlist.models.organization import Organization
from guestlist.permissions import all_permissions

PREFIX = "glk_"
PREFIX_LENGTH = 12
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
# Before any key was used: those that never were sort as the oldest.
_UNUSED = datetime(1970, 1, 1, tzinfo=UTC)


class State(models.TextChoices):
    """What people see of a key: nothing gets in unless it is active."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CREATOR_GONE = "creator_gone"


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

    def for_display(self) -> "ApiKeyQuerySet":
        """With what people see of it: its state as of now, who made it, and which key replaces it."""
        successor = ApiKey.objects.filter(replaces=models.OuterRef("pk")).values("pk")[:1]
        rows = self.annotate(state_now=_state_now(), successor_id=models.Subquery(successor))  # type: ignore[no-redef]
        return rows.select_related("created_by")

    def in_state(self, state: str) -> "ApiKeyQuerySet":
        """Those of `for_display` in that state; all without one. Raises InvalidFilter."""
        if state and state not in State.values:
            raise errors.InvalidFilter(field="status", value=state[:100], choices=", ".join(State.values))
        return self.filter(state_now=state) if state else self  # type: ignore[misc]

    def matching(self, q: str) -> "ApiKeyQuerySet":
        """Those with `q` in the name or in what is kept of the key in clear."""
        text = searchable(q)
        found = models.Q(name__icontains=text) | models.Q(prefix__contains=text)
        return self.filter(found) if text else self


def _state_now() -> models.Case:
    return models.Case(
        models.When(revoked_at__isnull=False, then=models.Value(State.REVOKED)),
        models.When(expires_at__lte=Now(), then=models.Value(State.EXPIRED)),
        models.When(creator_gone(), then=models.Value(State.CREATOR_GONE)),
        default=models.Value(State.ACTIVE),
        output_field=models.CharField(),
    )


def creator_gone() -> models.Q:
    """Whoever made it is no member any more, or their account is switched off."""
    own = {"user": models.OuterRef("created_by"), "organization": models.OuterRef("organization")}
    here = models.Exists(Membership.objects.active().filter(**own))
    gone = ~models.Q(here)
    # Not every user model keeps it in a column.
    if any(field.name == "is_active" for field in get_user_model()._meta.get_fields()):
        gone |= models.Q(created_by__is_active=False)
    return models.Q(created_by__isnull=False) & gone


class ApiKey(Row):
    """`permissions` is what was asked; what a key may do is cut to its creator's at each request. A key
    without a creator was made by the operator. One that was rotated is replaced by another.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=PREFIX_LENGTH)
    hash = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    replaces: "models.ForeignKey[ApiKey | None, Any]" = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="replaced_by"
    )

    objects = ApiKeyQuerySet.as_manager()

    COLUMNS: Columns = {
        "name": models.F("name"),
        "created": models.F("created_at"),
        "used": Coalesce("last_used_at", models.Value(_UNUSED)),
        "expires": Coalesce("expires_at", models.Value(NEVER)),
        "status": models.F("state_now"),
    }

    if TYPE_CHECKING:
        state_now: str
        successor_id: UUID | None

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(name=""), name="api_key_has_name"),
            models.UniqueConstraint(fields=("replaces",), name="api_key_is_replaced_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def permission_set(self) -> frozenset[str]:
        """Those that were asked for and that still exist."""
        return frozenset(self.permissions) & all_permissions()

    @property
    def creator(self) -> Actor:
        """Whose key it is: it can do no more than they can now."""
        return Actor.user(self.created_by, origin=Origin()) if self.created_by else Actor.operator()

    def as_resource(self) -> dict[str, Any]:
        """The key as programs are shown it, without the secret. Load it with `for_display`."""
        return {
            "id": str(self.pk),
            "name": self.name,
            "prefix": self.prefix,
            "permissions": sorted(self.permissions),
            "status": self.state_now,
            "created_by": self.creator.as_resource(),
            "created_at": timestamp(self.created_at),
            "expires_at": timestamp(self.expires_at),
            "last_used_at": timestamp(self.last_used_at),
            "revoked_at": timestamp(self.revoked_at),
            "replaces": self.replaces_id and str(self.replaces_id),
            "replaced_by": self.successor_id and str(self.successor_id),
        }
