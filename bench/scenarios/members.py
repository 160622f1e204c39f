"""The Members page, each sort, first and deep, and searched, with 1,000 members and with 100,000."""

from functools import partial
from urllib.parse import urlencode

from bench import grown
from bench.databases import KINDS
from bench.load import median_ms
from bench.scenarios.search import TERMS
from bench.scenarios.sorts import ROUNDS
from bench.stage import Stage
from bench.systems import guestlist

SORTS = tuple(f"{sign}{name}" for name in ("name", "email", "role", "joined") for sign in ("", "-"))


def measure(stage: Stage) -> None:
    """Milliseconds of a request, in both organizations in turn."""
    for kind in KINDS:
        cursors = grown.cursors(stage, kind)
        asked = {f"{sort} first": {"sort": sort} for sort in SORTS}
        asked |= {f"search, {name}": {"q": term} for name, term in TERMS.items() if term}
        with guestlist.serving(grown.home(stage, kind)) as site:
            for name in [*asked, *(f"{sort} deep" for sort in SORTS)]:
                contestants = {}
                for size in grown.MEMBERS:
                    slug, sort = grown.members(size), name.partition(" ")[0]
                    query = asked.get(name) or {"sort": sort, "after": cursors[slug][sort]}
                    run = partial(median_ms, site.page(f"members?{urlencode(query)}", slug))
                    contestants[f"members/{name}, {size:,} members", guestlist.NAME] = run
                stage.in_turn(contestants, kind, "ms", rounds=ROUNDS)
