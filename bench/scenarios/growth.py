"""Single invitations, eight at once, in an empty organization, with 1,000,000 pending and 100,000 members."""

from functools import partial

from bench import grown
from bench.databases import KINDS
from bench.load import rate
from bench.stage import Stage
from bench.systems import guestlist


def measure(stage: Stage) -> None:
    """Requests a second, in each organization in turn."""
    for kind in KINDS:
        with guestlist.serving(grown.home(stage, kind)) as site:
            calls = {name: site.invite(slug) for name, slug in organizations(stage).items()}
            for call in calls.values():  # warm
                rate(call, 8, 1)
            contestants = {
                (f"growth/{name}", guestlist.NAME): partial(rate, call, 8, stage.seconds)
                for name, call in calls.items()
            }
            stage.in_turn(contestants, kind, "/s")


def organizations(stage: Stage) -> dict[str, str]:
    """By what is in them."""
    most, people = grown.sizes(stage)[-1], grown.MEMBERS[-1]
    return {
        "empty": "northwind",
        f"{most:,} pending": grown.pending(most),
        f"{people:,} members": grown.members(people),
    }
