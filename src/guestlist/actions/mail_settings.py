"""How an organization's mail is set: each value as it is typed and as it is kept."""

import re

from django.conf import settings

from guestlist import errors

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_BETWEEN_DAYS = re.compile(r"[\s,;،]+")
_DAY = re.compile(r"\d{1,2}")
MOST_DAYS, LAST_DAY = 5, 60


def parse_accent(text: str) -> str:
    """A colour as `#rrggbb`; empty is the usual one. Raises ColourInvalid."""
    colour = text.strip().lower()
    if colour and not _COLOUR.fullmatch(colour):
        raise errors.ColourInvalid
    return colour


def parse_language(text: str) -> str:
    """The code of one of the server's languages; empty is nobody's choice. Raises LanguageUnknown."""
    known = {code.lower(): code for code, _name in settings.LANGUAGES}
    code = text.strip().lower()
    if code and code not in known:
        raise errors.LanguageUnknown(language=text.strip()[:100], choices=", ".join(known.values()))
    return known.get(code, "")


def parse_reminder_days(text: str) -> list[int]:
    """Days after a mail, rising, each once; empty is no reminder. Raises ReminderDaysInvalid."""
    words = [word for word in _BETWEEN_DAYS.split(text) if word]
    if not all(_DAY.fullmatch(word) for word in words):
        raise errors.ReminderDaysInvalid
    days = sorted({int(word) for word in words})
    if len(days) > MOST_DAYS or any(not 1 <= day <= LAST_DAY for day in days):
        raise errors.ReminderDaysInvalid
    return days
