"""What a call was answered, so that the same call again gets the same answer."""

from django.db import models
from django.db.models.functions import Now

from guestlist.models.api_key import ApiKey
from guestlist.models.fields import Row
from guestlist.models.organization import Organization


class IdempotentAnswer(Row):
    """`fingerprint` is the SHA-256 of the call, `permissions` what the caller had. `body` is sealed with the
    API key that made it: an answer may hold a secret that is stored nowhere.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    permissions = models.JSONField(default=list)
    status = models.PositiveIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("api_key", "key"), name="idempotent_answer_once"),)
        indexes = (models.Index(fields=("created_at",), name="idempotent_answer_by_age"),)

    def __str__(self) -> str:
        return self.key
