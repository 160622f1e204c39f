"""How long an invitation can be accepted: said for it alone, by its organization, or by the server."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, Value, When
from django.db.models.functions import Cast

from guestlist import errors
from guestlist.conf import conf, parse_lifetime
from guestlist.models import Organization
from guestlist.models.invitation import NEVER

SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=3650)
_LIFETIME = re.compile(r"0*([1-9]\d{0,4})([hd])", re.ASCII)


def clean_lifetime(text: str) -> str:
    """A lifetime as it is kept: `36h`, `7d`, `never`; empty is nobody's choice. Raises LifetimeInvalid."""
    word = text.strip().lower()
    if word in ("", "never"):
        return word
    match = _LIFETIME.fullmatch(word)
    clean = match and f"{match[1]}{match[2]}"
    if not clean or not SHORTEST <= (parse_lifetime(clean) or SHORTEST) <= LONGEST:
        raise errors.LifetimeInvalid
    return clean


def lifetime_of(organization: Organization, own: str = "") -> timedelta | None:
    """How long an invitation can be accepted: by what was said for it alone, else by its organization, else
    by the server. None is for ever.
    """
    text = own or organization.invitation_lifetime
    return parse_lifetime(text) if text else conf().invitation_lifetime


def expiry(organization: Organization, own: str) -> datetime:
    """When an invitation with a lifetime of its `own` that is sent now can be accepted no more."""
    lifetime = lifetime_of(organization, own)
    return NEVER if lifetime is None else organization.now + lifetime


def by_lifetime(times: Mapping[str, datetime | None]) -> Case:
    """Own lifetime → time, as what one statement sets for rows with different ones."""
    cases = (When(lifetime=own, then=Value(at)) for own, at in times.items())
    # PostgreSQL takes nothing but NULLs for text unless told what they are.
    return Case(*cases, default=Cast(Value(None), DateTimeField()), output_field=DateTimeField(null=True))
