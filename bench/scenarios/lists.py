"""The list of 100 pending invitations over REST, eight requests at once, beside Better Auth's."""

import contextlib
from collections.abc import Callable
from functools import partial

from bench.databases import KINDS
from bench.load import Call, rate, seconds_for, send
from bench.stage import Stage
from bench.systems import better_auth, guestlist

ADDRESSES = [f"person{number}@example.test" for number in range(100)]


def measure(stage: Stage) -> None:
    """Requests a second."""
    compare(stage, "list/100 rows", lambda site: site.listing)


def compare(stage: Stage, scenario: str, own_call: Callable[[guestlist.Site], Call]) -> None:
    """A request of ours beside Better Auth's list, in organizations of 100 invitations."""
    for kind in KINDS:
        for processes in (1, 2):
            with contextlib.ExitStack() as stack:
                own = stack.enter_context(guestlist.serving(guestlist.home(stage, kind), processes))
                better = stack.enter_context(better_auth.serving(stage, kind, processes))
                send(own.invite_all(ADDRESSES))
                seconds_for([better.invitation(address) for address in ADDRESSES], 1)
                calls = {guestlist.NAME: own_call(own), better_auth.NAME: better.listing}
                for call in calls.values():  # warm
                    rate(call, 8, 1)
                contestants = {
                    (scenario, system): partial(rate, call, 8, stage.seconds)
                    for system, call in calls.items()
                }
                stage.in_turn(contestants, kind, "/s", processes)
