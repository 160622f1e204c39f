"""Times as people read them."""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from guestlist.models.invitation import NEVER


def day(value: datetime) -> str:
    """`Mar 1, 2026`, in the viewer's language and zone."""
    return formats.date_format(
        timezone.localtime(value), "M j, Y" if get_language() == "en" else "DATE_FORMAT"
    )


def moment(value: datetime) -> str:
    """The full time, for a tooltip."""
    return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT") + " UTC"


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
