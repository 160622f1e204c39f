"""A named set of permissions of one organization."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.functions import Lower, Now

from guestlist.models.fields import Row
from guestlist.models.organization import Organization
from guestlist.permissions import all_permissions


def role_permissions(*, fixed: bool, granted: Iterable[str]) -> frozenset[str]:
    """What a role allows that is granted these. A permission that the project has given up is none."""
    return all_permissions() if fixed else all_permissions().intersection(granted)


class Role(Row):
    """`fixed` marks Owner: it has every permission, now and later, and cannot be edited or deleted."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="roles")
    name = models.CharField(max_length=80)
    permissions = models.JSONField(default=list)
    fixed = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint("organization", Lower("name"), name="role_name_is_unique"),
            models.UniqueConstraint(
                fields=("organization",), condition=models.Q(fixed=True), name="role_one_is_fixed"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="role_has_name"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def permission_set(self) -> frozenset[str]:
        """What a holder may do."""
        return role_permissions(fixed=self.fixed, granted=self.permissions)

    def as_reference(self) -> dict[str, Any]:
        """The role as REST shows it inside a member."""
        return {"id": str(self.pk), "name": self.name}

    def as_resource(self, member_count: int | None) -> dict[str, Any]:
        """The role as REST shows it; `member_count` is None where nobody counted so far."""
        return {
            "id": str(self.pk),
            "name": self.name,
            "permissions": sorted(self.permission_set),
            "fixed": self.fixed,
            "member_count": member_count,
        }
