"""Times as people read them."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils import formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from guestlist.models.invitation import NEVER
from guestlist.templating import format_date, written_date


@dataclass(frozen=True, slots=True)
class Reader:
    """In which zone and language somebody reads the times of a page, and when: for a list that is looked up
    once, for it takes longer than to write a time.
    """

    zone: tzinfo
    zone_name: str
    language: str
    now: datetime

    @classmethod
    def here(cls) -> "Reader":
        """The viewer, now."""
        zone = timezone.get_current_timezone()
        return cls(zone, timezone.get_current_timezone_name(), get_language() or "", timezone.now())

    def day(self, value: datetime) -> str:
        """`Mar 1, 2026`, in the viewer's language and zone."""
        return self._written(value, "short")

    def moment(self, value: datetime) -> str:
        """The full time and the name of the zone it is told in, for a tooltip."""
        return f"{self._written(value, 'moment')} ({self.zone_name.replace('_', ' ')})"

    def until(self, value: datetime) -> str:
        """`in 6 days`, `tomorrow`, `today`, `Never`; a day for what is over."""
        if value == NEVER:
            return _("Never")
        if value <= self.now:
            return self.day(value)
        days = (value.astimezone(self.zone).date() - self.now.astimezone(self.zone).date()).days
        if days == 0:
            return _("today")
        return _("tomorrow") if days == 1 else ngettext("in %d day", "in %d days", days) % days

    def _written(self, value: datetime, style: str) -> str:
        local = value.astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None)
        return written_date(local, style, self.language)


def day(value: datetime) -> str:
    """`Reader.day` for a single time."""
    return Reader.here().day(value)


def last_day(value: datetime) -> str | None:
    """The day of an expiry; None for one that never comes."""
    return None if value == NEVER else day(value)


def moment(value: datetime) -> str:
    """`Reader.moment` for a single time."""
    return Reader.here().moment(value)


def clock(value: datetime) -> str:
    """`10:42` for a time of today, `Mar 1, 2026, 14:05` for any other."""
    local = timezone.localtime(value)
    if local.date() != timezone.localdate():
        return format_date(value, "moment")
    return formats.date_format(local, pgettext("time of day", "H:i"))


def age(value: datetime) -> str:
    """`2 minutes`, how long ago that was."""
    if (timezone.now() - value).total_seconds() < 60:
        return _("less than a minute")
    return timesince(value, depth=1)
