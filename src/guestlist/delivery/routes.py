"""Ways out of the building: SMTP, a mail provider, or the outbox of a server in development."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import get_connection

from guestlist.checks import SMTP
from guestlist.conf import conf
from guestlist.delivery.emails import message_of
from guestlist.delivery.rendering import Renderer
from guestlist.delivery.smtp import Backend, Connection, plain_address
from guestlist.links import return_path
from guestlist.models import Delivery


class Route(Protocol):
    """An open way out."""

    def prepare(self, delivery: Delivery) -> Callable[[], str]:
        """Draw the message; what is called next sends it and gives the provider's name for it, or "". An
        exception here is the fault of the message, one there the answer of a server.
        """

    @property
    def is_open(self) -> bool:
        """Whether the next message can go the same way."""

    @property
    def unclear(self) -> bool:
        """Whether the message that was lost may have been delivered all the same."""

    def is_alive(self) -> bool:
        """Whether the server still answers after a while without messages."""

    def close(self) -> None:
        """End it, whatever the server says to that."""


def open_route(renderer: Renderer) -> Route:
    """The way that is configured, opened. Raises whatever the server’s refusal is; see `read_trouble`."""
    if conf().email_sending == "capture":
        return OutboxRoute()
    if settings.EMAIL_BACKEND == SMTP:
        return SmtpRoute(renderer)
    return BackendRoute()


class OutboxRoute:
    """Messages are not sent: `/outbox` draws them when it is looked at."""

    is_open, unclear = True, False

    def prepare(self, delivery: Delivery) -> Callable[[], str]:
        """As `Route`."""
        message_of(delivery)
        return str

    def is_alive(self) -> bool:
        """As `Route`."""
        return True

    def close(self) -> None:
        """As `Route`."""


class SmtpRoute:
    """One connection to the project’s SMTP server."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.backend = Backend()
        try:
            self.backend.open()
            self.connection: Connection = self.backend.connection  # type: ignore[assignment]
            self.connection.ehlo_or_helo_if_needed()
        except Exception:
            self._abandon()
            raise
        self.sender = plain_address(conf().email_from)

    def prepare(self, delivery: Delivery) -> Callable[[], str]:
        """As `Route`."""
        content = self.renderer.bytes_of(delivery)
        sender = return_path(delivery.pk) or self.sender
        to = delivery.recipient or delivery.invitation.email
        return partial(self._send, sender, to, content)

    def _send(self, sender: str, to: str, content: bytes) -> str:
        self.connection.deliver(sender, to, content)
        return ""

    @property
    def is_open(self) -> bool:
        """As `Route`."""
        return self.connection.sock is not None

    @property
    def unclear(self) -> bool:
        """As `Route`."""
        return self.connection.unclear

    def is_alive(self) -> bool:
        """As `Route`."""
        return self.connection.answers()

    def close(self) -> None:
        """As `Route`."""
        self.connection.hang_up()

    def _abandon(self) -> None:
        half_open: Any = self.backend.connection or getattr(self.backend, "_partial_connection", None)
        if half_open is not None:
            half_open.hang_up()


class BackendRoute:
    """Whatever e-mail backend the project has chosen: a provider’s, or one of its own."""

    is_open, unclear = True, True

    def __init__(self) -> None:
        self.backend = get_connection()
        self.backend.open()

    def prepare(self, delivery: Delivery) -> Callable[[], str]:
        """As `Route`."""
        message: Any = message_of(delivery)
        message.message()
        # Providers report what became of a message by this, where they support it.
        message.metadata = {"delivery": str(delivery.pk)}
        return partial(self._send, message)

    def _send(self, message: Any) -> str:
        self.backend.send_messages([message])
        return str(getattr(getattr(message, "anymail_status", None), "message_id", None) or "")

    def is_alive(self) -> bool:
        """As `Route`."""
        return False  # opening it anew costs less than finding out

    def close(self) -> None:
        """As `Route`."""
        try:
            self.backend.close()
        except OSError:
            return
