"""A CSV file for the invite box, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS

LABEL = "…or choose a CSV file"


def people(domain):
    text = f"Name;Email\nJane;jane@{domain}\nBob;bob@\n"
    return {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_looked_at_corrected_and_sent(server, person, owner, script):
    page, domain = person(storage_state=owner, java_script_enabled=script), f"file{script}.test".lower()
    page.goto(f"{server.url}{INVITATIONS}/new")
    page.get_by_label("Email addresses").fill(f"max@{domain}")
    page.get_by_label(LABEL).set_input_files(people(domain))
    page.get_by_role("button", name="Add from File").click()
    expect(page.get_by_role("listitem").filter(has_text="Row 3: bob@ – nothing after the @")).to_be_visible()
    box = page.get_by_label("Email addresses")
    expect(box).to_have_value(f"max@{domain}\njane@{domain}\nbob@")
    box.fill(box.input_value() + domain)
    page.get_by_role("button", name="Send Invitations").click()
    expect(page.get_by_text("3 invitations sent.").first).to_be_visible()


def test_a_file_that_is_too_large_leaves_what_was_typed(server, person, owner):
    page = person(storage_state=owner)
    page.goto(f"{server.url}{INVITATIONS}")
    page.get_by_role("button", name="Invite Users").first.click()
    dialog = page.get_by_role("dialog", name="Invite Users")
    dialog.get_by_label("Email addresses").fill("max@large.test")
    large = {"name": "large.csv", "mimeType": "text/csv", "buffer": b"a" * 6_000_000}
    dialog.get_by_label(LABEL).set_input_files(large)
    dialog.get_by_role("button", name="Add from File").click()
    expect(page.get_by_text("too large a file").first).to_be_visible()
    expect(dialog.get_by_label("Email addresses")).to_have_value("max@large.test")
