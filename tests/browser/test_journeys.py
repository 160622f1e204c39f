"""What people complain about most when they are invited somewhere, each from the box to the membership."""

import base64
import hmac
import re
import sqlite3
import struct
import time
from contextlib import closing

from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    INVITATIONS,
    MEMBERS,
    PASSWORD,
    Server,
    invite,
    join,
    link_to,
    mail_to,
    sign_in,
)


def code_now(secret: str, *, ahead: int = 0) -> str:
    """What an authenticator app shows (RFC 6238), `ahead` half minutes from now."""
    key = base64.b32decode(secret)
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + ahead), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def expire(server: Server, email: str) -> None:
    """Let eight days pass for the invitations of an address."""
    with closing(sqlite3.connect(server.data / "guestlist.sqlite3", timeout=20)) as database, database:
        database.execute(
            "UPDATE guestlist_invitation SET invited_at = datetime(invited_at, '-8 days'), "
            "last_sent_at = datetime(last_sent_at, '-8 days'), expires_at = datetime(expires_at, '-8 days') "
            "WHERE key = ?",
            [email],
        )


def remove(maya: Page, server: Server, name: str) -> None:
    maya.goto(server.url + MEMBERS)
    maya.get_by_role("button", name=f"Remove {name}").click()
    maya.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(maya.get_by_role("status").filter(has_text=f"{name} was removed.")).to_be_visible()


def expect_pending(maya: Page, server: Server, email: str) -> None:
    maya.goto(f"{server.url}{INVITATIONS}?q={email}")
    expect(maya.get_by_role("row").filter(has_text=email).get_by_text("Pending")).to_be_visible()


def expect_inside(page: Page) -> None:
    expect(page).to_have_url(re.compile("/o/northwind/$"))
    expect(page.get_by_role("heading", name="Northwind", level=1)).to_be_visible()


def sign_out(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/accounts/logout/")
    page.get_by_role("button", name="Sign Out").click()
    page.wait_for_url("**/accounts/login/**")


def test_with_the_wrong_account_one_switches_and_joins(server, maya, person):
    invite(maya, server, "priya@work.test", "priya@home.test")
    page = person()
    join(page, link_to(page, server, "priya@work.test"), "Priya Raman")
    remove(maya, server, "Priya Raman")
    sign_out(page, server)
    join(page, link_to(page, server, "priya@home.test"), "Priya at home")
    invite(maya, server, "priya@work.test")
    page.goto(link_to(page, server, "priya@work.test", count=2))
    expect(page.get_by_role("heading", name="This invitation is for another email")).to_be_visible()
    expect(page.get_by_text("p***@work.test")).to_be_visible()
    expect(page.get_by_text("priya@home.test").first).to_be_visible()
    expect(page.get_by_role("button", name="Accept Invitation")).to_have_count(0)
    page.get_by_role("button", name="Sign Out and Continue").click()
    page.get_by_role("link", name="Sign In to Accept").click()
    sign_in(page, "priya@work.test")
    expect(page.get_by_text("Signed in as Priya Raman")).to_be_visible()
    page.get_by_role("button", name="Accept Invitation").click()
    expect_inside(page)


def test_a_forwarded_link_lets_nobody_in_silently_and_is_not_used_up(server, maya, person):
    invite(maya, server, "liam@forward.test", "sofia@forward.test")
    liam, sofia = person(), person()
    join(liam, link_to(liam, server, "liam@forward.test"), "Liam Chen")
    link = link_to(sofia, server, "sofia@forward.test")
    for _ in range(2):
        liam.goto(link)
        expect(liam.get_by_text("s***@forward.test")).to_be_visible()
        expect(liam.get_by_role("link", name="Go to Northwind")).to_be_visible()
        assert "sofia@forward.test" not in liam.content()
    expect_pending(maya, server, "sofia@forward.test")
    join(sofia, link, "Sofia Rossi")
    expect_inside(sofia)
    maya.goto(f"{server.url}{MEMBERS}?q=forward.test")
    expect(maya.locator("tbody tr")).to_have_count(2)


def test_a_second_factor_leads_back_to_the_invitation(server, maya, person):
    invite(maya, server, "tom@totp.test")
    tom = person()
    join(tom, link_to(tom, server, "tom@totp.test"), "Tom Baker")
    tom.goto(f"{server.url}/accounts/2fa/totp/activate/")
    if "/reauthenticate/" in tom.url:
        tom.get_by_label("Password", exact=True).fill(PASSWORD)
        tom.get_by_role("button", name="Confirm").click()
    secret = tom.get_by_role("textbox", name="Key").input_value()
    tom.get_by_label("Authenticator code").fill(code_now(secret))
    tom.get_by_role("button", name="Turn On App").click()
    tom.wait_for_url("**/recovery-codes/**")
    remove(maya, server, "Tom Baker")
    sign_out(tom, server)

    invite(maya, server, "tom@totp.test")
    tom.goto(link_to(tom, server, "tom@totp.test", count=2))
    tom.get_by_role("link", name="Sign In to Accept").click()
    sign_in(tom, "tom@totp.test")
    # A code works once; the app has gone on to the next.
    tom.get_by_label(re.compile("[Cc]ode")).fill(code_now(secret, ahead=1))
    tom.get_by_role("button", name="Sign In", exact=True).click()
    expect(tom.get_by_text("Signed in as Tom Baker")).to_be_visible()
    tom.get_by_role("button", name="Accept Invitation").click()
    expect_inside(tom)


def fill_in(page: Page, name: str) -> None:
    page.get_by_label("Full name").fill(name)
    page.get_by_label("Create a password").fill(PASSWORD)


def test_accepting_in_a_second_tab_leads_into_the_organization(server, maya, person):
    invite(maya, server, "grace@tabs.test")
    first = person()
    link = link_to(first, server, "grace@tabs.test")
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(link)
        fill_in(tab, "Grace Okafor")
    first.get_by_role("button", name="Accept Invitation").click()
    expect_inside(first)
    second.get_by_role("button", name="Accept Invitation").click()
    expect_inside(second)
    maya.goto(f"{server.url}{MEMBERS}?q=grace@tabs.test")
    expect(maya.locator("tbody tr")).to_have_count(1)


def test_declining_in_a_second_tab_after_joining_changes_nothing(server, maya, person):
    invite(maya, server, "henry@tabs.test")
    first = person()
    link = link_to(first, server, "henry@tabs.test")
    second = first.context.new_page()
    first.goto(link)
    fill_in(first, "Henry Adams")
    second.goto(f"{link}/decline")
    second.get_by_label("Your email address").fill("henry@tabs.test")
    first.get_by_role("button", name="Accept Invitation").click()
    expect_inside(first)
    second.get_by_role("button", name="Decline Invitation").click()
    expect_inside(second)
    maya.goto(f"{server.url}{MEMBERS}?q=henry@tabs.test")
    expect(maya.locator("tbody tr")).to_have_count(1)


def test_an_expired_invitation_is_asked_for_resent_and_used(server, maya, person):
    invite(maya, server, "ines@late.test")
    ines = person()
    old = link_to(ines, server, "ines@late.test")
    expire(server, "ines@late.test")
    ines.goto(old)
    expect(ines.get_by_role("heading", name="This invitation has expired")).to_be_visible()
    ines.get_by_role("button", name="Ask for a New Invitation").click()
    expect(ines.get_by_role("status").filter(has_text="Northwind knows")).to_be_visible()

    # The inviter's mail leads to the row, where one press grants it.
    mail = mail_to(maya, server, "maya@northwind.test", about="ines@late.test")
    mail.locator("a[href*='status=asked']").first.click()
    row = maya.get_by_role("row").filter(has_text="ines@late.test")
    expect(row.get_by_text("Asks for a new one")).to_be_visible()
    maya.get_by_role("button", name="Resend invitation to ines@late.test").click()
    expect(maya.get_by_role("status").filter(has_text="Invitation sent again.")).to_be_visible()

    new = link_to(ines, server, "ines@late.test", count=2)
    assert new != old
    ines.goto(old)
    expect(
        ines.get_by_text("A newer invitation is waiting in the mailbox of i***@late.test.")
    ).to_be_visible()
    join(ines, new, "Inês Duarte")
    expect_inside(ines)


def test_with_the_wrong_account_one_adds_the_invited_address(server, maya, person):
    invite(maya, server, "noah@home.test", "noah@work.test")
    noah = person()
    join(noah, link_to(noah, server, "noah@home.test"), "Noah Fischer")
    remove(maya, server, "Noah Fischer")
    link = link_to(noah, server, "noah@work.test")
    noah.goto(link)
    noah.get_by_role("link", name="Add This Address to Your Account").click()
    if "/reauthenticate/" in noah.url:
        noah.get_by_label("Password", exact=True).fill(PASSWORD)
        noah.get_by_role("button", name="Confirm").click()
    expect(noah.get_by_text("will be able to sign in as you")).to_be_visible()
    noah.get_by_role("button", name="Send Code").click()
    mail = mail_to(maya, server, "noah@work.test", about="code")
    code = re.search(r"^([A-Z2-9]{4}-[A-Z2-9]{4})$", mail.inner_text(), re.MULTILINE)
    assert code
    noah.get_by_label("Code").fill(code[1])
    noah.get_by_role("button", name="Add Address").click()
    expect(noah.get_by_role("heading", name="Join Northwind")).to_be_visible()
    noah.get_by_role("button", name="Accept Invitation").click()
    expect_inside(noah)
    # The address that the account had is told.
    mail_to(maya, server, "noah@home.test", about="noah@work.test")
