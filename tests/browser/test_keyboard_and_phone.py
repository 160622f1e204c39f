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
          .filter((e) => e.checkVisibility() && !e.closest('.sr, .tabs, thead'))
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


def test_a_question_mark_lists_the_keys_and_escape_leads_back(server, maya):
    keys = maya.get_by_role("dialog", name="Keyboard shortcuts")
    maya.get_by_label("Search invitations by email").focus()
    maya.keyboard.press("?")
    expect(keys).to_be_hidden()
    maya.get_by_role("heading", name="Invitations", exact=True).click()
    maya.keyboard.press("?")
    expect(keys).to_be_visible()
    maya.keyboard.press("i")
    expect(maya.get_by_role("dialog", name="Invite Users")).to_be_hidden()
    maya.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    button = maya.get_by_role("button", name="Keyboard shortcuts")
    button.focus()
    maya.keyboard.press("Enter")
    expect(keys).to_be_visible()
    maya.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_the_invite_dialog_gives_focus_back_to_its_button(server, maya):
    button = maya.get_by_role("button", name="Invite Users").first
    expect(button).to_have_attribute("aria-keyshortcuts", "i")
    button.focus()
    maya.keyboard.press("Enter")
    expect(maya.get_by_role("dialog", name="Invite Users")).to_be_visible()
    maya.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_single_keys_do_nothing_for_whoever_switched_them_off(server, maya):
    def without_keys(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("<body data-shortcuts>", "<body>"))

    maya.route(f"**{INVITATIONS}", without_keys)
    maya.reload()
    for key in ("/", "i", "?"):
        maya.keyboard.press(key)
    expect(maya.get_by_role("dialog")).to_have_count(0)
    search = maya.get_by_label("Search invitations by email")
    expect(search).not_to_be_focused()
    expect(maya.locator("[aria-keyshortcuts]")).to_have_count(0)
    expect(maya.locator(".search kbd:visible")).to_have_count(0)


def test_the_first_tab_skips_to_the_content(server, maya):
    maya.keyboard.press("Tab")
    skip = maya.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    maya.keyboard.press("Enter")
    expect(maya.locator("#main")).to_be_focused()


def test_a_header_sorts_with_space_as_with_enter(server, maya):
    invite(maya, server, "b@space.test", "a@space.test")
    header = maya.get_by_role("columnheader", name="Email")
    for key, direction in (("Space", "ascending"), ("Enter", "descending"), ("Space", "ascending")):
        header.get_by_role("link").focus()
        maya.keyboard.press(key)
        expect(header).to_have_attribute("aria-sort", direction)
        expect(header.get_by_role("link")).to_be_focused()


def test_shift_selects_up_to_a_row_by_space_and_by_click(server, maya):
    invite(maya, server, *(f"r{number}@range.test" for number in range(6)))
    maya.goto(f"{server.url}{INVITATIONS}?q=range.test&sort=email")
    boxes, bar = maya.locator("input[name=ids]"), maya.get_by_role("form", name="Bulk actions")
    boxes.nth(1).focus()
    maya.keyboard.press("Space")
    boxes.nth(4).focus()
    maya.keyboard.press("Shift+Space")
    expect(bar.get_by_text("4 selected")).to_be_visible()
    bar.get_by_role("button", name="Clear").click()
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar.get_by_text("3 selected")).to_be_visible()
    boxes.nth(1).click(modifiers=["Shift"])
    expect(bar.get_by_text("1 selected")).to_be_visible()


def test_menus_close_by_escape_and_focus_goes_back(server, maya):
    switcher = maya.get_by_role("button", name="Switch organization:")
    switcher.press("Enter")
    expect(maya.locator("#org-menu-a")).to_be_visible()
    maya.keyboard.press("i")
    expect(maya.get_by_role("dialog")).to_have_count(0)
    maya.keyboard.press("Escape")
    expect(maya.locator("#org-menu-a")).to_be_hidden()
    expect(switcher).to_be_focused()
    maya.set_viewport_size({"width": 390, "height": 800})
    opener = maya.get_by_role("button", name="Open navigation")
    opener.press("Enter")
    maya.locator("#drawer").get_by_role("button", name="Keyboard shortcuts").press("Enter")
    expect(maya.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    maya.keyboard.press("Escape")
    expect(opener).to_be_focused()


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


def find_the_long_one(page, server):
    """The list with the invitation to LONG, however many others there are."""
    long = page.get_by_role("row").filter(has_text=LONG)
    page.goto(f"{server.url}{INVITATIONS}?q={LONG}")
    if not long.count():
        invite(page, server, LONG)
        page.goto(f"{server.url}{INVITATIONS}?q={LONG}")
    expect(long).to_be_visible()


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_never_scrolls_sideways(width, server, maya, person):
    size = {"width": width, "height": 800}
    maya.set_viewport_size(size)
    find_the_long_one(maya, server)
    assert_nothing_sticks_out(maya)
    maya.get_by_role("button", name=f"Revoke invitation to {LONG}").click()
    expect(maya.get_by_role("alertdialog")).to_be_visible()
    assert_nothing_sticks_out(maya)
    maya.keyboard.press("Escape")
    maya.get_by_role("button", name="Invite Users").first.click()
    maya.get_by_role("textbox", name="Email addresses").fill(f"{LONG}, {LONG}x, jane@")
    expect(maya.get_by_role("dialog").locator("[data-tally]").get_by_text("1 to fix")).to_be_visible()
    sideways = "[...document.querySelectorAll('dialog[open], dialog[open] .dialog__body')]"
    assert maya.evaluate(f"{sideways}.every(e => e.scrollWidth <= e.clientWidth)")
    maya.goto(server.url + MEMBERS)
    assert_nothing_sticks_out(maya)

    visitor = person(viewport=size)
    visitor.goto(link_to(visitor, server, LONG))
    expect(visitor.get_by_role("heading", name="Join Northwind")).to_be_visible()
    assert_nothing_sticks_out(visitor)


def test_the_long_address_wraps_on_a_wide_screen_too(server, maya):
    find_the_long_one(maya, server)
    maya.set_viewport_size({"width": 1024, "height": 700})
    assert_nothing_sticks_out(maya)


@pytest.mark.parametrize("path", [INVITATIONS, MEMBERS, "/o/northwind/", "/organizations"])
@pytest.mark.parametrize("look", ["rtl", "twice the text", "forced colours"])
def test_nothing_sticks_out_in_other_looks(server, maya, path, look):
    if look == "forced colours":
        maya.emulate_media(forced_colors="active")
    for width in (390, 1024):
        maya.set_viewport_size({"width": width, "height": 800})
        maya.goto(server.url + path)
        if look == "rtl":
            maya.evaluate("document.dir = 'rtl'")
        if look == "twice the text":
            maya.evaluate("document.adoptedStyleSheets = [new CSSStyleSheet()]")
            maya.evaluate("document.adoptedStyleSheets[0].replaceSync('html { font-size: 200% }')")
        assert_nothing_sticks_out(maya)


def test_the_drawer_leads_to_members(server, maya):
    maya.set_viewport_size({"width": 390, "height": 800})
    maya.get_by_role("button", name="Open navigation").click()
    drawer = maya.locator("#drawer")
    expect(drawer).to_be_visible()
    drawer.get_by_role("link", name="Members").click()
    expect(maya.get_by_role("heading", name="Members", exact=True)).to_be_visible()
