"""The Invitations page and the REST list, each sort, first page and deep, with 100 to 1,000,000 pending."""

from functools import partial
from urllib.parse import urlencode

from bench import grown
from bench.databases import KINDS
from bench.load import Call, median_ms
from bench.stage import Stage
from bench.systems import guestlist

SORTS = tuple(f"{sign}{name}" for name in ("invited", "email", "expires", "status") for sign in ("", "-"))
DOORS, PLACES = ("page", "list"), ("first", "deep")
ROUNDS = 5


def measure(stage: Stage) -> None:
    """Milliseconds of a request, in organizations of each size in turn."""
    for kind in KINDS:
        cursors = grown.cursors(stage, kind)
        with guestlist.serving(grown.home(stage, kind)) as site:
            for door in DOORS:
                for sort in SORTS:
                    for place in PLACES:
                        contestants = {}
                        for size in grown.sizes(stage):
                            slug = grown.pending(size)
                            after = cursors[slug][sort] if place == "deep" else ""
                            run = partial(median_ms, call(site, door, slug, sort=sort, after=after))
                            contestants[case(door, sort, place, size), guestlist.NAME] = run
                        stage.in_turn(contestants, kind, "ms", rounds=ROUNDS)


def case(door: str, sort: str, place: str, size: int) -> str:
    """The scenario of a row."""
    return f"sorts/{door} {sort} {place}, {size:,} pending"


def call(site: guestlist.Site, door: str, slug: str, sort: str = "", after: str = "", q: str = "") -> Call:
    """A request for 50 rows of the page, or 100 over REST."""
    if door == "page":
        asked = {"sort": sort, "after": after, "q": q}
        return site.page(f"invitations?{_query(asked)}", slug)
    asked = {"limit": "100", "status": "pending", "sort": sort, "cursor": after, "q": q}
    return site.call(f"invitations?{_query(asked)}", slug=slug)


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
