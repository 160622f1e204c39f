"""The audit log, whole, deep, filtered and searched, with 1,000 events and with 1,000,000."""

from functools import partial
from urllib.parse import urlencode

from bench import grown
from bench.databases import KINDS
from bench.load import median_ms
from bench.scenarios.sorts import ROUNDS
from bench.stage import Stage
from bench.systems import guestlist

FILTERS = {
    "newest": {},
    "oldest": {"sort": "when"},
    "a common type": {"type": "invitation.sent"},
    "a rare type": {"type": "role.created"},
    "a busy person": {"person": "Olivia Owner"},
    "search, common": {"q": "olivia"},
    "search, none": {"q": "zqzqzq"},
}


def measure(stage: Stage) -> None:
    """Milliseconds of a request, in both organizations in turn."""
    sizes = (grown.BASE, grown.sizes(stage)[-1])
    for kind in KINDS:
        with guestlist.serving(grown.home(stage, kind)) as site:
            for name in [*FILTERS, "deep"]:
                contestants = {}
                for size in sizes:
                    query = FILTERS.get(name, {"after": str(size // 2)})
                    call = site.page(f"audit-log?{urlencode(query)}", grown.pending(size))
                    contestants[f"audit/{name}, {size:,} events", guestlist.NAME] = partial(median_ms, call)
                stage.in_turn(contestants, kind, "ms", rounds=ROUNDS)
