"""What a first visit costs, and whom it talks to."""

import gzip
from importlib import resources
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import INVITATIONS, invite

STATIC = resources.files("guestlist") / "static" / "guestlist"


def test_the_first_page_is_small_and_talks_to_nobody_else(server, maya, person, owner):
    invite(maya, server, *(f"person{number}@budget.test" for number in range(60)))
    page, url = person(storage_state=owner), f"{server.url}{INVITATIONS}?q=person1"
    network, transferred, asked = page.context.new_cdp_session(page), {}, {}
    network.on("Network.requestWillBeSent", lambda e: asked.update({e["requestId"]: e["request"]["url"]}))
    network.on(
        "Network.loadingFinished", lambda e: transferred.update({e["requestId"]: e["encodedDataLength"]})
    )
    network.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    assert len(asked) <= 10
    assert {urlsplit(each).netloc for each in asked.values()} == {urlsplit(server.url).netloc}
    assert sum(transferred.values()) <= 80 * 1024


def test_fifty_rows_of_html_are_small(server, maya):
    assert len(gzip.compress(maya.request.get(server.url + INVITATIONS).body())) <= 12 * 1024


@pytest.mark.parametrize(("name", "kilobytes"), [("app.css", 10), ("app.js", 6)])
def test_own_files_are_small(name, kilobytes):
    assert len(gzip.compress((STATIC / name).read_bytes())) <= kilobytes * 1024


@pytest.mark.parametrize(
    "path", [INVITATIONS, "/accounts/login/", "/outbox", "/nothing-here", "/i/gli_unknown"]
)
def test_the_content_security_policy_allows_nothing_unsafe(path, server, maya):
    policy = maya.request.get(server.url + path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "data:" not in policy
