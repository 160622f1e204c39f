"""axe finds nothing to say against any page, in light and in dark."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    INVITATIONS,
    MEMBERS,
    invite,
    join,
    link_to,
    set_up,
    start_server,
    stop_server,
)

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SETTLED = """async () => {
  await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}"""
RUN = """async (tags) => (await axe.run(document, {runOnly: tags, resultTypes: ['violations']})).violations
  .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 99)} ${node.failureSummary}`))"""


@pytest.fixture(scope="module")
def browser_options():
    return {"reduced_motion": "reduce"}


def assert_accessible(page: Page) -> None:
    """In both themes; evaluated from outside, so that the page's own policy stays in force."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(SETTLED)
        assert page.evaluate(RUN, TAGS) == [], f"{page.url} in {scheme}"


def test_first_run_sign_in_and_the_empty_list_are_accessible(person, tmp_path):
    server, page = start_server(tmp_path / "data"), person()
    try:
        for url in (server.setup_url, f"{server.url}/", f"{server.url}/accounts/login/"):
            page.goto(url)
            assert_accessible(page)
        page.get_by_role("button", name="Sign In").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        assert_accessible(page)
        set_up(page, server)
        expect(page.get_by_role("heading", name="No pending invitations")).to_be_visible()
        assert_accessible(page)
    finally:
        stop_server(server)


def test_invitations_are_accessible_in_every_state(server, maya):
    maya.goto(f"{server.url}{INVITATIONS}?q=nobody-has-this")
    assert_accessible(maya)
    maya.goto(f"{server.url}{INVITATIONS}?status=expired")
    assert_accessible(maya)
    invite(maya, server, "rows@acme.test", "more@acme.test")
    maya.get_by_label("Select rows@acme.test").check()
    assert_accessible(maya)

    maya.get_by_role("button", name="Revoke invitation to more@acme.test").click()
    expect(maya.get_by_role("alertdialog")).to_be_visible()
    assert_accessible(maya)
    maya.keyboard.press("Escape")

    maya.get_by_role("button", name="Invite Users").first.click()
    dialog = maya.get_by_role("dialog", name="Invite Users")
    dialog.get_by_role("textbox").fill(
        "new@acme.test, rows@acme.test, maya@northwind.test, a@gmial.com, jane@"
    )
    expect(dialog.get_by_text("1 to fix")).to_be_visible()
    assert_accessible(maya)
    dialog.get_by_role("button", name="Send Invitations").click()
    expect(dialog.get_by_text("couldn’t be sent")).to_be_visible()
    assert_accessible(maya)


def test_members_and_the_refusal_are_accessible(server, maya, person):
    invite(maya, server, "liam@acme.test", "other@acme.test")
    liam = person()
    join(liam, link_to(liam, server, "liam@acme.test"), "Liam Chen")
    assert_accessible(liam)
    maya.goto(server.url + MEMBERS)
    expect(maya.get_by_role("row").filter(has_text="Liam Chen")).to_be_visible()
    assert_accessible(maya)
    assert liam.goto(server.url + INVITATIONS).status == 403
    assert_accessible(liam)
    assert liam.goto(f"{server.url}/nothing-here").status == 404
    assert_accessible(liam)
    liam.goto(link_to(liam, server, "other@acme.test"))
    expect(liam.get_by_role("heading", name="This invitation is for another email")).to_be_visible()
    assert_accessible(liam)


def test_the_pages_of_an_invitation_and_the_outbox_are_accessible(server, maya, person):
    invite(maya, server, "visitor@acme.test")
    visitor = person()
    link = link_to(visitor, server, "visitor@acme.test")
    assert_accessible(visitor)
    visitor.goto(link)
    assert_accessible(visitor)
    visitor.get_by_role("button", name="Accept Invitation").click()
    expect(visitor.locator("[aria-invalid=true]").first).to_be_visible()
    assert_accessible(visitor)
    visitor.goto(f"{link}/decline")
    assert_accessible(visitor)
    maya.get_by_role("button", name="Revoke invitation to visitor@acme.test").click()
    maya.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(maya.get_by_role("status").filter(has_text="Invitation revoked.")).to_be_visible()
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="This invitation was withdrawn")).to_be_visible()
    assert_accessible(visitor)
