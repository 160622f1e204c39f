"""Revoking one invitation with each call, eight at once, beside Better Auth; and 10,000 with one call."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from functools import partial

from bench.databases import KINDS
from bench.load import Client, line_of
from bench.scenarios.accept import compare, lines_for, once_each
from bench.seed import Seed
from bench.stage import Stage
from bench.systems import better_auth, guestlist


def measure(stage: Stage) -> None:
    """Requests a second, then seconds."""
    most, bulk = lines_for(stage, 2500), stage.many(10_000)
    many = most * (stage.rounds + 1)
    for kind in KINDS:
        with contextlib.ExitStack() as stack:
            home = guestlist.home(stage, kind)
            seed = Seed(home.database)
            seed.invitations("northwind", many + bulk * stage.rounds + 1)
            seed.finish()
            ids = _ids(home)
            own = stack.enter_context(guestlist.serving(home))
            better = stack.enter_context(better_auth.serving(stage, kind))
            lines = [line_of(own.call(f"invitations/{next(ids)}/revoke", "POST")) for _ in range(many)]
            runs = {
                guestlist.NAME: once_each(stage, own.call("", "POST"), lines, most),
                better_auth.NAME: once_each(stage, better.call("", "{}"), _better_lines(better, many), most),
            }
            compare(stage, "revoke/8 at once", kind, runs)
            run = partial(_revoke, own, ids, bulk)
            stage.in_turn({("revoke/10,000 in one call", guestlist.NAME): run}, kind, "s")


def _ids(home: guestlist.Home) -> Iterator[str]:
    rows = home.database.rows("SELECT id FROM guestlist_invitation ORDER BY id")
    return iter([str(uuid.UUID(str(pk))) for (pk,) in rows])


def _revoke(site: guestlist.Site, ids: Iterator[str], many: int) -> float:
    body = json.dumps({"ids": [next(ids) for _ in range(many)]})
    return Client(site.url).time(site.call("invitations/revoke", "POST", body))


def _better_lines(site: better_auth.Site, many: int) -> list[str]:
    return [
        line_of(site.call("organization/cancel-invitation", json.dumps({"invitationId": pk})))
        for pk in site.add_invitations(many)
    ]
