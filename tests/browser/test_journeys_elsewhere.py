"""From the box to the membership: on a phone, by keyboard, without scripts, from right to left."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import INVITATIONS, PASSWORD, invite, join, link_to
from tests.browser.test_keyboard_and_phone import assert_nothing_sticks_out

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# A checkbox is as tall as its row lets it be; links inside a sentence are exempt (WCAG 2.5.8).
PRESSED = "button, a.btn, a.sort, .tabs a, .nav a, .pager a, select, textarea, input:not(.check, .radio)"
TARGETS = """(pressed) => [...document.querySelectorAll(pressed)]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('.sr'))
  .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 120)])
  .filter(([box]) => box.height && (box.height < 43.5 || box.width < 43.5))
  .map(([box, html]) => `${Math.round(box.width)}×${Math.round(box.height)} ${html}`)"""


def assert_fits_a_thumb(page: Page) -> None:
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert_nothing_sticks_out(page)
    assert page.evaluate(TARGETS, PRESSED) == []


def test_on_a_phone_from_the_mail_to_the_membership(server, maya, person):
    invite(maya, server, "kofi@phone.test")
    kofi = person(**PHONE)
    link = link_to(kofi, server, "kofi@phone.test")
    assert_fits_a_thumb(kofi)
    kofi.goto(link)
    assert_fits_a_thumb(kofi)
    kofi.get_by_role("button", name="Accept Invitation").tap()
    expect(kofi.locator("[aria-invalid=true]").first).to_be_visible()
    assert_fits_a_thumb(kofi)
    kofi.get_by_label("Full name").fill("Kofi Mensah")
    kofi.get_by_label("Create a password").fill(PASSWORD)
    kofi.get_by_role("button", name="Accept Invitation").tap()
    kofi.wait_for_url("**/o/northwind/")
    assert_fits_a_thumb(kofi)
    kofi.get_by_role("button", name="Open navigation").tap()
    assert_fits_a_thumb(kofi)


def test_on_a_phone_a_manager_invites_and_revokes(server, owner, person):
    phone = person(storage_state=owner, **PHONE)
    phone.goto(server.url + INVITATIONS)
    phone.get_by_role("button", name="Invite Users").first.tap()
    dialog = phone.get_by_role("dialog", name="Invite Users")
    dialog.get_by_role("textbox").fill("thumb@phone.test")
    expect(dialog.locator("[data-tally]").get_by_text("1 will be invited")).to_be_visible()
    assert_fits_a_thumb(phone)
    dialog.get_by_role("button", name="Send Invitations").tap()
    expect(phone.get_by_role("status").filter(has_text="1 invitation sent.")).to_be_visible()
    assert_fits_a_thumb(phone)
    phone.get_by_role("button", name="Revoke invitation to thumb@phone.test").tap()
    question = phone.get_by_role("alertdialog", name="Revoke invitation?")
    expect(question).to_be_visible()
    assert_fits_a_thumb(phone)
    question.get_by_role("button", name="Revoke").tap()
    expect(phone.get_by_role("status").filter(has_text="Invitation revoked.")).to_be_visible()
    expect(phone.get_by_role("row").filter(has_text="thumb@phone.test")).to_have_count(0)


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until `goal` has the focus, which has to be visible wherever it is on the way."""
    goal.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if goal.evaluate("element => element === document.activeElement"):
            expect(goal).to_be_in_viewport()
            return
    raise AssertionError(f"Tab never reaches {goal}")


def test_by_keyboard_a_manager_invites_sorts_selects_and_revokes(server, maya):
    tab_to(maya, maya.get_by_role("button", name="Invite Users").first)
    maya.keyboard.press("Enter")
    maya.keyboard.type("b@keys.test, a@keys.test")
    maya.keyboard.press("Control+Enter")
    expect(maya.get_by_role("status").filter(has_text="2 invitations sent.")).to_be_visible()
    maya.keyboard.press("/")
    maya.keyboard.type("keys.test")
    header = maya.get_by_role("columnheader", name="Email")
    expect(header.get_by_role("link")).to_have_attribute("href", re.compile(r"q=keys\.test"))
    expect(maya.locator("tbody tr")).to_have_count(2)
    tab_to(maya, header.get_by_role("link"))
    maya.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(maya.locator("tbody .c-main b")).to_have_text(["a@keys.test", "b@keys.test"])
    tab_to(maya, maya.get_by_label("Select a@keys.test"))
    maya.keyboard.press("Space")
    bar = maya.get_by_role("form", name="Bulk actions")
    expect(bar.get_by_text("1 selected")).to_be_visible()
    revoke = bar.get_by_role("button", name="Revoke")
    for _ in range(12):
        maya.keyboard.press("Shift+Tab")
        if revoke.evaluate("element => element === document.activeElement"):
            break
    expect(revoke).to_be_focused()
    maya.keyboard.press("Enter")
    question = maya.get_by_role("alertdialog")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    tab_to(maya, question.get_by_role("button", name="Revoke"))
    maya.keyboard.press("Enter")
    expect(maya.get_by_role("status").filter(has_text="1 invitation revoked.")).to_be_visible()
    expect(maya.locator("tbody .c-main b")).to_have_text(["b@keys.test"])
    tab_to(maya, maya.get_by_role("button", name="Revoke invitation to b@keys.test"))
    maya.keyboard.press("Enter")
    tab_to(maya, maya.get_by_role("alertdialog").get_by_role("button", name="Revoke"))
    maya.keyboard.press("Enter")
    expect(maya.get_by_role("status").filter(has_text="Invitation revoked.")).to_be_visible()


def test_by_keyboard_the_invited_joins(server, maya, person):
    invite(maya, server, "yuki@keys.test")
    yuki = person()
    yuki.goto(link_to(yuki, server, "yuki@keys.test"))
    tab_to(yuki, yuki.get_by_label("Full name"))
    yuki.keyboard.type("Yuki Tanaka")
    tab_to(yuki, yuki.get_by_label("Create a password"))
    yuki.keyboard.type(PASSWORD)
    tab_to(yuki, yuki.get_by_role("button", name="Accept Invitation"))
    yuki.keyboard.press("Space")
    yuki.wait_for_url("**/o/northwind/")


def test_without_scripts_one_joins_and_another_says_no_for_good(server, owner, person):
    plain = {"java_script_enabled": False}
    maya, lena, otto = person(storage_state=owner, **plain), person(**plain), person(**plain)
    invite(maya, server, "lena@plain.test", "otto@plain.test")
    join(lena, link_to(lena, server, "lena@plain.test"), "Lena Vogel")
    expect(lena.get_by_role("status").filter(has_text="Welcome to Northwind.")).to_be_visible()

    link = link_to(otto, server, "otto@plain.test")
    otto.goto(link)
    otto.get_by_role("link", name="Decline the invitation").click()
    otto.get_by_label("A word to whoever invited you (optional)").fill("I retired in May.")
    otto.get_by_label("Your email address").fill("otto@plain.test")
    otto.get_by_role("button", name="Decline Invitation").click()
    expect(otto.get_by_role("heading", name="You declined the invitation")).to_be_visible()
    otto.get_by_role("link", name="Don’t invite me again").click()
    otto.get_by_label("Northwind may not invite me again").check()
    otto.get_by_label("Your email address").fill("otto@plain.test")
    otto.get_by_role("button", name="Save").click()
    expect(otto.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    maya.goto(f"{server.url}{INVITATIONS}?status=declined&q=otto")
    expect(maya.get_by_text("I retired in May.")).to_be_visible()
    maya.goto(f"{server.url}{INVITATIONS}/new")
    maya.get_by_label("Email addresses").fill("otto@plain.test")
    maya.get_by_role("button", name="Send Invitations").click()
    expect(maya.get_by_text("asked not to be invited").first).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_from_right_to_left_one_joins(server, maya, person, width):
    email = f"layla{width}@rtl.test"
    invite(maya, server, email)
    link = link_to(maya, server, email)
    layla = person(locale="ar", viewport={"width": width, "height": 800})
    layla.goto(link)
    expect(layla.locator("html")).to_have_attribute("dir", "rtl")
    expect(layla.locator("html")).to_have_attribute("lang", "ar")
    inviter = layla.locator("bdi[dir=ltr]").filter(has_text="maya@northwind.test")
    expect(inviter.first).to_be_visible()
    assert_nothing_sticks_out(layla)
    # The card mirrors: what is first is to the right.
    picture, text = layla.locator(".inviter .avatar").first, layla.locator(".inviter .who").first
    assert picture.bounding_box()["x"] > text.bounding_box()["x"]
    layla.get_by_role("textbox").and_(layla.locator("[name=name]")).fill("ليلى حداد")
    layla.locator("[name=password]").fill(PASSWORD)
    layla.locator("form button[type=submit].btn--primary").click()
    layla.wait_for_url("**/o/northwind/")
    expect(layla.locator("html")).to_have_attribute("dir", "rtl")
    expect(layla.get_by_role("heading", level=1)).to_have_text("Northwind")
    assert_nothing_sticks_out(layla)
