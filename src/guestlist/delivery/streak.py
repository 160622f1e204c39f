"""What goes wrong in a row: whether answers about single messages are about all mail."""

from dataclasses import dataclass, field
from typing import Any

from guestlist.actions.deliveries import Attempt
from guestlist.delivery.answers import Answer, Meaning, Trouble, refused_sign_in

# Connections in a row that ended before a message was answered; messages in a row that were put off.
MOST_LOST, MOST_BUSY = 3, 20


@dataclass
class Streak:
    """Counts from the last message that went out. `organizations` are those whose messages are in it."""

    lost: int = 0
    busy: int = 0
    refused: int = 0
    went_out: bool = False
    organizations: set[Any] = field(default_factory=set)

    def end(self) -> None:
        """A message went out."""
        self.lost = self.busy = self.refused = 0
        self.went_out = True
        self.organizations.clear()

    def note(self, attempt: Attempt, answer: Answer, *, hung_up: bool) -> Trouble | None:
        """Add an answer; the trouble, where it is about all mail."""
        self.organizations.add(attempt.delivery.organization_id)
        reason = answer.detail
        match answer.meaning:
            case Meaning.TROUBLE:
                self.refused += 1
                # Where other mail has gone out, it may be about this message after all.
                if self.refused >= (MOST_LOST if self.went_out else 1):
                    return refused_sign_in(reason)
            case Meaning.BUSY:
                self.busy += 1
            case Meaning.REFUSED | Meaning.LATER if not hung_up:
                self.lost = 0  # a server that answers is there
        if hung_up:
            self.lost, self.went_out = self.lost + 1, False
        return Trouble(reason) if self.lost >= MOST_LOST or self.busy >= MOST_BUSY else None
