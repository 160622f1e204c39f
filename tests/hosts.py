"""A project that installs the app alone, run as people run it: `manage.py`, a web server, a mail process."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_string, policy
from email.message import EmailMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin

PROJECT = Path(__file__).parent / "host_project"
PUBLIC = "https://www.example.com"
PASSWORD = "correct horse battery staple"
# What only a form is sent to is not opened.
ONLY_POST = (
    r"/(switch|revoke|resend|role|duplicate|ask|test|grant|dismiss|code|mode|on|restore|members/remove"
    r"|[0-9a-f-]+/join|deliveries/[0-9a-f-]+/redeliver|sign-out/?)$"
)
# What only the server needs; importing it in a host is an error, whatever else this Python has.
ABSENT = (
    "guestlist_server",
    "allauth",
    "anymail",
    "argon2",
    "granian",
    "psycopg",
    "structlog",
    "whitenoise",
)


@dataclass
class Host:
    """A copy of the project in a folder of its own."""

    folder: Path
    settings: str = "website.settings"
    base: str = ""
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    @classmethod
    def made_in(cls, folder: Path, settings: str) -> "Host":
        """A host with a database, run without the server's libraries."""
        shutil.copytree(PROJECT, folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ABSENT:
            (folder / "absent" / name).mkdir(parents=True)
            (folder / "absent" / name / "__init__.py").write_text(f"raise ImportError('{name} is absent')\n")
        host = cls(folder / "project", settings)
        host.manage("migrate")
        return host

    def manage(self, *words: str, fails: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` to its end."""
        done = subprocess.run(
            self._command(words), env=self._environ(), capture_output=True, text=True, timeout=60, check=False
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done

    def python(self, code: str) -> str:
        """What `code` prints in this host."""
        return self.manage("shell", "--no-imports", "-c", code).stdout.strip()

    def start(self) -> "Host":
        """Start the web server and the process that sends mail."""
        port = _free_port()
        self.base = f"http://127.0.0.1:{port}"
        for words in (["runserver", "--noreload", str(port)], ["guestlist", "worker"]):
            pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            self.running.append(subprocess.Popen(self._command(words), env=self._environ(), **pipes))
        eventually(lambda: Visitor(self).get("/sign-in/").status == 200)
        return self

    def stop(self) -> list[int]:
        """Tell both to stop; their exit statuses."""
        for process in self.running:
            process.terminate()
        return [process.wait(timeout=30) for process in self.running]

    def link_to(self, address: str) -> str:
        """The path of the link that was mailed to `address`, once the mail is there."""
        mail = eventually(lambda: next((m for m in self._mails() if m["To"] == address), None))
        body = mail.get_body(("plain",)).get_content()
        return re.search(rf"{PUBLIC}(/\S*i/gli_[\w-]+)", body)[1]

    def _mails(self) -> list[EmailMessage]:
        texts = [path.read_text() for path in (self.folder / "mail").glob("*.log")]
        parts = [part for text in texts for part in text.split("-" * 79 + "\n")]
        return [message_from_string(part, policy=policy.default) for part in parts if "To:" in part]

    def _command(self, words: Any) -> list[str]:
        return [sys.executable, str(self.folder / "manage.py"), *words]

    def _environ(self) -> dict[str, str]:
        dropped = ("DJANGO", "GUESTLIST", "DATABASE", "EMAIL")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        path = [str(self.folder.parent / "absent"), os.environ.get("PYTHONPATH", "")]
        return clean | {
            "DJANGO_SETTINGS_MODULE": self.settings,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
        }


@dataclass
class Page:
    """What a visitor sees."""

    status: int
    url: str
    text: str

    def links(self) -> set[str]:
        """Every address on the page that is on the host itself."""
        found = re.findall(r'\s(?:href|src|action|formaction|hx-get)="([^"#]+)"', self.text)
        return {urljoin(self.url, address.replace("&amp;", "&")) for address in found}


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str, cookie: str = "") -> Page:
        """Open a page, with one more cookie if it is given, and follow where it leads."""
        request = urllib.request.Request(urljoin(self.host.base, path))
        if cookie:
            own = [f"{had.name}={had.value}" for had in self.cookies]
            request.add_header("Cookie", "; ".join([*own, cookie]))
        return self._open(request)

    def post(self, path: str, **values: str) -> Page:
        """Send the form of a page, which is read first for its token."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path).text)
        data = urlencode({"csrfmiddlewaretoken": token[1] if token else "", **values}).encode()
        return self._open(urllib.request.Request(urljoin(self.host.base, path), data))

    def sign_in(self, username: str, path: str = "/sign-in/") -> Page:
        """Sign in on the host's own page."""
        page = self.get(path)
        follow = re.search(r'name="next" value="([^"]*)"', page.text)
        values = {"username": username, "password": PASSWORD, "next": follow[1] if follow else ""}
        return self.post(page.url, **values)

    def crawl(self, *paths: str) -> set[str]:
        """Open every page that can be reached; the paths of all that is linked."""
        seen: set[str] = set()
        waiting = list(paths)
        while waiting:
            page = self.get(waiting.pop())
            assert page.status in (200, 403), page.url
            # A script may hold what looks like links.
            is_html = page.text.lstrip().lower().startswith("<!doctype html")
            for address in page.links() - seen if is_html else ():
                seen.add(address)
                path = address.removeprefix(self.host.base)
                if path.startswith("/") and not re.search(ONLY_POST, path):
                    waiting.append(path)
        return {address.removeprefix(self.host.base).partition("?")[0] for address in seen}

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            response = self._opener.open(request, timeout=20)
        except HTTPError as error:
            response = error
        with response:
            return Page(response.status, response.url, response.read().decode(errors="replace"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def eventually(found: Callable[[], Any], seconds: float = 20) -> Any:
    """What `found` gives as soon as it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if value := found():
                return value
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("it never happened")
