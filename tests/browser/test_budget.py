"""What a first visit costs, and whom it talks to."""

import gzip
import re
from importlib import resources
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, MEMBERS, invite, link_to

SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({type: 'layout-shift', buffered: true});"""
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


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_while_a_page_loads_and_a_list_changes(server, maya, person, owner, width):
    invite(maya, server, *(f"still{number}@shift{width}.test" for number in range(4)))
    link = link_to(maya, server, f"still0@shift{width}.test")
    page = person(storage_state=owner, viewport={"width": width, "height": 800})
    page.add_init_script(SHIFTS)
    for path in (
        INVITATIONS,
        MEMBERS,
        "/organizations",
        "/accounts/profile/",
        "/outbox",
        urlsplit(link).path,
    ):
        page.goto(server.url + path, wait_until="networkidle")
        assert page.evaluate("shifted") <= 0.02, path
    page.goto(server.url + INVITATIONS)
    page.get_by_label("Search invitations by email").fill(f"shift{width}")
    expect(page).to_have_url(re.compile(f"q=shift{width}"))
    expect(page.locator("tbody tr")).to_have_count(4)
    page.get_by_role("columnheader", name="Email").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=email"))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("shifted") <= 0.02


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
