"""Takes a picture of every place in every look: `bin/screenshots [FOLDER] [NAME…]`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.places import PLACES, Place
from tests.browser.servers import Demos, demos

SETTLED = "() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished))"
TWICE = """() => { const twice = new CSSStyleSheet(); twice.replaceSync('html { font-size: 200% }');
  document.adoptedStyleSheets = [twice]; }"""
LOOKS = [
    ("1280-light", 1280, {"color_scheme": "light"}),
    ("1280-dark", 1280, {"color_scheme": "dark"}),
    ("390-light", 390, {"color_scheme": "light"}),
    ("390-dark", 390, {"color_scheme": "dark"}),
    ("320", 320, {"color_scheme": "light"}),
    ("forced-colors", 1280, {"color_scheme": "dark", "forced_colors": "active"}),
]


def take(page: Page, path: Path) -> None:
    """What is on the page; all of it where nothing lies on top."""
    page.wait_for_load_state("networkidle")
    page.evaluate(SETTLED)
    if not page.locator("dialog[open], :popover-open, .toast").count():
        # Not full_page: the sidebar is as high as the window.
        width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=path)


def take_looks(demo: Demos, browser: Browser, place: Place, folder: Path) -> None:
    """One place in every look; in Arabic too where nothing has to be found by its English name."""
    page = demo[place.server].visit(browser, place, viewport={"width": 1280, "height": 800})
    for name, width, media in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(**{"forced_colors": "none", **media})
        take(page, folder / f"{place.name}-{name}.png")
    page.emulate_media(forced_colors="none", color_scheme="light")
    page.evaluate(TWICE)
    take(page, folder / f"{place.name}-200-percent.png")
    page.context.close()
    if not place.act:
        page = demo[place.server].visit(browser, place, viewport={"width": 1280, "height": 800}, locale="ar")
        take(page, folder / f"{place.name}-rtl.png")
        page.context.close()


def main(folder: str = "screenshots", *names: str) -> None:
    """All places, or those whose names begin so."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    places = [place for place in PLACES if place.name.startswith(names or "")]
    with tempfile.TemporaryDirectory() as data, demos(Path(data)) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        for number, place in enumerate(places, 1):
            print(f"\r{number} of {len(places)}: {place.name:40}", end="", file=sys.stderr, flush=True)
            try:
                take_looks(demo, browser, place, target)
            except (Error, AssertionError) as error:
                failed.append(f"{place.name}: {error}")
        browser.close()
    print(f"\r{len(places) - len(failed)} places are in {target}{' ' * 40}", file=sys.stderr)
    sys.exit("\n".join(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
