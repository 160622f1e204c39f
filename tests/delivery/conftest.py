"""A real SMTP server that remembers what it was given."""

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from django.db import connections
from django.db.models.functions import Now

from guestlist.actions.invitations import send_invitations
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.delivery.worker import run_worker
from guestlist.models import Delivery, Invitation, Organization, Webhook
from tests.conftest import actor_of, deliver_due
from tests.delivery.faulty import FaultyServer
from tests.delivery.receiver import Receiver
from tests.delivery.webhook_script import make_webhook


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """What arrived, and what the server answers to whom."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.peers: set[Any] = set()
        self.at_rcpt: dict[str, str] = {}
        self.after_data: dict[str, str] = {}
        self.at_sender = ""
        self.seconds = 0.0

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.peers.add(session.peer)
        if self.at_sender:
            return self.at_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.at_rcpt:
            return self.at_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        address = envelope.rcpt_tos[0]
        await asyncio.sleep(self.seconds)
        if self.after_data.get(address) == "drop":
            self.received.append((address, envelope.content))
            server.transport.abort()
            return "250 OK"
        if address in self.after_data:
            return self.after_data[address]
        self.received.append((address, envelope.content))
        return "250 OK"

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.received]

    def parsed(self, number: int = 0) -> EmailMessage:
        return email.message_from_bytes(self.received[number][1], policy=email.policy.default)  # type: ignore[return-value]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox, settings: Any) -> Iterator[Controller]:
    """The server, with Guestlist configured to send through it."""
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=False)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "send"}
    yield server
    if server.server is not None:
        server.stop()


@pytest.fixture
def server(settings: Any) -> Iterator[FaultyServer]:
    """A server that misbehaves as it is told, with Guestlist configured to send through it."""
    with FaultyServer() as server:
        server.use(settings)
        yield server


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver of webhooks on this machine, which the settings allow."""
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": ["127.0.0.0/8"]}
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def webhook(receiver: Receiver, organization: Organization) -> Webhook:
    """The operator's webhook of Northwind, which tells the receiver everything."""
    return make_webhook(organization, receiver.url)


@contextmanager
def workers(number: int = 1, **options: Any) -> Iterator[None]:
    """So many real workers, each in a thread with connections of its own."""
    stop = threading.Event()

    def work() -> None:
        try:
            run_worker(stop, **options)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def invite(organization: Organization, alice: Any) -> Callable[..., list[Invitation]]:
    """Invites addresses, as Alice unless told."""

    def send(*emails: str, actor: Actor | None = None) -> list[Invitation]:
        parsed = parse_items(list(emails))
        send_invitations(actor=actor or actor_of(alice), organization=organization, parsed=parsed)
        return list(Invitation.objects.filter(organization=organization).order_by("pk"))

    return send


@pytest.fixture
def drain() -> Callable[[], int]:
    """Sends until nothing is due; how many batches it took."""

    def run() -> int:
        worker, batches = uuid4(), 0
        while deliver_due(worker):
            batches += 1
        return batches

    return run


def make_due() -> None:
    """Let the time pass that deferred messages wait."""
    Delivery.objects.owed().update(next_at=Now(), leased_until=None)


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("invitation__email", "state"))
