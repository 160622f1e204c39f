"""Times as people read them."""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from guestlist.models.invitation import NEVER
from guestlist.templating import format_date


def day(value: datetime) -> str:
    """`Mar 1, 2026`, in the viewer's language and zone."""
    return format_date(value)


def last_day(value: datetime) -> str | None:
    """The day of an expiry; None for one that never comes."""
    return None if value == NEVER else day(value)


def moment(value: datetime) -> str:
    """The full time and the name of the zone it is told in, for a tooltip."""
    zone = timezone.get_current_timezone_name().replace("_", " ")
    return f"{format_date(value, 'moment')} ({zone})"


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


def until(value: datetime, now: datetime) -> str:
    """`in 6 days`, `tomorrow`, `today`, `Never`; a day for what is over."""
    if value == NEVER:
        return _("Never")
    days = (timezone.localtime(value).date() - timezone.localtime(now).date()).days
    if value <= now:
        return day(value)
    if days == 0:
        return _("today")
    return _("tomorrow") if days == 1 else ngettext("in %d day", "in %d days", days) % days
