"""Every page in every state: axe finds nothing in light and dark, large and small; nothing sticks out."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.places import PLACES
from tests.browser.servers import demos
from tests.browser.test_keyboard_and_phone import assert_nothing_sticks_out

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# What depends on the theme is the colours, so the other rules need to run in one of them only.
RULES = {"light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "dark": ["color-contrast"]}
SETTLED = """async () => {
  await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}"""
RUN = """async (only) => (await axe.run(document, {runOnly: only, resultTypes: ['violations']})).violations
  .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 99)} ${node.failureSummary}`))"""
TWICE = """() => { const twice = new CSSStyleSheet(); twice.replaceSync('html { font-size: 200% }');
  document.adoptedStyleSheets = [twice]; }"""
SCROLLING = """[...document.querySelectorAll('.dialog[open], .dialog__body, .menu, .drawer, .toast')]
  .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory, up_to_date):
    folder = tmp_path_factory.mktemp("places")
    for name in ("filled", "new"):
        up_to_date(folder / name)
    with demos(folder) as started:
        yield started


def assert_accessible(page: Page) -> None:
    """In both themes; evaluated from outside, so that the page's own policy stays in force."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(SETTLED)
        assert page.evaluate(RUN, rules) == [], f"{page.url} in {scheme}, {page.viewport_size}"


def assert_fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert_nothing_sticks_out(page)
    assert page.evaluate(SCROLLING) == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_everybody_can_use(demo, browser, place):
    where = demo[place.server]
    page = where.visit(browser, place, viewport={"width": 1280, "height": 800})
    try:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert_accessible(page)
        assert_fits(page, 320)
        page.evaluate(TWICE)
        assert_fits(page, 1024)
        assert_fits(page, 390)
        assert where.broken == []
    finally:
        where.broken.clear()
        page.context.close()
