"""Takes the pictures of the help: `bin/screenshots --for-help`, after its pages have changed."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.places import PLACES
from tests.browser.png import in_256_colors
from tests.browser.servers import demos

FOLDER = Path(__file__).parents[2] / "src/guestlist/static/guestlist/help"
WIDTH, HEIGHT, BELOW_TABLE = 1120, 840, 64
# File → the place, and what of it.
PICTURES = {
    "invitations": ("invitations", "body"),
    "invite": ("invite-preview", "dialog[open]"),
    "revoke": ("revoke", "[role=alertdialog]"),
    "requests": ("invitations-asked", "main"),
    "members": ("members", "main"),
    "accept": ("accept-new", ".panel"),
}


def take(page: Page, selector: str) -> bytes:
    """A dialog or panel as it is, a page without the empty space below it."""
    if selector in ("body", "main"):
        # The sidebar is as high as the window, and no page is lower than it.
        end = page.locator(".tablebox").evaluate("table => table.getBoundingClientRect().bottom")
        page.set_viewport_size({"width": WIDTH, "height": int(end) + BELOW_TABLE})
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.fonts.ready")
    return page.locator(selector).screenshot(animations="disabled")


def main() -> None:
    """All of them."""
    places = {place.name: place for place in PLACES}
    looks = {"viewport": {"width": WIDTH, "height": HEIGHT}, "color_scheme": "light"}
    with tempfile.TemporaryDirectory() as data, demos(Path(data)) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        for name, (place, selector) in PICTURES.items():
            page = demo[places[place].server].visit(browser, places[place], **looks)
            (FOLDER / f"{name}.png").write_bytes(in_256_colors(take(page, selector)))
            page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
