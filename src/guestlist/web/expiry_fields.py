"""Until when: some numbers of days, never, or a day of one's own."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

FIELDS = ("choice", "expires")


def choices(days: Iterable[int]) -> list[tuple[str, str]]:
    """What `_expiry_fields.html` offers."""
    offered = [(f"{d}d", ngettext("In %d day", "In %d days", d) % d) for d in days]
    return [*offered, ("never", _("Never")), ("day", _("On the day below"))]


def chosen(request: HttpRequest) -> str:
    """What the form says, as the actions take it. What was left empty is not the same as “never”."""
    choice = request.POST.get("choice", "")
    return (request.POST.get("expires", "").strip() if choice == "day" else choice) or "?"
