"""A minimal project on django-organizations and django-invitations, served by gunicorn."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from bench.databases import POSTGRESQL, Database
from bench.install import DJANGO_PYTHON, PEERS
from bench.load import Call
from bench.processes import free_port, run, running, wait_until_answered
from bench.stage import Stage

NAME = "django-invitations"
_FOLDER = PEERS / "django-invitations"
_TOKEN = "a" * 32


@dataclass(frozen=True)
class Site:
    """A running server, and somebody who is signed in there."""

    database: Database
    url: str
    pid: int
    session: str

    def call(self, path: str, body: str = "") -> Call:
        """A request, with a body a POST of JSON."""
        headers = {"Cookie": f"csrftoken={_TOKEN}; sessionid={self.session}", "X-CSRFToken": _TOKEN}
        if body:
            headers["Content-Type"] = "application/json"
        return Call("POST" if body else "GET", f"{self.url}/{path}", headers, body)

    def invite_all(self, addresses: list[str]) -> Call:
        """All of them at once."""
        return self.call("invitations/send-json-invite/", json.dumps(addresses))

    def invite_one(self, address: str) -> Call:
        """One invitation to that address."""
        return self.invite_all([address])

    @property
    def invite(self) -> Call:
        """One invitation to another address each time."""
        return self.invite_all(["person{n}@example.test"])


@contextlib.contextmanager
def serving(stage: Stage, kind: str, processes: int = 1) -> Iterator[Site]:
    """A server on a database of its own, with 4 threads for each process."""
    database, folder, port = stage.new_database(kind), stage.new_folder(), free_port()
    environ = {**os.environ, "SECRET": "measured" * 6, "PYTHONDONTWRITEBYTECODE": "1", **_place(database)}
    session = run(str(DJANGO_PYTHON), "found.py", environ=environ, folder=_FOLDER).strip()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(processes), "--threads", "4"]
    command = [str(DJANGO_PYTHON), "-m", "gunicorn", *options, "--log-level", "error", "wsgi"]
    with running(command, environ, folder / "log", _FOLDER) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_answered(f"{url}/ping", process, folder / "log")
        yield Site(database, url, process.pid, session)


def _place(database: Database) -> dict[str, str]:
    if database.kind != POSTGRESQL:
        return {"SQLITE": str(database.place)}
    database.create()
    return {"POSTGRESQL": f"{database.place}/{database.name}"}
