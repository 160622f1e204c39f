"""The servers behind the list of places: one full, one new, one without mail, one whose mail fails."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import Server, environment, start_server, stop_server
from tests.browser.places import Place

# Browsers do passkeys at both; only the first is loopback to a server, so the other sends no mail.
HOSTS = {"full": "localhost", "new": "localhost", "off": "guestlist.localhost", "failing": "localhost"}
VARIABLES = {
    "full": {"GUESTLIST_GOOGLE": "id:secret", "GUESTLIST_CREATE_ORGANIZATIONS": "anyone"},
    "new": {"GUESTLIST_SIGNUP": "open"},
    "off": {},
    "failing": {"EMAIL_URL": "smtp://127.0.0.1:9"},
}


@dataclass
class Demo:
    """A server, and what `demo` has put into it."""

    server: Server
    sessions: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what pages did that they may not

    def visit(self, browser: Browser, place: Place, **options: object) -> Page:
        """Somebody's page at `place`, in the state that it is about. Close its context afterwards."""
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        if place.who:
            cookie = {"name": "sessionid", "value": self.sessions[place.who], "url": self.server.url}
            context.add_cookies([cookie])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", lambda m: self.broken.append(m.text) if "Content Security" in m.text else None)
        page.route("**/error/*", self._broken_page)
        page.goto(self.server.url + self.address(place))
        if place.act:
            place.act(page)
        page.wait_for_load_state()
        return page

    def _broken_page(self, route: Route) -> None:
        html = self.errors[route.request.url.rpartition("/")[2]]
        route.fulfill(body=html, content_type="text/html")

    def address(self, place: Place) -> str:
        """The path, with the link that it names."""
        found = {name.replace(" ", "_"): link for name, link in self.links.items()}
        setup = self.server.setup_url.removeprefix(self.server.url)
        new_token = self.links.get("new", "").removeprefix("/i/")
        return place.path.format(**found, setup=setup, new_token=new_token)


def fill(data: Path) -> dict[str, dict[str, str]]:
    """Fill a data folder; what `demo` says is in it."""
    variables = {"DJANGO_SETTINGS_MODULE": "guestlist_server.settings", **VARIABLES["full"]}
    told = environment(data, "http://localhost", **variables)
    command = [sys.executable, "-c", "from tests.browser.demo import main; main()"]
    answer = subprocess.run(command, env=told, stdout=subprocess.PIPE, text=True, check=True)
    filled: dict[str, dict[str, str]] = json.loads(answer.stdout.splitlines()[-1])
    return filled


@contextmanager
def demos(folder: Path) -> Iterator["Demos"]:
    """Those that are asked for, until the end."""
    started = Demos(folder)
    try:
        yield started
    finally:
        for demo in started.values():
            stop_server(demo.server)


def fail_to_send(data: Path) -> None:
    """The mail server has refused the sign-in for a while, and is tried again in a while."""
    reason = "The mail server refused the sign-in: 535 5.7.8 Authentication credentials invalid"
    now = datetime.now(UTC)
    times = [
        (now + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat(" ") for minutes in (-3000, 600)
    ]
    with closing(sqlite3.connect(data / "guestlist.sqlite3")) as database, database:
        database.execute("DELETE FROM guestlist_mailqueue")
        database.execute(
            "INSERT INTO guestlist_mailqueue (id, failing_since, paused_until, reason, failures) "
            "VALUES (1, ?, ?, ?, 9)",
            [*times, reason],
        )
        database.execute(
            "UPDATE guestlist_delivery SET state = 'deferred', detail = ?, next_at = ? "
            "WHERE state = 'queued'",
            [reason, times[1]],
        )


class Demos(dict[str, Demo]):
    """Starts each server when it is first asked for; those that are not new begin as copies of one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    @cached_property
    def filled(self) -> dict[str, dict[str, str]]:
        """What is in the folder that is copied."""
        return fill(self.folder / "filled")

    def __missing__(self, name: str) -> Demo:
        found = {} if name == "new" else self.filled
        if found:
            shutil.copytree(self.folder / "filled", self.folder / name)
        if name == "failing":
            fail_to_send(self.folder / name)
        self[name] = Demo(start_server(self.folder / name, host=HOSTS[name], **VARIABLES[name]), **found)
        return self[name]
