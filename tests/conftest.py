"""The cast: Alice owns Northwind, Bob is an Admin and Charlie a Member there; Dora owns Beta; Mallory is
nobody's member.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import translation

from guestlist.actions.api_keys import create_api_key
from guestlist.actions.members import add_member
from guestlist.actions.organizations import create_organization
from guestlist.actors import Actor, Origin
from guestlist.conf import DEFAULT_LIMITS
from guestlist.delivery.lane import Lane, Shared
from guestlist.models import Membership, Organization, Role
from guestlist_server.accounts.models import User

PASSWORD = "correct horse battery staple"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """How the tests are shared among workers."""
    from tests.scheduling import Scheduling

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what may depend on the database; the rest is the same on both, and needs to run once."""
    asked = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    if asked or item.get_closest_marker("django_db"):
        item.add_marker("database")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that drive a browser go last: its event loop stays in the thread, where Django then refuses to
    touch the database.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A page in another language leaves that language behind in the thread that tests share."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _nobody_has_guessed() -> None:
    """What is counted for a network outlives a test."""
    cache.clear()


@pytest.fixture(autouse=True)
def _organizations_go_first(request: pytest.FixtureRequest) -> Iterator[None]:
    """Events may only be deleted after their organization; flushing a database does not know that."""
    marker = request.node.get_closest_marker("django_db")
    if not marker or not marker.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM guestlist_organization")
        else:
            trigger = "ALTER TABLE guestlist_event {} TRIGGER guestlist_event_is_not_truncated"
            cursor.execute(trigger.format("DISABLE"))
            cursor.execute("TRUNCATE guestlist_event")
            cursor.execute(trigger.format("ENABLE"))


def environ_of(data: Path) -> dict[str, str]:
    """The environment of a server with nothing configured but its folder."""
    told = ("GUESTLIST", "EMAIL", "DATABASE", "DJANGO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    return clean | {"GUESTLIST_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="session")
def up_to_date(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[Path], None]:
    """Makes a data folder whose database is up to date: a copy, for making one takes seconds."""
    base = tmp_path_factory.getbasetemp()
    made = (base if worker_id == "master" else base.parent) / "up-to-date"

    def make(folder: Path) -> None:
        with made.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                command = [sys.executable, "-m", "guestlist_server", "migrate"]
                subprocess.run(command, env=environ_of(made), check=True, capture_output=True)
        own = shutil.ignore_patterns("secret_key", "*.lock")
        shutil.copytree(made, folder, ignore=own, dirs_exist_ok=True)

    return make


def make_user(email: str, name: str) -> User:
    """A user with one verified address and the password PASSWORD."""
    user = User.objects.create_user(email, PASSWORD, name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def actor_of(user: User, door: str = "web") -> Actor:
    """The user at a door."""
    return Actor.user(user, origin=Origin(door, "192.0.2.1", "tests"))


def join(organization: Organization, user: User, role: str | None) -> Membership:
    """Make `user` a member, with the role of that name."""
    from django.db import transaction

    with transaction.atomic():
        locked = Organization.objects.lock(organization.pk)
        found = Role.objects.get(organization=organization, name=role) if role else None
        via = Membership.Via.INVITATION
        return add_member(Actor.operator(), locked, user=user, via=via, role=found)


def deliver_due(worker: UUID) -> int:
    """Send one batch of the mail that is due, as a worker does; how many messages it took."""
    lane = Lane(Shared(), threading.Event(), worker)
    try:
        return lane.deliver_batch()
    finally:
        lane.close()


@pytest.fixture
def alice(db: None) -> User:
    """Owner of Northwind."""
    return make_user("alice@northwind.test", "Alice Archer")


@pytest.fixture
def organization(alice: User) -> Organization:
    """Northwind."""
    return create_organization(actor=Actor.operator(), name="Northwind", slug="northwind", owner=alice)


@pytest.fixture
def bob(organization: Organization) -> User:
    """Admin of Northwind."""
    user = make_user("bob@northwind.test", "Bob Baker")
    join(organization, user, "Admin")
    return user


@pytest.fixture
def charlie(organization: Organization) -> User:
    """Member of Northwind, without “Member: Manage”."""
    user = make_user("charlie@northwind.test", "Charlie Cook")
    join(organization, user, "Member")
    return user


@pytest.fixture
def mallory(db: None) -> User:
    """Nobody's member."""
    return make_user("mallory@evil.test", "Mallory Mayhem")


@pytest.fixture
def dora(db: None) -> User:
    """Owner of Beta."""
    return make_user("dora@beta.test", "Dora Dunn")


@pytest.fixture
def beta(dora: User) -> Organization:
    """Another organization."""
    return create_organization(actor=Actor.operator(), name="Beta", slug="beta", owner=dora)


@pytest.fixture
def make_key() -> Callable[..., str]:
    """Makes an operator's API key of an organization; its secret."""

    def make(
        organization: Organization, permissions: tuple[str, ...] = ("member.manage",), **values: Any
    ) -> str:
        actor = values.get("actor", Actor.operator())
        return create_api_key(
            actor=actor, organization=organization, name="Test key", permissions=permissions
        ).secret

    return make


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A browser in which a user is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def limit(settings: Any) -> Callable[..., None]:
    """Sets limits; those not given are off."""

    def set_limits(**limits: str) -> None:
        off = dict.fromkeys(DEFAULT_LIMITS, "none")
        settings.GUESTLIST = settings.GUESTLIST | {"LIMITS": off | limits}

    return set_limits
