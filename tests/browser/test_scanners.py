"""Mail scanners open the link, run its scripts and press what they find. Nothing comes of it."""

from urllib.parse import urlsplit

from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import INVITATIONS, invite, link_to

PRESSABLE = "a[href], button, input[type=submit], input[type=button], summary"


def press_everything(page: Page, url: str, host: str) -> set[str]:
    """Press each control of the page on a fresh copy of it; answer where that led."""
    page.goto(url)
    reached = set()
    for index in range(page.locator(PRESSABLE).count()):
        page.goto(url)
        control = page.locator(PRESSABLE).nth(index)
        href = control.evaluate("element => element.href ?? ''")
        if (href and urlsplit(href).netloc != host) or not control.is_visible():
            continue
        try:
            control.click(timeout=2_000)
            page.wait_for_load_state()
        except Error:
            continue
        reached.add(page.url.split("#")[0])
    return reached


def test_a_scanner_without_a_session_that_presses_everything_ends_nothing(server, maya, person):
    invite(maya, server, "scanned@acme.test")
    bot = person()
    link, host = link_to(bot, server, "scanned@acme.test"), urlsplit(server.url).netloc
    seen: set[str] = set()
    waiting = [link, f"{link}/decline"]
    while waiting and len(seen) < 8:
        url = waiting.pop(0)
        if url not in seen:
            seen.add(url)
            waiting += sorted(press_everything(bot, url, host) - seen)
    for _ in range(2):
        press_everything(bot, link, host)
        press_everything(bot, f"{link}/decline", host)
    assert "sessionid" not in {cookie["name"] for cookie in bot.context.cookies()}

    maya.goto(server.url + INVITATIONS)
    row = maya.get_by_role("row").filter(has_text="scanned@acme.test")
    expect(row.get_by_text("Pending")).to_be_visible()
    bot.goto(link)
    expect(bot.get_by_role("heading", name="Join Northwind")).to_be_visible()


def test_a_session_of_somebody_else_does_not_let_a_prerender_accept(server, maya, person):
    invite(maya, server, "prerendered@acme.test")
    link = link_to(person(), server, "prerendered@acme.test")
    for headers in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}):
        answer = maya.request.get(link, headers=headers)
        assert answer.ok
        assert "sessionid" not in answer.headers.get("set-cookie", "")
    for method in ("HEAD", "OPTIONS"):
        assert maya.request.fetch(link, method=method).status < 500
    assert maya.request.post(link).status == 403
    maya.goto(f"{server.url}{INVITATIONS}?q=prerendered")
    expect(maya.get_by_role("row").filter(has_text="Pending")).to_have_count(1)
