"""Without a mouse, and on a small screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, MEMBERS, invite, link_to

LONG = "bartholomew." * 5 + "abcd@mail.northwind.test"


def assert_nothing_sticks_out(page):
    """No sideways scroll, and no text wider than what holds it."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    sticking = page.evaluate("""
        [...document.querySelectorAll('main *')]
          .filter((e) => e.checkVisibility() && !e.closest('.sr, .tabs'))
          .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
          .map((e) => e.outerHTML.slice(0, 80))
    """)
    assert not sticking


def test_slash_focuses_search_and_i_opens_the_dialog_whose_draft_survives_escape(server, maya):
    maya.keyboard.press("/")
    expect(maya.get_by_label("Search invitations by email")).to_be_focused()
    maya.keyboard.type("i")
    expect(maya.get_by_role("dialog")).to_have_count(0)
    maya.get_by_role("heading", name="Invitations", exact=True).click()
    maya.keyboard.press("i")
    dialog = maya.get_by_role("dialog", name="Invite Users")
    box = dialog.get_by_role("textbox", name="Email addresses")
    expect(box).to_be_focused()
    maya.keyboard.type("keyboard@acme.test")
    maya.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    maya.keyboard.press("i")
    expect(box).to_have_value("keyboard@acme.test")
    maya.reload()
    maya.keyboard.press("i")
    expect(box).to_have_value("keyboard@acme.test")
    maya.keyboard.press("Control+Enter")
    expect(maya.get_by_role("status").filter(has_text="1 invitation sent.")).to_be_visible()
    expect(dialog).to_be_hidden()
    maya.keyboard.press("i")
    expect(box).to_have_value("")


def test_focus_goes_to_cancel_and_after_revoking_to_the_next_row(server, maya):
    invite(maya, server, "a@focus.test", "b@focus.test", "c@focus.test")
    maya.goto(f"{server.url}{INVITATIONS}?q=focus.test&sort=email")
    trash = maya.get_by_role("button", name="Revoke invitation to b@focus.test")
    trash.focus()
    maya.keyboard.press("Enter")
    cancel = maya.get_by_role("alertdialog").get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    maya.keyboard.press("Escape")
    expect(maya.get_by_role("alertdialog")).to_have_count(0)
    expect(trash).to_be_focused()
    maya.keyboard.press("Enter")
    expect(cancel).to_be_focused()
    maya.keyboard.press("Tab")
    maya.keyboard.press("Enter")
    expect(trash).to_have_count(0)
    expect(maya.get_by_role("button", name="Revoke invitation to c@focus.test")).to_be_focused()


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_never_scrolls_sideways(width, server, maya, person):
    if not maya.get_by_text(LONG).count():
        invite(maya, server, LONG)
    size = {"width": width, "height": 800}
    maya.set_viewport_size(size)
    maya.goto(server.url + INVITATIONS)
    expect(maya.get_by_text(LONG)).to_be_visible()
    assert_nothing_sticks_out(maya)
    maya.get_by_role("button", name=f"Revoke invitation to {LONG}").click()
    expect(maya.get_by_role("alertdialog")).to_be_visible()
    assert_nothing_sticks_out(maya)
    maya.keyboard.press("Escape")
    maya.get_by_role("button", name="Invite Users").first.click()
    maya.get_by_role("textbox", name="Email addresses").fill(f"{LONG}, {LONG}x, jane@")
    expect(maya.get_by_role("dialog").get_by_text("1 to fix")).to_be_visible()
    sideways = "[...document.querySelectorAll('dialog[open], dialog[open] .dialog__body')]"
    assert maya.evaluate(f"{sideways}.every(e => e.scrollWidth <= e.clientWidth)")
    maya.goto(server.url + MEMBERS)
    assert_nothing_sticks_out(maya)

    visitor = person(viewport=size)
    visitor.goto(link_to(visitor, server, LONG))
    expect(visitor.get_by_role("heading", name="Join Northwind")).to_be_visible()
    assert_nothing_sticks_out(visitor)


def test_the_long_address_wraps_on_a_wide_screen_too(server, maya):
    if not maya.get_by_text(LONG).count():
        invite(maya, server, LONG)
    maya.set_viewport_size({"width": 1024, "height": 700})
    assert_nothing_sticks_out(maya)


def test_the_drawer_leads_to_members(server, maya):
    maya.set_viewport_size({"width": 390, "height": 800})
    maya.get_by_role("button", name="Open navigation").click()
    drawer = maya.locator("#drawer")
    expect(drawer).to_be_visible()
    drawer.get_by_role("link", name="Members").click()
    expect(maya.get_by_role("heading", name="Members", exact=True)).to_be_visible()
