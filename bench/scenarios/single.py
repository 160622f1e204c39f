"""Single invitations over REST, one and eight at once, by one process and by two, beside both peers."""

import contextlib
from functools import partial

from bench.databases import KINDS
from bench.load import Call, rate
from bench.stage import Stage
from bench.systems import better_auth, django_invitations, guestlist


def measure(stage: Stage) -> None:
    """Requests a second."""
    for kind in KINDS:
        for processes in (1, 2):
            with contextlib.ExitStack() as stack:
                own = stack.enter_context(guestlist.serving(guestlist.home(stage, kind), processes))
                better = stack.enter_context(better_auth.serving(stage, kind, processes))
                django = stack.enter_context(django_invitations.serving(stage, kind, processes))
                calls = {
                    guestlist.NAME: own.invite(),
                    better_auth.NAME: better.invite,
                    django_invitations.NAME: django.invite,
                }
                _measure(stage, kind, processes, calls)


def _measure(stage: Stage, kind: str, processes: int, calls: dict[str, Call]) -> None:
    for call in calls.values():  # warm
        rate(call, 8, 1)
    for connections in (1, 8):
        contestants = {
            (f"single/{connections} at once", system): partial(rate, call, connections, stage.seconds)
            for system, call in calls.items()
        }
        stage.in_turn(contestants, kind, "/s", processes)
