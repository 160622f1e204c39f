"""1,000 addresses in one call, beside a bare script that writes the same rows and the calls of both peers."""

import contextlib
import itertools
from collections.abc import Callable
from functools import partial

from bench.bare import Script
from bench.databases import KINDS
from bench.load import Client, seconds_for
from bench.stage import Stage
from bench.systems import better_auth, django_invitations, guestlist

_NUMBERS = itertools.count(1)


def measure(stage: Stage) -> None:
    """Seconds; Better Auth takes one address in a call, so it is called 1,000 times."""
    many = stage.many(1000)
    for kind in KINDS:
        with contextlib.ExitStack() as stack:
            own = stack.enter_context(guestlist.serving(guestlist.home(stage, kind)))
            better = stack.enter_context(better_auth.serving(stage, kind))
            django = stack.enter_context(django_invitations.serving(stage, kind))
            script = warm_script(own, many)
            call_better(better, 100, 8)
            contestants: dict[str, Callable[[], float]] = {
                guestlist.NAME: partial(invite, own, many),
                "bare script": script.seconds,
                "better-auth, one call at a time": partial(call_better, better, many, 1),
                "better-auth, eight calls at once": partial(call_better, better, many, 8),
                django_invitations.NAME: partial(_call_django, django, many),
            }
            cases = {("thousand/1,000 addresses", system): run for system, run in contestants.items()}
            stage.in_turn(cases, kind, "s")


def warm_script(site: guestlist.Site, many: int) -> Script:
    """What writes the same rows as the first call with so many addresses."""
    prefix = f"person{next(_NUMBERS)}."
    Client(site.url).send(site.invite_all([f"{prefix}{n}@example.test" for n in range(many)]))
    script = Script(site.home.database, prefix)
    script.seconds()
    return script


def invite(site: guestlist.Site, many: int) -> float:
    """Seconds for one call with so many new addresses."""
    return Client(site.url).time(site.invite_all(_addresses(many)))


def call_better(site: better_auth.Site, many: int, connections: int) -> float:
    """Seconds for so many calls, in an organization that is empty before."""
    fresh = better_auth.found(site)
    return seconds_for([fresh.invitation(address) for address in _addresses(many)], connections)


def _call_django(site: django_invitations.Site, many: int) -> float:
    return Client(site.url).time(site.invite_all(_addresses(many)))


def _addresses(many: int) -> list[str]:
    tag = next(_NUMBERS)
    return [f"person{tag}.{number}@example.test" for number in range(many)]
