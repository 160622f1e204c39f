"""A slow server, one that fails, and a session that ends: people see what happens, and lose nothing."""

import re

import pytest
from django.template import engines
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, PASSWORD, invite

LIST = re.compile(re.escape(INVITATIONS) + r"\?")


def said(page, text):
    expect(page.locator("#live")).to_contain_text(text)


def sign_in(page):
    page.get_by_label("Email").fill("maya@northwind.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign In").click()


def test_a_slow_list_turns_grey_at_the_same_height(server, maya):
    invite(maya, server, "a@slow.test", "b@slow.test")
    maya.goto(f"{server.url}{INVITATIONS}?q=slow.test")
    height = maya.locator("tbody").bounding_box()["height"]
    waiting = []
    maya.route(LIST, lambda route: waiting.append(route))
    maya.get_by_role("columnheader", name="Email").get_by_role("link").click()
    expect(maya.locator("#results")).to_have_attribute("aria-busy", "true")
    expect(maya.locator("#results[data-skeleton]")).to_be_visible()
    expect(maya.locator("html[data-loading]")).to_have_count(1)
    assert maya.locator("tbody").bounding_box()["height"] == height
    waiting[0].continue_()
    expect(maya.get_by_role("columnheader", name="Email")).to_have_attribute("aria-sort", "ascending")
    expect(maya.locator("[data-loading], [data-skeleton], [aria-busy]")).to_have_count(0)
    said(maya, "2 invitations match. Sorted by Email, ascending.")


def test_a_quick_list_shows_no_waiting(server, maya):
    maya.evaluate("""() => {
      window.seen = 0;
      const watched = {attributeFilter: ['data-loading']};
      new MutationObserver(() => seen++).observe(document.documentElement, watched);
    }""")
    ready = maya.request.get(
        f"{server.url}{INVITATIONS}?status=revoked", headers={"HX-Request": "true"}
    ).body()
    maya.route(LIST, lambda route: route.fulfill(body=ready, content_type="text/html"))
    maya.get_by_role("link", name=re.compile("Revoked")).click()
    expect(maya).to_have_url(re.compile("status=revoked"))
    expect(maya.locator("[aria-busy]")).to_have_count(0)
    assert maya.evaluate("seen") == 0


@pytest.mark.parametrize("trouble", ["network", "server"])
def test_a_list_that_did_not_load_says_so_and_tries_again(server, maya, trouble):
    def fail(route):
        if trouble == "network":
            route.abort()
        else:
            route.fulfill(status=500, headers={"X-Request-ID": "abc123"}, body="<!doctype html><p>Broken")

    invite(maya, server, f"a@{trouble}.test", f"b@{trouble}.test")
    maya.route(LIST, fail)
    maya.get_by_label("Search invitations by email").fill(f"a@{trouble}")
    card = maya.get_by_role("alert").filter(has_text="The list didn’t load")
    expect(card).to_be_visible()
    expect(card.get_by_text("abc123")).to_have_count(1 if trouble == "server" else 0)
    expect(maya.get_by_role("table")).to_be_hidden()
    expect(maya.locator(".toast")).to_have_count(0)
    maya.unroute(LIST)
    card.get_by_role("button", name="Try Again").click()
    expect(maya.get_by_role("row").filter(has_text=f"a@{trouble}.test")).to_be_visible()
    expect(maya.get_by_role("row").filter(has_text=f"b@{trouble}.test")).to_have_count(0)
    expect(card).to_have_count(0)
    said(maya, "1 invitation matches.")


def test_a_header_that_failed_is_tried_again_too(server, maya):
    invite(maya, server, "a@header.test")
    maya.route(LIST, lambda route: route.abort())
    header = maya.get_by_role("columnheader", name="Email")
    header.get_by_role("link").click()
    again = maya.get_by_role("button", name="Try Again")
    expect(again).to_be_focused()
    maya.unroute(LIST)
    maya.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(maya).to_have_url(re.compile("sort=email"))


def test_an_action_that_failed_says_so_and_stays(server, maya):
    invite(maya, server, "stay@action.test")
    maya.route("**/resend", lambda route: route.abort())
    maya.clock.install()
    maya.get_by_role("button", name="Resend invitation to stay@action.test").click()
    toast = maya.get_by_role("alert").filter(has_text="That didn’t work")
    expect(toast).to_be_visible()
    maya.clock.run_for(60_000)
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_be_hidden()


def test_a_slow_send_shows_a_busy_button(server, maya):
    waiting = []
    maya.route(re.compile(re.escape(INVITATIONS) + "/new"), lambda route: waiting.append(route))
    maya.keyboard.press("i")
    dialog = maya.get_by_role("dialog", name="Invite Users")
    dialog.get_by_role("textbox").fill("slow@send.test")
    send = dialog.get_by_role("button", name="Send Invitations")
    send.click()
    expect(send).to_have_attribute("aria-busy", "true")
    waiting[0].continue_()
    expect(maya.get_by_role("status").filter(has_text="1 invitation sent.")).to_be_visible()


def test_every_change_of_the_list_is_announced(server, maya):
    invite(maya, server, *(f"p{number:02}@said.test" for number in range(52)))
    search = maya.get_by_label("Search invitations by email")
    search.fill("said.test")
    said(maya, "52 invitations match. Sorted by Invited, descending. 1–50 of 52")
    maya.get_by_role("link", name="Next page").click()
    said(maya, "51–52 of 52")
    search.fill("nobody-like-this")
    said(maya, "No invitations match “nobody-like-this”")


def test_a_draft_survives_signing_out_and_in(server, person):
    page = person()
    page.goto(f"{server.url}/accounts/login/")
    sign_in(page)
    page.wait_for_url("**/o/northwind/**")
    page.goto(server.url + INVITATIONS)
    page.keyboard.press("i")
    page.get_by_role("textbox", name="Email addresses").fill("draft@kept.test")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Account menu:").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(server.url + INVITATIONS)
    sign_in(page)
    page.wait_for_url(f"**{INVITATIONS}")
    page.keyboard.press("i")
    expect(page.get_by_role("textbox", name="Email addresses")).to_have_value("draft@kept.test")


def test_a_draft_survives_a_session_that_ended_meanwhile(server, person):
    page = person()
    page.goto(f"{server.url}/accounts/login/?next={INVITATIONS}")
    sign_in(page)
    page.wait_for_url(f"**{INVITATIONS}")
    page.keyboard.press("i")
    page.get_by_role("textbox", name="Email addresses").fill("later@kept.test")
    # Else looking at what was typed could be what finds the session gone.
    expect(page.locator("[data-tally]").get_by_text("1 will be invited")).to_be_visible()
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send Invitations").click()
    page.wait_for_url("**/accounts/login/**")
    sign_in(page)
    page.wait_for_url(f"**{INVITATIONS}")
    page.keyboard.press("i")
    expect(page.get_by_role("textbox", name="Email addresses")).to_have_value("later@kept.test")


def test_the_browser_tells_its_zone(server, person, owner):
    page = person(storage_state=owner, timezone_id="Europe/Berlin")
    page.goto(server.url + INVITATIONS)
    cookie = next(c for c in page.context.cookies() if c["name"] == "timezone")
    assert (cookie["value"], cookie["sameSite"]) == ("Europe/Berlin", "Lax")


def test_a_copy_button_copies_and_says_so(server, maya):
    source = """{% from "guestlist/macros.html" import copy_button %}
      <input class="input" id="link" readonly value="https://x.test/i/glh_1">
      {{ copy_button('link', 'Copy Link') }}"""
    html = engines["guestlist"].from_string(source).render()
    maya.locator("#main").evaluate("(main, html) => main.insertAdjacentHTML('beforeend', html)", html)
    maya.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = maya.get_by_role("button", name="Copy Link")
    button.click()
    expect(maya.get_by_role("button", name="Copied")).to_be_visible()
    expect(maya.locator("#link-copied")).to_have_text("Copied")
    assert maya.evaluate("navigator.clipboard.readText()") == "https://x.test/i/glh_1"
    expect(button).to_be_visible()
