"""Everything works with JavaScript off."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    INVITATIONS,
    MEMBERS,
    PASSWORD,
    invite,
    join,
    link_to,
    session_of_owner,
    start_server,
    stop_server,
)


@pytest.fixture(scope="module")
def browser_options():
    return {"java_script_enabled": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("server") / "data")
    yield started
    stop_server(started)


@pytest.fixture(scope="module")
def owner(browser, server, browser_options):
    return session_of_owner(browser, server, **browser_options)


def says(page, text):
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def test_the_button_leads_to_a_page_that_sends_and_keeps_faulty_text(server, maya):
    maya.get_by_role("button", name="Invite Users").first.click()
    maya.wait_for_url("**/invitations/new*")
    box = maya.get_by_label("Email addresses")
    box.fill("ada@form.test, jane@\nbob@form.test")
    maya.get_by_role("button", name="Send Invitations").click()
    says(maya, "2 invitations sent. 1 to fix.")
    expect(box).to_have_value("jane@")
    expect(maya.get_by_text("1 address couldn’t be sent. Fix or remove it and send again.")).to_be_visible()
    box.fill("jane@form.test")
    maya.get_by_role("button", name="Send Invitations").click()
    says(maya, "1 invitation sent.")
    expect(maya.get_by_role("row").filter(has_text="@form.test")).to_have_count(3)


def test_resend_and_revoke_need_no_script(server, maya):
    invite(maya, server, "again@row.test", "gone@row.test")
    maya.get_by_role("button", name="Resend invitation to again@row.test").click()
    says(maya, "Invitation sent again.")
    maya.get_by_role("button", name="Revoke invitation to gone@row.test").click()
    expect(maya.get_by_role("heading", name="Revoke invitation?")).to_be_visible()
    maya.get_by_role("link", name="Cancel").click()
    maya.get_by_role("button", name="Revoke invitation to gone@row.test").click()
    maya.get_by_role("button", name="Revoke", exact=True).click()
    says(maya, "Invitation revoked.")
    expect(maya.get_by_role("row").filter(has_text="gone@row.test")).to_have_count(0)
    maya.get_by_role("link", name="Revoked").click()
    expect(maya.get_by_role("row").filter(has_text="gone@row.test")).to_have_count(1)


def test_search_and_checkboxes_revoke_many(server, maya):
    invite(maya, server, "one@bulk.test", "two@bulk.test", "three@bulk.test")
    maya.get_by_label("Search invitations by email").fill("BULK.test")
    maya.get_by_role("button", name="Search").click()
    expect(maya.locator("tbody tr")).to_have_count(3)
    for email in ("one@bulk.test", "two@bulk.test"):
        maya.get_by_label(f"Select {email}").check()
    maya.get_by_role("button", name="Resend", exact=True).click()
    says(maya, "2 invitations sent again.")
    maya.goto(f"{server.url}{INVITATIONS}?q=bulk.test")
    for email in ("one@bulk.test", "two@bulk.test"):
        maya.get_by_label(f"Select {email}").check()
    maya.get_by_role("button", name="Revoke", exact=True).click()
    expect(maya.get_by_role("heading", name="Revoke 2 invitations?")).to_be_visible()
    maya.get_by_role("button", name="Revoke 2").click()
    says(maya, "2 invitations revoked.")
    maya.goto(f"{server.url}{INVITATIONS}?q=bulk.test")
    expect(maya.locator("tbody tr")).to_have_count(1)


def test_a_new_person_joins_gets_a_role_signs_out_and_in_and_is_removed(server, maya, person):
    invite(maya, server, "liam@new.test")
    liam = person()
    join(liam, link_to(liam, server, "liam@new.test"), "Liam Chen")
    says(liam, "Welcome to Northwind.")
    maya.goto(server.url + MEMBERS)
    row = maya.get_by_role("row").filter(has_text="Liam Chen")
    row.get_by_role("combobox").select_option("Admin")
    row.get_by_role("button", name="Save").click()
    says(maya, "Liam Chen is now Admin.")

    liam.goto(f"{server.url}/accounts/logout/")
    liam.get_by_role("button", name="Sign Out").click()
    liam.goto(server.url + INVITATIONS)
    liam.get_by_label("Email").fill("liam@new.test")
    liam.get_by_label("Password", exact=True).fill(PASSWORD)
    liam.get_by_role("button", name="Sign In").click()
    expect(liam.get_by_role("heading", name="Invitations", exact=True)).to_be_visible()

    maya.get_by_role("button", name="Remove Liam Chen").click()
    maya.get_by_role("button", name="Remove", exact=True).click()
    says(maya, "Liam Chen was removed.")
    assert liam.goto(server.url + INVITATIONS).status in (403, 404)


def test_declining_takes_the_typed_address(server, maya, person):
    invite(maya, server, "noor@no.test")
    noor = person()
    noor.goto(link_to(noor, server, "noor@no.test"))
    noor.get_by_role("link", name="Decline the invitation").click()
    noor.get_by_label("Your email address").fill("somebody@else.test")
    noor.get_by_role("button", name="Decline Invitation").click()
    expect(noor.get_by_label("Your email address")).to_have_attribute("aria-invalid", "true")
    noor.get_by_label("Your email address").fill("noor@no.test")
    noor.get_by_role("button", name="Decline Invitation").click()
    expect(noor.get_by_role("heading", name="You declined the invitation")).to_be_visible()
    maya.goto(f"{server.url}{INVITATIONS}?status=declined")
    expect(maya.get_by_role("row").filter(has_text="noor@no.test")).to_have_count(1)
