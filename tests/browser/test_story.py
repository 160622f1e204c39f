"""One story: from the printed link to a member with a role, and a link that died."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, link_to, session_of_owner, start_server, stop_server

OUTLOOK = "Chen, Liam <liam@acme.test>; Okafor, Amara <amara@acme.test>; noor@acme.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("server") / "data")
    yield started
    stop_server(started)


@pytest.fixture(scope="module")
def owner(browser, server):
    return session_of_owner(browser, server)


def test_from_the_printed_link_to_a_member_with_a_role(server, maya, person):
    # Maya pastes a list from Outlook.
    expect(maya.get_by_role("heading", name="No pending invitations")).to_be_visible()
    maya.get_by_role("button", name="Invite Users").first.click()
    dialog = maya.get_by_role("dialog", name="Invite Users")
    dialog.get_by_role("textbox", name="Email addresses").fill(OUTLOOK)
    expect(dialog.locator("[data-tally]").get_by_text("3 will be invited")).to_be_visible()
    dialog.get_by_role("button", name="Send Invitations").click()
    expect(maya.get_by_role("status").filter(has_text="3 invitations sent.")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(maya.get_by_role("row").filter(has_text="Pending")).to_have_count(3)

    # The mail is there at once; Liam opens his link in his own browser and joins.
    liam = person()
    link, doomed = link_to(liam, server, "liam@acme.test"), link_to(liam, server, "noor@acme.test")
    liam.goto(link)
    expect(liam.get_by_role("heading", name="Join Northwind")).to_be_visible()
    liam.get_by_label("Full name").fill("Liam Chen")
    liam.get_by_label("Create a password").fill(PASSWORD)
    liam.get_by_role("button", name="Accept Invitation").click()
    liam.wait_for_url("**/o/northwind/")
    expect(liam.get_by_text("You don’t have a role yet.")).to_be_visible()

    # Maya sees who has joined, and gives a role, which acts at once.
    maya.get_by_role("link", name="Members").first.click()
    role = maya.get_by_role("combobox", name="Role of Liam Chen")
    expect(role.locator("option:checked")).to_have_text("Assign a role")
    role.select_option("Admin")
    expect(maya.get_by_role("status").filter(has_text="Liam Chen is now Admin.")).to_be_visible()
    liam.reload()
    expect(liam.get_by_role("link", name="Invitations").first).to_be_visible()

    # She revokes another, and that link is dead.
    maya.get_by_role("link", name="Invitations").first.click()
    maya.get_by_role("button", name="Revoke invitation to noor@acme.test").click()
    question = maya.get_by_role("alertdialog", name="Revoke invitation?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    question.get_by_role("button", name="Revoke").click()
    expect(maya.get_by_role("status").filter(has_text="Invitation revoked.")).to_be_visible()
    expect(maya.get_by_role("row").filter(has_text="Pending")).to_have_count(1)
    noor = person()
    noor.goto(doomed)
    expect(noor.get_by_role("heading", name="This invitation was withdrawn")).to_be_visible()
