"""Searching the Invitations page and its list over REST, for few, many and the beginning of a word."""

from functools import partial

from bench import grown
from bench.databases import KINDS
from bench.load import median_ms
from bench.scenarios.sorts import DOORS, ROUNDS, call
from bench.stage import Stage
from bench.systems import guestlist

NOTHING = "without"
# In the addresses that `bench.seed` makes: a run of digits, one of twenty names, and how some names begin.
TERMS = {NOTHING: "", "few": "55555", "many": "olivia", "two letters": "ol"}


def measure(stage: Stage) -> None:
    """Milliseconds of a request, in turn with one that does not search."""
    for kind in KINDS:
        with guestlist.serving(grown.home(stage, kind)) as site:
            for door in DOORS:
                for size in (grown.BASE, grown.sizes(stage)[-1]):
                    contestants = {
                        (case(door, name, size), guestlist.NAME): partial(
                            median_ms, call(site, door, grown.pending(size), q=term)
                        )
                        for name, term in TERMS.items()
                    }
                    stage.in_turn(contestants, kind, "ms", rounds=ROUNDS)


def case(door: str, name: str, size: int) -> str:
    """The scenario of a row."""
    return f"search/{door} {name}, {size:,} pending"
