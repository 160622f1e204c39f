"""A real server in a folder of its own, and a real Chromium."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, expect

# Other tests keep the processors busy meanwhile.
expect.set_options(timeout=15_000)

PASSWORD = "correct horse battery staple"
INVITATIONS = "/o/northwind/admin/invitations"
MEMBERS = "/o/northwind/admin/members"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser; one worker at a time shares a server."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Debian's Chromium, which as root needs --no-sandbox and offline must not call home.
CHROMIUM: dict[str, Any] = {
    "executable_path": os.environ.get("CHROMIUM", "/usr/bin/chromium"),
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ],
}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """The browser that is installed."""
    return {**browser_type_launch_args, **CHROMIUM}


@dataclass
class Server:
    """A running `guestlist serve`."""

    url: str
    setup_url: str
    process: subprocess.Popen[str]
    data: Path


def environment(data: Path, url: str, **variables: str) -> dict[str, str]:
    """What a server is told, and nothing that the tests are told."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GUESTLIST_", "DJANGO_", "EMAIL_URL"))}
    kept.pop("DATABASE_URL", None)
    return {**kept, "GUESTLIST_DATA_DIR": str(data), "GUESTLIST_URL": url, **variables}


def start_server(data: Path, *, host: str = "127.0.0.1", port: int | None = None, **variables: str) -> Server:
    """Start `guestlist serve` and read the link that it prints: for its set-up, unless that is done."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://{host}:{port}"
    with (data.parent / f"{data.name}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "guestlist_server", "serve", "--port", str(port)],
            env=environment(data, url, **variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    greeting = (m[1] for line in process.stdout if (m := re.match(r"(?:Set up )?Guestlist: (\S+)", line)))
    setup_url = next(greeting, "")
    assert setup_url, Path(log.name).read_text()
    server = Server(url, setup_url, process, data)
    # Browsers find every *.localhost, not so the resolver.
    health = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": f"{host}:{port}"})
    for _ in range(600):
        try:
            urllib.request.urlopen(health, timeout=5).close()
            return server
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def stop_server(server: Server) -> None:
    """Ask it to end, and wait."""
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    if server.process.stdout:
        server.process.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, up_to_date: Callable[[Path], None]) -> Iterator[Server]:
    """One server for all tests that keep to addresses of their own; others start one for themselves."""
    data = tmp_path_factory.mktemp("server") / "data"
    up_to_date(data)
    started = start_server(data)
    yield started
    stop_server(started)


@pytest.fixture(scope="session")
def owner(browser: Browser, server: Server) -> StorageState:
    """The session of Maya, who followed the set-up link."""
    return session_of_owner(browser, server)


@pytest.fixture(scope="session")
def browser_options() -> dict[str, object]:
    """What the browser profiles of a file of tests have in common."""
    return {}


@pytest.fixture
def person(browser: Browser, browser_options: dict[str, object]) -> Iterator[Callable[..., Page]]:
    """Somebody with a browser profile of their own. What the page may not do fails the test."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def arrive(**options: object) -> Page:
        context = browser.new_context(**{**browser_options, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda m: broken.append(m.text) if "Content Security Policy" in m.text else None)
        return page

    yield arrive
    for context in contexts:
        context.close()
    assert not broken


@pytest.fixture
def maya(server: Server, owner: StorageState, person: Callable[..., Page]) -> Page:
    """The first owner, on her Invitations page."""
    page = person(storage_state=owner)
    page.goto(server.url + INVITATIONS)
    return page


def session_of_owner(browser: Browser, server: Server, **options: object) -> StorageState:
    """Set the server up, and keep the cookies."""
    context = browser.new_context(**options)
    set_up(context.new_page(), server)
    state = context.storage_state()
    context.close()
    return state


def set_up(page: Page, server: Server) -> None:
    """Follow the set-up link."""
    page.goto(server.setup_url)
    page.get_by_label("Full name").fill("Maya Torres")
    page.get_by_label("Email").fill("maya@northwind.test")
    page.get_by_label("Create a password").fill(PASSWORD)
    page.get_by_label("Organization").fill("Northwind")
    page.locator("form button[type=submit]").last.click()
    page.wait_for_url("**/admin/invitations")


def invite(page: Page, server: Server, *emails: str) -> None:
    """Invite by the form that is a page of its own, and end on the list."""
    page.goto(f"{server.url}{INVITATIONS}/new")
    page.get_by_label("Email addresses").fill("\n".join(emails))
    page.get_by_role("button", name="Send Invitations").click()
    sent = "1 invitation sent." if len(emails) == 1 else f"{len(emails)} invitations sent."
    expect(page.get_by_role("status").filter(has_text=sent)).to_be_visible()
    page.goto(server.url + INVITATIONS)


def join(page: Page, link: str, name: str) -> None:
    """Accept as somebody new."""
    page.goto(link)
    page.get_by_label("Full name").fill(name)
    page.get_by_label("Create a password").fill(PASSWORD)
    page.get_by_role("button", name="Accept Invitation").click()
    page.wait_for_url("**/o/northwind/")


def sign_in(page: Page, email: str) -> None:
    """On the sign-in page, by password."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()


def mail_to(
    page: Page, server: Server, email: str, *, about: str = "", link: str = "", count: int = 1
) -> Locator:
    """The newest captured mail to `email` with that text and link, once `count` of them are out."""
    mail = page.get_by_role("article").filter(has_text=f"To {email}").filter(has_text=about)
    mail = mail.filter(has=page.locator(f"a[href*='{link}']")) if link else mail
    for _ in range(60):
        page.goto(f"{server.url}/outbox")
        if mail.count() >= count:
            return mail.first
        page.wait_for_timeout(250)
    raise AssertionError(f"no mail to {email}")


def link_to(page: Page, server: Server, email: str, *, count: int = 1) -> str:
    """The link in the newest captured mail that invites `email`."""
    mail = mail_to(page, server, email, link="/i/gli_", count=count)
    return str(mail.locator("a[href*='/i/gli_']:not([href$='decline'])").first.get_attribute("href"))
