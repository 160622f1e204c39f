"""Somebody with an address at a verified domain asks to be let in."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from guestlist import errors
from guestlist.models.domain import Domain
from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.listing import Columns
from guestlist.models.organization import Organization


class JoinRequestQuerySet(models.QuerySet["JoinRequest"]):
    """Requests to join."""

    def pending(self) -> "JoinRequestQuerySet":
        """Those that nobody has answered."""
        return self.filter(state=JoinRequest.State.PENDING)

    def in_state(self, state: str) -> "JoinRequestQuerySet":
        """Those in `state`; all where it is empty. Raises InvalidFilter."""
        if state and state not in JoinRequest.State.values:
            raise errors.InvalidFilter(
                field="status", value=state[:100], choices=", ".join(JoinRequest.State.values)
            )
        return self.filter(state=state) if state else self

    def matching(self, text: str) -> "JoinRequestQuerySet":
        """Those with `text` anywhere in the address."""
        text = searchable(text).lower()
        return self.filter(key__contains=text) if text else self


class JoinRequest(Row):
    """By address, for not everybody who asks has an account: granting sends an invitation there. `name` is
    what the account of whoever asked says, if they were signed in.
    """

    class State(models.TextChoices):
        """At most one request of an address is pending."""

        PENDING = "pending"
        GRANTED = "granted"
        DISMISSED = "dismissed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="join_requests")
    domain: "models.ForeignKey[Domain | None, Domain | None]" = models.ForeignKey(
        Domain, models.SET_NULL, null=True, related_name="+"
    )
    email = models.CharField(max_length=254)
    key = models.CharField(max_length=254)
    name = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    objects = JoinRequestQuerySet.as_manager()

    COLUMNS: Columns = {"email": models.F("key"), "asked": models.F("created_at")}

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "key"),
                condition=models.Q(state="pending"),
                name="join_request_one_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("pending", "granted", "dismissed")),
                name="join_request_state_is_known",
            ),
        )
        indexes = (
            models.Index(
                fields=("organization", "state", "created_at", "id"), name="join_request_by_created"
            ),
            models.Index(fields=("organization", "state", "key", "id"), name="join_request_by_email"),
        )

    def __str__(self) -> str:
        return self.email

    def as_resource(self) -> dict[str, Any]:
        """The request as REST shows it. Load `domain` with it."""
        return {
            "id": str(self.pk),
            "email": self.email,
            "name": self.name,
            "domain": self.domain and self.domain.domain,
            "status": self.state,
            "created_at": timestamp(self.created_at),
            "ended_at": timestamp(self.ended_at),
        }
