"""What a first visit costs, and whom it talks to."""

import gzip
from importlib import resources
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import INVITATIONS, invite

STATIC = resources.files("guestlist") / "static" / "guestlist"


def test_the_first_page_is_small_and_talks_to_nobody_else(server, maya, person, owner):
    invite(maya, server, *(f"person{number}@budget.test" for number in range(60)))
    page = person(storage_state=owner)
    network, transferred, hosts = page.context.new_cdp_session(page), [], set()
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: transferred.append(event["encodedDataLength"]))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(server.url + INVITATIONS, wait_until="networkidle")
    assert len(transferred) <= 10
    assert sum(transferred) <= 80 * 1024
    assert hosts == {urlsplit(server.url).netloc}


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
