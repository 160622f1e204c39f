"""How mail looks is seen before it is saved, and in a test that arrives."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import mail_to

SETTINGS = "/o/northwind/admin/settings"


@pytest.fixture
def settings(server, maya):
    """Maya, at the settings."""
    maya.get_by_role("link", name="Settings").first.click()
    maya.wait_for_url(f"**{SETTINGS}")
    return maya


def button_colour(page):
    """The background of the button in the mail that the frame shows."""
    button = page.frame_locator("iframe").locator("table.btn td")
    expect(button).to_be_visible()
    return button.evaluate("(cell) => getComputedStyle(cell).backgroundColor")


def test_a_colour_is_chosen_looked_at_saved_and_seen_in_a_test(server, settings):
    page = settings
    assert button_colour(page) == "rgb(74, 71, 214)"
    page.get_by_label("Choose the accent colour").fill("#0a7d4f")
    expect(page.get_by_label("Accent colour", exact=True)).to_have_value("#0a7d4f")
    page.get_by_label("Accent colour", exact=True).fill("#0A6D4F")
    expect(page.get_by_label("Choose the accent colour")).to_have_value("#0a6d4f")
    page.get_by_label("Organization name").fill("Northwind Traders")
    page.get_by_role("button", name="Show Preview").click()
    expect(page.get_by_text("It is not saved yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Show Preview")).to_be_focused()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text(
        "Maya Torres invited you to join Northwind Traders"
    )
    assert button_colour(page) == "rgb(10, 109, 79)"
    page.get_by_label("Organization name").fill("Northwind")
    page.get_by_role("button", name="Save Settings").click()
    expect(page.get_by_role("status").filter(has_text="Settings saved.")).to_be_visible()
    expect(page.get_by_text("It is not saved yet.")).to_have_count(0)
    page.reload()
    assert button_colour(page) == "rgb(10, 109, 79)"
    page.get_by_role("button", name="Send Me a Test").click()
    expect(page.get_by_text("A test is on its way to maya@northwind.test.")).to_be_visible()
    expect(page.get_by_role("link", name="See what becomes of it")).to_be_visible()
    expect(mail_to(page, server, "maya@northwind.test", about="test")).to_be_visible()


def test_a_mistake_is_focused_and_keeps_what_was_typed(settings):
    page = settings
    page.get_by_role("link", name="Email", exact=True).click()
    page.get_by_label("Remind people after (days)").fill("3, soon")
    page.get_by_role("button", name="Save Settings").click()
    box = page.get_by_label("Remind people after (days)")
    expect(page.get_by_text("Write the days as numbers from 1 to 60")).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value("3, soon")
    expect(box).to_have_attribute("aria-invalid", "true")


def test_links_in_the_preview_lead_nowhere(settings):
    page = settings
    expect(page.frame_locator("iframe").get_by_text("decline the invitation")).to_be_visible()
    assert page.frame_locator("iframe").get_by_role("link").count() == 0


def test_settings_need_no_script(server, owner, person):
    page = person(storage_state=owner, java_script_enabled=False)
    page.goto(server.url + SETTINGS)
    expect(page.get_by_label("Choose the accent colour")).to_be_hidden()
    page.get_by_role("link", name="Email", exact=True).click()
    page.get_by_label("Language").select_option("العربية")
    page.get_by_role("button", name="Show Preview").click()
    expect(page.get_by_text("It is not saved yet.")).to_be_visible()
    expect(page.frame_locator("iframe").locator("html[dir=rtl]")).to_be_visible()
    page.get_by_label("Language").select_option("")
    page.get_by_label("Remind people after (days)").fill("2 5")
    page.get_by_role("button", name="Save Settings").click()
    expect(page.get_by_role("status").filter(has_text="Settings saved.")).to_be_visible()
    expect(page.get_by_label("Remind people after (days)")).to_have_value("2, 5")


def test_a_new_short_name_is_everywhere_and_the_old_one_still_leads_there(server, settings):
    page = settings
    page.get_by_label("Short name").fill("northwind-2")
    page.get_by_role("button", name="Save Settings").click()
    page.wait_for_url("**/o/northwind-2/admin/settings")
    expect(page.get_by_role("status").filter(has_text="Settings saved.")).to_be_visible()
    page.goto(f"{server.url}/o/northwind/admin/members?q=liam")
    page.wait_for_url("**/o/northwind-2/admin/members?q=liam")
    page.goto(f"{server.url}/o/northwind-2/admin/settings")
    page.get_by_label("Short name").fill("northwind")
    page.get_by_role("button", name="Save Settings").click()
    page.wait_for_url(f"**{SETTINGS}")


def test_an_organization_is_deleted_and_taken_back(server, settings):
    page = settings
    page.get_by_role("link", name="Danger", exact=True).click()
    page.get_by_label("Type its name").fill("northwind")
    page.get_by_role("button", name="Delete Organization").click()
    expect(page.get_by_text("That is not the name of the organization.")).to_be_visible()
    expect(page.get_by_label("Type its name")).to_be_focused()
    page.get_by_label("Type its name").fill("Northwind")
    page.get_by_role("button", name="Delete Organization").click()
    page.wait_for_url("**/organizations")
    page.get_by_role("button", name="Restore Northwind").click()
    page.wait_for_url("**/o/northwind/")
    expect(page.get_by_role("status").filter(has_text="Northwind is restored.")).to_be_visible()
