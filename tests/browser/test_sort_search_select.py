"""The lists: sorting, filtering, selecting, and taking back."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, MEMBERS, PASSWORD, invite, join, link_to


def emails(page):
    return page.locator("tbody .c-main b")


def test_a_header_sorts_a_second_click_reverses_and_back_returns(server, maya):
    invite(maya, server, "b@sort.test", "a@sort.test", "c@sort.test")
    maya.get_by_label("Search invitations by email").fill("sort.test")
    expect(maya).to_have_url(re.compile(r"q=sort\.test"))
    header = maya.get_by_role("columnheader", name="Email")
    header.get_by_role("link").click()
    expect(emails(maya)).to_have_text(["a@sort.test", "b@sort.test", "c@sort.test"])
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(maya).to_have_url(re.compile(r"sort=email"))
    header.get_by_role("link").click()
    expect(emails(maya)).to_have_text(["c@sort.test", "b@sort.test", "a@sort.test"])
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(maya).to_have_url(re.compile(r"sort=-email"))
    maya.go_back()
    expect(emails(maya)).to_have_text(["a@sort.test", "b@sort.test", "c@sort.test"])
    expect(header).to_have_attribute("aria-sort", "ascending")
    for name in ("Status", "Invited", "Expires"):
        column = maya.get_by_role("columnheader", name=name)
        column.get_by_role("link").click()
        expect(column).to_have_attribute("aria-sort", "ascending")


def test_tabs_filter_and_stay_in_the_address(server, maya):
    invite(maya, server, "keep@tabs.test", "drop@tabs.test")
    maya.get_by_role("button", name="Revoke invitation to drop@tabs.test").click()
    maya.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(maya.get_by_role("row").filter(has_text="drop@tabs.test")).to_have_count(0)
    tab = maya.get_by_role("link", name=re.compile("Revoked"))
    tab.click()
    expect(maya).to_have_url(re.compile("status=revoked"))
    expect(tab).to_have_attribute("aria-current", "true")
    expect(maya.get_by_role("row").filter(has_text="drop@tabs.test")).to_have_count(1)
    expect(maya.get_by_role("row").filter(has_text="keep@tabs.test")).to_have_count(0)
    maya.go_back()
    expect(maya.get_by_role("row").filter(has_text="keep@tabs.test")).to_have_count(1)


def test_selecting_a_page_offers_all_that_match_and_revokes_them(server, maya):
    invite(maya, server, *(f"p{number:02}@many.test" for number in range(53)), "alone@few.test")
    maya.goto(f"{server.url}{INVITATIONS}?q=many.test")
    bar = maya.get_by_role("form", name="Bulk actions")
    expect(bar).to_be_hidden()
    maya.get_by_label("Select p50@many.test").check()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    everything = bar.get_by_label("Select all 53 that match")
    expect(everything).to_be_hidden()
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    maya.get_by_label("Select all invitations on this page").check()
    expect(bar.get_by_text("50 selected")).to_be_visible()
    everything.check()
    bar.get_by_role("button", name="Revoke").click()
    question = maya.get_by_role("alertdialog", name="Revoke 53 invitations?")
    question.get_by_role("button", name="Revoke 53").click()
    expect(maya.get_by_role("status").filter(has_text="53 invitations revoked.")).to_be_visible()
    expect(maya.get_by_role("heading", name="No invitations match “many.test”")).to_be_visible()
    maya.get_by_role("link", name="Clear search").click()
    expect(maya.get_by_role("row").filter(has_text="alone@few.test")).to_have_count(1)


def test_a_changed_role_can_be_undone(server, maya, person):
    invite(maya, server, "ravi@undo.test")
    ravi = person()
    join(ravi, link_to(ravi, server, "ravi@undo.test"), "Ravi Patel")
    maya.goto(server.url + MEMBERS)
    role = maya.get_by_role("combobox", name="Role of Ravi Patel")
    role.select_option("Member")
    expect(maya.get_by_role("status").filter(has_text="Ravi Patel is now Member.")).to_be_visible()
    maya.reload()
    role.select_option("Admin")
    toast = maya.locator(".toast").filter(has_text="Ravi Patel is now Admin.")
    toast.get_by_role("button", name="Undo").click()
    expect(maya.get_by_role("status").filter(has_text="Ravi Patel is now Member.")).to_have_count(1)
    expect(role.locator("option:checked")).to_have_text("Member")
    maya.get_by_label("Search members by name or email").fill("ravi@")
    expect(maya.locator("tbody tr")).to_have_count(1)
    expect(role.locator("option:checked")).to_have_text("Member")


def test_switching_account_keeps_the_link_alive(server, maya, person):
    invite(maya, server, "noor@switch.test")
    noor = person()
    link = link_to(noor, server, "noor@switch.test")
    maya.goto(link)
    expect(maya.get_by_text("n***@switch.test")).to_be_visible()
    expect(maya.get_by_text("maya@northwind.test").first).to_be_visible()
    assert "noor@switch.test" not in maya.content()
    page = person()
    page.goto(f"{server.url}/accounts/login/")
    page.get_by_label("Email").fill("maya@northwind.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url("**/o/northwind/**")
    page.goto(link)
    page.get_by_role("button", name="Sign Out and Continue").click()
    expect(page.get_by_role("heading", name="Join Northwind")).to_be_visible()
    join(page, link, "Noor Haddad")
    expect(page.get_by_text("You don’t have a role yet.")).to_be_visible()
