"""Details of an invitation: a drawer that keyboard and focus find their way into and out of, and a page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, invite

DELIVERY = "/o/northwind/admin/delivery"


def open_drawer(page, email):
    """By keyboard, from the row."""
    link = page.get_by_role("link", name=f"Details of {email}")
    link.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name=email)
    expect(drawer).to_be_visible()
    return link, drawer


def test_the_drawer_opens_by_keyboard_and_gives_the_focus_back(server, maya):
    invite(maya, server, "keys@details.test")
    link, drawer = open_drawer(maya, "keys@details.test")
    expect(drawer.get_by_role("button", name="Close")).to_be_focused()
    expect(drawer.get_by_role("heading", name="Invitation", exact=True)).to_be_visible()
    maya.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(link).to_be_focused()
    expect(maya).to_have_url(server.url + INVITATIONS)


def test_what_is_done_in_the_drawer_closes_it_and_shows_in_the_list(server, maya):
    invite(maya, server, "again@details.test", "gone@details.test")
    _, drawer = open_drawer(maya, "again@details.test")
    maya.route(
        "**/resend", lambda route: route.fulfill(status=204, headers={"HX-Trigger": "guestlist:changed"})
    )
    with maya.expect_response(re.compile(r"/invitations\b(?!/)")):
        drawer.get_by_role("button", name="Resend").click()
    expect(drawer).to_have_count(0)
    expect(maya.locator("[aria-busy]")).to_have_count(0)
    expect(maya.get_by_role("link", name="Details of again@details.test")).to_be_focused()

    link, drawer = open_drawer(maya, "gone@details.test")
    drawer.get_by_role("button", name="Revoke").click()
    question = maya.get_by_role("alertdialog", name="Revoke invitation?")
    expect(question).to_contain_text("gone@details.test")
    expect(drawer).to_have_count(0)
    maya.keyboard.press("Escape")
    expect(link).to_be_focused()

    _, drawer = open_drawer(maya, "gone@details.test")
    drawer.get_by_role("button", name="Revoke").click()
    question.get_by_role("button", name="Revoke").click()
    expect(question).to_have_count(0)
    expect(link).to_have_count(0)


@pytest.mark.parametrize("path", [INVITATIONS, DELIVERY])
def test_without_javascript_it_is_a_page(server, owner, person, path):
    page = person(storage_state=owner, java_script_enabled=False)
    invite(page, server, f"plain{len(path)}@details.test")
    email = f"plain{len(path)}@details.test"
    page.goto(f"{server.url}{path}?q={email}")
    role = "link" if path == INVITATIONS else "button"
    page.get_by_role(role, name=f"Details of {email}").click()
    expect(page).to_have_url(re.compile(rf"{INVITATIONS}/[0-9a-f-]+\??$"))
    expect(page.get_by_role("heading", name=email)).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Invitation revoked.")).to_be_visible()


def test_a_list_of_messages_is_searched_and_sorted(server, maya):
    invite(maya, server, "a@messages.test", "b@messages.test")
    maya.goto(server.url + DELIVERY)
    maya.get_by_label("Search messages by address").fill("messages.test")
    expect(maya.locator("tbody tr")).to_have_count(2)
    maya.get_by_role("columnheader", name="To").get_by_role("link").click()
    expect(maya).to_have_url(re.compile("q=messages.test.*sort=to|sort=to.*q=messages.test"))
    expect(maya.locator("tbody tr").first).to_contain_text("a@messages.test")
    maya.get_by_role("link", name=re.compile("^Failed")).click()
    expect(maya.get_by_role("heading", name="No messages match “messages.test”")).to_be_visible()
    maya.get_by_role("link", name="Clear search").click()
    expect(maya.get_by_role("link", name=re.compile("^Failed"))).to_have_attribute("aria-current", "true")
