"""Better Auth with its organization plugin, in Node by its official handler."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import quote

from bench.databases import POSTGRESQL, Database
from bench.install import BETTER_AUTH
from bench.load import Call
from bench.processes import Failed, free_port, running, wait_until_answered
from bench.stage import Stage

NAME = "better-auth"
SECRET = "measured measured measured measured measured"


@dataclass(frozen=True)
class Site:
    """A running server, and somebody who is signed in there and owns an organization."""

    database: Database
    url: str
    pid: int
    cookie: str = ""
    organization: str = ""

    def call(self, path: str, body: str = "") -> Call:
        """A request to its API, with a body a POST."""
        headers = {"Cookie": self.cookie, "Origin": self.url}
        if body:
            headers["Content-Type"] = "application/json"
        return Call("POST" if body else "GET", f"{self.url}/api/auth/{path}", headers, body)

    def invitation(self, address: str) -> Call:
        """One invitation."""
        body = {"email": address, "role": "member", "organizationId": self.organization}
        return self.call("organization/invite-member", json.dumps(body))

    @property
    def invite(self) -> Call:
        """One invitation to another address each time."""
        return self.invitation("person{n}@example.test")

    @property
    def listing(self) -> Call:
        """100 invitations: it never answers with more."""
        return self.call(f"organization/list-invitations?organizationId={self.organization}")

    def add_invitations(self, number: int) -> list[str]:
        """So many pending ones, straight into the database; their ids."""
        tag = secrets.token_hex(4)
        later = datetime.now(UTC) + timedelta(days=7)
        ((owner,),) = self.database.rows(
            'SELECT "userId" FROM member WHERE "organizationId" = %s', self.organization
        )
        names = ("id", "organizationId", "email", "role", "status", "expiresAt", "createdAt", "inviterId")
        state = ("member", "pending", _time(later), _time())
        rows = [
            (f"{tag}{n}", self.organization, f"invitee{n}@{tag}.test", *state, owner) for n in range(number)
        ]
        self.database.insert("invitation", names, rows)
        return [row[0] for row in rows]

    def add_people(self, invitations: list[str]) -> list[str]:
        """Somebody for each of these invitations, with a session; their cookies."""
        tag = secrets.token_hex(4)
        found = self.database.rows("SELECT id, email FROM invitation")
        addresses = dict(found)
        tokens = {pk: secrets.token_urlsafe(24) for pk in invitations}
        verified: object = 1 if self.database.kind != POSTGRESQL else True
        users = [(f"{tag}{pk}", "Invitee", addresses[pk], verified, _time(), _time()) for pk in invitations]
        names = ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
        self.database.insert("user", names, users)
        later = _time(datetime.now(UTC) + timedelta(days=7))
        sessions = [(f"{tag}{pk}", later, tokens[pk], _time(), _time(), f"{tag}{pk}") for pk in invitations]
        names = ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId")
        self.database.insert("session", names, sessions)
        return [_signed(tokens[pk]) for pk in invitations]


def _time(at: datetime | None = None) -> str:
    return (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _signed(token: str) -> str:
    """The cookie of a session."""
    digest = base64.b64encode(hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).digest()).decode()
    return f"better-auth.session_token={quote(f'{token}.{digest}', safe='')}"


@contextlib.contextmanager
def serving(stage: Stage, kind: str, processes: int = 1) -> Iterator[Site]:
    """A server on a database of its own."""
    database, folder, port = stage.new_database(kind), stage.new_folder(), free_port()
    environ = {"NODE_ENV": "production", "PORT": str(port), "PROCESSES": str(processes), "SECRET": SECRET}
    with running(
        ["node", "server.mjs"], {**os.environ, **environ, **_place(database)}, folder / "log", BETTER_AUTH
    ) as process:
        site = Site(database, f"http://127.0.0.1:{port}", process.pid)
        wait_until_answered(f"{site.url}/api/auth/ok", process, folder / "log")
        yield found(site)


def _place(database: Database) -> dict[str, str]:
    if database.kind != POSTGRESQL:
        return {"SQLITE": str(database.place)}
    database.create()
    return {"POSTGRESQL": f"postgresql://guestlist@/{database.name}?host={database.place}"}


def found(site: Site) -> Site:
    """The same with another account and another organization, which is empty."""
    tag = secrets.token_hex(4)
    account = {"email": f"owner{tag}@northwind.test", "password": "correct horse battery", "name": "Owner"}
    cookie, _ = _post(site, "sign-up/email", account)
    signed_in = Site(site.database, site.url, site.pid, cookie)
    _, made = _post(signed_in, "organization/create", {"name": "Northwind", "slug": f"northwind{tag}"})
    return Site(site.database, site.url, site.pid, cookie, str(made["id"]))


def _post(site: Site, path: str, body: dict[str, str]) -> tuple[str, dict[str, object]]:
    call = site.call(path, json.dumps(body))
    connection = HTTPConnection(site.url.removeprefix("http://"), timeout=60)
    connection.request(call.method, f"/api/auth/{path}", call.body, dict(call.headers))
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise Failed(f"{path}: {answer.status} {content!r}")
    return (answer.headers["Set-Cookie"] or "").partition(";")[0], json.loads(content)
