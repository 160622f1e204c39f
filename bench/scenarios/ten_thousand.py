"""10,000 addresses in one call, beside a bare script that writes the same rows."""

from collections.abc import Callable
from functools import partial

from bench.databases import KINDS
from bench.scenarios.thousand import invite, warm_script
from bench.stage import Stage
from bench.systems import guestlist


def measure(stage: Stage) -> None:
    """Seconds."""
    many = stage.many(10_000)
    for kind in KINDS:
        with guestlist.serving(guestlist.home(stage, kind)) as site:
            script = warm_script(site, many)
            contestants: dict[tuple[str, str], Callable[[], float]] = {
                ("ten-thousand/10,000 addresses", guestlist.NAME): partial(invite, site, many),
                ("ten-thousand/10,000 addresses", "bare script"): script.seconds,
            }
            stage.in_turn(contestants, kind, "s")
