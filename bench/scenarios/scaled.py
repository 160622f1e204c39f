"""Two web processes, two workers and pgbouncer in transaction mode, beside PostgreSQL without it."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from bench.databases import POSTGRESQL
from bench.load import Call, rate, send
from bench.pgbouncer import pgbouncer
from bench.scenarios.delivery import drain
from bench.scenarios.lists import ADDRESSES
from bench.sink import sinking
from bench.stage import Stage
from bench.systems import guestlist

BEHIND = "guestlist behind pgbouncer"


def measure(stage: Stage) -> None:
    """Each way has its own database."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(sinking(stage.new_folder()))
        homes = {
            name: guestlist.with_mail_to(guestlist.home(stage, POSTGRESQL), sink.url)
            for name in (guestlist.NAME, BEHIND)
        }
        behind = stack.enter_context(pgbouncer(stage.new_folder(), homes[BEHIND].database))
        homes[BEHIND] = replace(homes[BEHIND], database=behind)
        sites = {name: stack.enter_context(guestlist.serving(home, 2)) for name, home in homes.items()}
        for site in sites.values():  # warm
            send(site.invite_all(ADDRESSES))
            rate(site.listing, 8, 1)
        lists = {("scaled/list of 100, 8 at once", name): site.listing for name, site in sites.items()}
        stage.in_turn(_rates(stage, lists), POSTGRESQL, "/s", processes=2)
        singles = {("scaled/single, 8 at once", name): site.invite() for name, site in sites.items()}
        stage.in_turn(_rates(stage, singles), POSTGRESQL, "/s", processes=2)
        deliveries = {
            ("scaled/messages of two workers", name): partial(drain, sink, home, 2, stage.many(3000))
            for name, home in homes.items()
        }
        _empty_queues(homes)
        stage.in_turn(deliveries, POSTGRESQL, "/s", processes=2)


def _rates(stage: Stage, calls: Mapping[tuple[str, str], Call]) -> dict[tuple[str, str], Callable[[], float]]:
    return {contestant: partial(rate, call, 8, stage.seconds) for contestant, call in calls.items()}


def _empty_queues(homes: Mapping[str, guestlist.Home]) -> None:
    """What was invited for the rates is not counted as delivered."""
    for home in homes.values():
        home.database.do(
            "UPDATE guestlist_delivery SET state = 'sent', next_at = NULL WHERE state = 'queued'"
        )
