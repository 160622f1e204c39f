"""Seconds until the first answer, on an empty database and on one that is up to date, beside both peers."""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from bench.databases import KINDS
from bench.stage import Stage
from bench.systems import better_auth, django_invitations, guestlist


def measure(stage: Stage) -> None:
    """Peers are only started on empty databases."""
    for kind in KINDS:
        ready = guestlist.home(stage, kind)
        empty: dict[str, Callable[[], AbstractContextManager[object]]] = {
            guestlist.NAME: partial(_serving_empty, stage, kind),
            better_auth.NAME: partial(better_auth.serving, stage, kind),
            django_invitations.NAME: partial(django_invitations.serving, stage, kind),
        }
        contestants = {
            ("start/empty database", system): partial(_seconds, start) for system, start in empty.items()
        }
        again = partial(_seconds, partial(guestlist.serving, ready))
        stage.in_turn({**contestants, ("start/up to date", guestlist.NAME): again}, kind, "s")


def _serving_empty(stage: Stage, kind: str) -> AbstractContextManager[object]:
    return guestlist.serving(guestlist.empty_home(stage, kind))


def _seconds(start: Callable[[], AbstractContextManager[object]]) -> float:
    with contextlib.ExitStack() as stack:
        started = time.perf_counter()
        stack.enter_context(start())
        return time.perf_counter() - started
