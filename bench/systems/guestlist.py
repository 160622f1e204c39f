"""Guestlist as `guestlist serve` runs it."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.databases import Database
from bench.install import ROOT
from bench.load import Call
from bench.processes import free_port, run, running, wait_until_answered
from bench.stage import Stage

NAME = "guestlist"
COMMAND = [sys.executable, "-m", "guestlist_server"]
# Counted as everywhere, but never reached.
_LIMITS = {f"GUESTLIST_LIMIT_{name}": "100000000/1d" for name in ("INVITER", "ORGANIZATION")}


@dataclass(frozen=True)
class Home:
    """A database with organizations that one person owns, who is signed in with `cookie`."""

    database: Database
    folder: Path
    email_url: str = "smtp://127.0.0.1:9"
    cookie: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """What configures a server on it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GUESTLIST")}
        return kept | {
            "DATABASE_URL": self.database.url,
            "EMAIL_URL": self.email_url,
            "GUESTLIST_DATA_DIR": str(self.folder),
            "GUESTLIST_SECRET_KEY": "measured measured measured measured measured",
            "GUESTLIST_LOG_LEVEL": "WARNING",
            **_LIMITS,
        }

    def inside(self, action: str, *arguments: str) -> object:
        """What `bench.inside` answers."""
        command = [sys.executable, "-m", "bench.inside", action, *arguments]
        return json.loads(run(*command, environ=self.environ, folder=ROOT))

    def found(self, *slugs: str) -> "Home":
        """With these organizations."""
        made = self.inside("found", *slugs)
        assert isinstance(made, dict)
        return replace(self, cookie=made["cookie"], keys=made["keys"])


def with_mail_to(home: Home, url: str) -> Home:
    """The same, sending there."""
    return replace(home, email_url=url)


def empty_home(stage: Stage, kind: str) -> Home:
    """A database without tables."""
    home = Home(stage.new_database(kind), stage.new_folder())
    home.database.create()
    return home


def new_home(stage: Stage, kind: str) -> Home:
    """A migrated database without anything in it."""
    home = empty_home(stage, kind)
    run(*COMMAND, "migrate", environ=home.environ)
    return home


def home(stage: Stage, kind: str) -> Home:
    """A database of its own with the organization Northwind, which has sent one invitation."""
    base = stage.once(f"home/{kind}", lambda: new_home(stage, kind).found("northwind"))
    copy = stage.new_database(kind)
    base.database.copy_to(copy)
    return replace(base, database=copy)


@dataclass(frozen=True)
class Site:
    """A running server."""

    home: Home
    url: str
    pid: int

    def call(self, path: str, method: str = "GET", body: str = "", slug: str = "northwind") -> Call:
        """A request to REST, about an organization."""
        headers = {"Authorization": f"Bearer {self.home.keys[slug]}"}
        if method != "GET":
            headers["Content-Type"] = "application/json"
        return Call(method, f"{self.url}/api/v1/organizations/{slug}/{path}", headers, body)

    def page(self, path: str, slug: str = "northwind") -> Call:
        """A page of an organization, for somebody who is signed in."""
        return Call("GET", f"{self.url}/o/{slug}/admin/{path}", {"Cookie": self.home.cookie})

    def invite(self, slug: str = "northwind") -> Call:
        """One invitation."""
        return self.call("invitations", "POST", '{"emails":["person{n}@example.test"]}', slug)

    def invite_one(self, address: str) -> Call:
        """One invitation to that address."""
        return self.invite_all([address])

    def invite_all(self, addresses: list[str]) -> Call:
        """All of them at once."""
        return self.call("invitations", "POST", json.dumps({"emails": addresses}))

    @property
    def listing(self) -> Call:
        """100 pending invitations."""
        return self.call("invitations?limit=100&status=pending")


@contextlib.contextmanager
def serving(home: Home, processes: int = 1, *, mail: bool = False) -> Iterator[Site]:
    """A server on the database; with `mail` also its process that sends."""
    port, log = free_port(), home.folder / "log"
    options = ["--port", str(port), "--workers", str(processes), *([] if mail else ["--no-worker"])]
    with running([*COMMAND, "serve", *options], home.environ, log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_answered(f"{url}/healthz", process, log)
        yield Site(home, url, process.pid)
