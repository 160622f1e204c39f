"""Somebody with many organizations finds the one they want."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import set_up, start_server, stop_server
from tests.browser.test_accessibility import assert_accessible

NAMES = ["Acme", "Beta Works", "Cedar", "Delta", "Ember", "Fjord", "Harbour Café"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Where anybody with a verified address may create organizations."""
    folder = tmp_path_factory.mktemp("open") / "data"
    started = start_server(folder, GUESTLIST_CREATE_ORGANIZATIONS="anyone")
    yield started
    stop_server(started)


@pytest.fixture(scope="module")
def owner(browser, server):
    """The session of Maya, who has eight organizations."""
    context = browser.new_context()
    page = context.new_page()
    set_up(page, server)
    for name in NAMES:
        create(page, name)
    state = context.storage_state()
    context.close()
    return state


def create(page, name):
    """By the menu, as a person does it."""
    page.get_by_role("button", name="Switch organization:").click()
    page.get_by_role("link", name="Create Organization").click()
    page.get_by_role("textbox", name="Organization name").fill(name)
    page.get_by_role("button", name="Create Organization").click()
    expect(page.get_by_role("status").filter(has_text=f"{name} is ready.")).to_be_visible()
    expect(page).to_have_url(re.compile("/admin/invitations$"))


def test_switching_searching_and_coming_back(server, maya):
    page, url = maya, server.url
    page.get_by_role("button", name="Switch organization:").click()
    menu = page.locator("#org-menu-a")
    box = menu.get_by_role("searchbox", name="Search organizations")
    expect(box).to_be_focused()
    page.keyboard.type("BETA")
    expect(menu.locator("#org-list-a a:visible")).to_have_count(1)
    box.fill("zzz")
    expect(menu.get_by_text("No organization matches.")).to_be_visible()
    box.fill("beta")
    menu.get_by_role("link", name="Beta Works").click()
    expect(page.get_by_role("heading", name="Beta Works")).to_be_visible()
    page.goto(f"{url}/")
    expect(page).to_have_url(f"{url}/o/beta-works/")

    page.get_by_role("button", name="Switch organization:").click()
    page.get_by_role("link", name="All Organizations").click()
    expect(page.get_by_role("heading", name="My organizations")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(8)
    page.keyboard.press("/")
    page.keyboard.type("e")
    expect(page).to_have_url(re.compile(r"q=e"))
    expect(page.locator("#live")).to_contain_text("organizations match")
    page.get_by_role("columnheader", name="Organization").get_by_role("link").click()
    expect(page.locator("tbody tr").first).to_contain_text("Harbour Café")
    page.get_by_role("link", name="Harbour Café").click()
    expect(page.get_by_role("heading", name="Harbour Café")).to_be_visible()


def test_a_taken_short_name_is_said_beside_its_box(server, maya):
    page = maya
    page.goto(f"{server.url}/organizations/new")
    page.get_by_role("textbox", name="Organization name").fill("Northwind")
    page.get_by_role("button", name="Create Organization").click()
    box = page.get_by_role("textbox", name="Short name")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description(re.compile("has the short name “northwind”"))
    expect(page.get_by_role("textbox", name="Organization name")).to_have_value("Northwind")


def test_everything_new_is_accessible(server, owner, person):
    page = person(storage_state=owner, reduced_motion="reduce")
    page.goto(f"{server.url}/organizations")
    expect(page.get_by_role("heading", name="My organizations")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Switch organization:").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert_accessible(page)
    page.goto(f"{server.url}/organizations?q=nothing-like-it")
    assert_accessible(page)
    page.goto(f"{server.url}/organizations/new")
    page.get_by_role("button", name="Create Organization").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()
    assert_accessible(page)
    page.route("**/organizations?**", lambda route: route.abort())
    page.goto(f"{server.url}/organizations")
    page.get_by_role("columnheader", name="Joined").get_by_role("link").click()
    expect(page.get_by_role("alert").filter(has_text="The list didn’t load")).to_be_visible()
    assert_accessible(page)


def test_without_javascript_the_search_is_a_page(server, owner, person):
    page = person(storage_state=owner, java_script_enabled=False)
    page.goto(f"{server.url}/organizations")
    page.get_by_role("button", name="Switch organization:").click()
    menu = page.locator("#org-menu-a")
    menu.get_by_role("searchbox").fill("delta")
    menu.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"/organizations\?q=delta"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_have_count(0)
