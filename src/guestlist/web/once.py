"""A form that makes one thing, however often it is sent."""

from uuid import UUID

from django.core import signing

from guestlist.models.fields import as_uuid, new_id
from guestlist.web.access import Visit


def form_id(visit: Visit, noun: str) -> str:
    """The id that the thing of this form gets, signed for this member."""
    return signing.dumps(str(new_id()), salt=_salt(visit, noun))


def own_id(visit: Visit, noun: str, text: str) -> UUID | None:
    """The id that `form_id` gave out; None where it did not."""
    try:
        return as_uuid(signing.loads(text, salt=_salt(visit, noun)))
    except signing.BadSignature:
        return None


def _salt(visit: Visit, noun: str) -> str:
    return f"guestlist.web.{noun} {visit.membership.pk}"
