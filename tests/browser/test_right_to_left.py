"""Arabic in a real browser: the page is mirrored, and fits."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INVITATIONS, MEMBERS

PAGES = [INVITATIONS, MEMBERS, "/organizations", "/invitations", "/accounts/profile/", "/accounts/2fa/"]
SHOTS = os.environ.get("SHOTS")


@pytest.mark.parametrize("width", [1280, 390])
def test_arabic_runs_from_right_to_left_and_fits(server, owner, person, width):
    page = person(storage_state=owner, locale="ar", viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.dir") == "rtl"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{path.strip('/').replace('/', '-')}-{width}.png")


def test_the_sidebar_is_on_the_right_in_arabic(server, owner, person):
    page = person(storage_state=owner, locale="ar", viewport={"width": 1280, "height": 800})
    page.goto(server.url + INVITATIONS)
    side, main = page.locator("aside.side").first.bounding_box(), page.locator("main").bounding_box()
    assert side["x"] > main["x"]


def test_an_address_keeps_its_order_in_arabic(server, owner, person):
    page = person(storage_state=owner, locale="ar", viewport={"width": 1280, "height": 800})
    page.goto(server.url + INVITATIONS)
    page.get_by_role("button", name="دعوة أشخاص").first.click()
    page.get_by_role("textbox", name="عناوين البريد الإلكتروني").fill("rtl@acme.test, broken@")
    page.get_by_role("button", name="إرسال الدعوات").click()
    expect(page.locator(".note--ok").filter(has_text="أُرسلت دعوة واحدة.")).to_be_visible()
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/modal.png")
        page.goto(server.url + INVITATIONS)
        page.screenshot(path=f"{SHOTS}/list.png")
    page.goto(server.url + INVITATIONS)
    expect(page.locator("bdi[dir=ltr]", has_text="rtl@acme.test")).to_be_visible()
