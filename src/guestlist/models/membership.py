"""The row that says that a user belongs to an organization, with at most one role."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Now
from django.db.models.sql.compiler import SQLCompiler

from guestlist.models.fields import Row, id_of, searchable, timestamp
from guestlist.models.invitation import Invitation
from guestlist.models.join_link import JoinLink
from guestlist.models.listing import Columns, capped_counts
from guestlist.models.organization import Organization
from guestlist.models.role import Role
from guestlist.models.text_search import containing, count_containing

# Roles sort in the order they were made (Owner, Admin, Member, …); members without one come last.
NO_ROLE = uuid.UUID(int=2**128 - 1)
# Not a role: a filter, for those who have none.
NEEDS_ROLE = "none"


def _role() -> Coalesce:
    return Coalesce("role_id", models.Value(NO_ROLE, models.UUIDField()))


def role_filter(role: str) -> str:
    """A filter by role in the words of the headcounts: there may be several ways to write an id."""
    return role if role in ("", NEEDS_ROLE) else str(id_of(role))


class RoleOrLast(Coalesce):
    """The role as it sorts, in the words of the index: SQLite does not see it in a value that is bound."""

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        """With the value written out."""
        sql, _ = super().as_sql(compiler, connection, **extra)
        return sql.replace("%s", f"'{NO_ROLE.hex}'"), []


def _role_or_last() -> RoleOrLast:
    return RoleOrLast("role_id", models.Value(NO_ROLE, models.UUIDField()))


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships."""

    def active(self) -> "MembershipQuerySet":
        """Those that let somebody in today."""
        return self.filter(state=Membership.State.ACTIVE)

    def matching(self, text: str) -> "MembershipQuerySet":
        """Those with `text` anywhere in the name or address; see `containing`."""
        return containing(self, text) if (text := searchable(text)) else self

    def count_matching(self, text: str) -> int:
        """How many those are, up to 10,001."""
        text = searchable(text)
        return count_containing(self, text) if text else capped_counts([self])[0]

    def with_role(self, role: str) -> "MembershipQuerySet":
        """Those with the role of this id, or with `none` those without one; empty is everybody."""
        if not role:
            return self
        held = NO_ROLE if role == NEEDS_ROLE else id_of(role)
        # As the indexes have it that sort by role.
        return self.alias(held=_role_or_last()).filter(held=held)


class Membership(Row):
    """`name`, `email` and `email_key` are copies of the account's, made at joining and kept up to date by
    `update_profile`, so that lists sort and search without asking the user model. `via` says how the member
    came in, by which `invitation` or `join_link`.
    """

    class State(models.TextChoices):
        """At most one membership of a user in an organization is active; coming back makes a new row."""

        ACTIVE = "active"
        REMOVED = "removed"
        LEFT = "left"

    class Via(models.TextChoices):
        """How somebody came in; empty where nobody wrote it down."""

        FOUNDED = "founded"
        SET_UP = "set_up"
        INVITATION = "invitation"
        HAND_OVER = "hand_over"
        JOIN_LINK = "join_link"
        DOMAIN = "domain"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.ForeignKey(Role, models.SET_NULL, null=True, related_name="memberships")
    name = models.CharField(max_length=150)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=254)
    email_verified = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    via = models.CharField(max_length=10, choices=Via.choices, blank=True)
    invitation: "models.ForeignKey[Invitation | None, Any]" = models.ForeignKey(
        Invitation, models.SET_NULL, null=True, related_name="+"
    )
    join_link: "models.ForeignKey[JoinLink | None, Any]" = models.ForeignKey(
        JoinLink, models.SET_NULL, null=True, related_name="memberships"
    )
    joined_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    objects = MembershipQuerySet.as_manager()

    COLUMNS: Columns = {
        "name": models.F("name"),
        "email": models.F("email_key"),
        "role": _role_or_last(),
        "joined": models.F("joined_at"),
    }

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "user"),
                condition=models.Q(state="active"),
                name="membership_one_active",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("active", "removed", "left")), name="membership_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="active", ended_at=None)
                | (~models.Q(state="active") & models.Q(ended_at__isnull=False)),
                name="membership_ended_has_time",
            ),
        )
        indexes = (
            # Whoever was removed is not let back in by a link, with a new account neither.
            models.Index(fields=("organization", "email_key", "joined_at"), name="membership_of_address"),
            models.Index(fields=("organization", "state", "name", "id"), name="membership_by_name"),
            models.Index(fields=("organization", "state", "email_key", "id"), name="membership_by_email"),
            models.Index(fields=("organization", "state", "joined_at", "id"), name="membership_by_joined"),
            models.Index("organization", "state", _role(), "id", name="membership_by_role"),
            models.Index("organization", "state", _role(), "name", "id", name="membership_role_by_name"),
            models.Index(
                "organization", "state", _role(), "email_key", "id", name="membership_role_by_email"
            ),
            models.Index(
                "organization", "state", _role(), "joined_at", "id", name="membership_role_by_joined"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @classmethod
    def columns(cls, role: str) -> Columns:
        """What a list sorts by; within one role, those who have it sort by name."""
        return {**cls.COLUMNS, "role": models.F("name")} if role else cls.COLUMNS

    @property
    def permissions(self) -> frozenset[str]:
        """What this membership allows; without a role, nothing."""
        return self.role.permission_set if self.role else frozenset()

    def as_resource(self) -> dict[str, Any]:
        """The member as REST shows it. Load `role` with it."""
        return {
            "id": str(self.pk),
            "name": self.name,
            "email": self.email,
            "email_verified": self.email_verified,
            "role": self.role and self.role.as_reference(),
            "joined_at": timestamp(self.joined_at),
        }
