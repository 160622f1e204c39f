"""Until when something holds that people make, and how long what it replaces goes on."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from guestlist import errors
from guestlist.conf import parse_lifetime
from guestlist.models.invitation import NEVER

LONGEST = timedelta(days=3650)


def parse_expiry(text: str, now: datetime) -> datetime:
    """`90d` from now, the end of the last day as `2026-12-31` in the zone of whoever says it, or NEVER for
    `never` and for nothing. Raises ExpiryInvalid.
    """
    word = text.strip().lower()
    if word in ("", "never"):
        return NEVER
    ends = _parsed(word, now)
    if not now < ends <= now + LONGEST:
        raise errors.ExpiryInvalid
    return ends


def parse_overlap(text: str, most: timedelta) -> timedelta:
    """`24h`, `7d`, or `0` for none. Raises OverlapInvalid for more than `most`."""
    word = text.strip().lower()
    try:
        overlap = timedelta() if word == "0" else parse_lifetime(word)
    except ValueError as error:
        raise errors.OverlapInvalid(days=most.days) from error
    if overlap is None or overlap > most:
        raise errors.OverlapInvalid(days=most.days)
    return overlap


def _parsed(word: str, now: datetime) -> datetime:
    days = word.removesuffix("d")
    try:
        if word.endswith("d") and days.isascii() and days.isdecimal():
            return now + timedelta(days=int(days))
        return timezone.make_aware(datetime.combine(date.fromisoformat(word), time(23, 59, 59)))
    except (ValueError, OverflowError) as error:
        raise errors.ExpiryInvalid from error
