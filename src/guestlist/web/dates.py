"""Times as people read them."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
