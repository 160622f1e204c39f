"""When a message is not tried again."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from guestlist.actions.deliveries import Attempt
from guestlist.models.delivery import State

# A message at which the connection is lost each time may have arrived each time.
MOST_LOSSES = 5
# A message at which the worker dies each time is what it dies of.
MOST_INTERRUPTIONS = 10
# Mail servers give up after so long (RFC 5321, section 4.5.4.1); some tries it is worth in any case.
LONGEST, FEWEST = timedelta(days=5), 5


def given_up(attempt: Attempt) -> str:
    """Why this message is not tried again, as a sentence; empty where it is. Somebody who asks for another
    try begins anew.
    """
    entries, since = attempt.delivery.history, attempt.delivery.created_at
    again = [number for number, entry in enumerate(entries) if entry["state"] == State.QUEUED]
    if again:
        entries = entries[again[-1] :]
        since = datetime.fromisoformat(entries[0]["at"])
    if attempt.at - since > LONGEST and len(entries) > FEWEST:
        values = {"days": LONGEST.days, "detail": attempt.delivery.detail}
        return _("Given up after %(days)s days: %(detail)s") % values
    interrupted = sum(bool(entry.get("interrupted")) for entry in entries)
    lost = sum(bool(entry.get("unclear")) for entry in entries) - interrupted
    if lost >= MOST_LOSSES:
        return _("Given up: the connection was lost each time. The message may have been delivered.")
    if interrupted >= MOST_INTERRUPTIONS:
        return _("Given up: the sending process ended each time. The message may have been delivered.")
    return ""
