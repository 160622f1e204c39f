"""What is left of the limits, in words."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from guestlist.actions.limits import Number, shares
from guestlist.templating import format_date
from guestlist.web.access import Visit


def what_is_left(visit: Visit) -> str | None:
    """How many more the person can send before the first limit is reached; None where there is none."""
    share = min(
        shares(actor=visit.actor, organization=visit.organization),
        key=lambda share: share.left,
        default=None,
    )
    if share is None:
        return None
    number = {"number": f"{Number(share.left)}"}
    if share.limit.period == timedelta(days=1):
        text = ngettext(
            "You can send %(number)s more today.", "You can send %(number)s more today.", share.left
        )
        return text % number
    text = ngettext(
        "You can send %(number)s more until %(time)s.",
        "You can send %(number)s more until %(time)s.",
        share.left,
    )
    return text % (number | {"time": _time(share.ends_at)})


def _time(value: datetime) -> str:
    """`14:00`; with the day where it is not today's."""
    local = timezone.localtime(value)
    if local.date() == timezone.localdate():
        return date_format(local, "H:i")
    return format_date(value, "moment")
