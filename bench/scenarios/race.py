"""Eight calls at once for each of 20 addresses: how many pending rows are left, where 20 are right."""

import contextlib
import secrets
from collections.abc import Callable
from functools import partial

from bench.databases import KINDS, Database
from bench.load import Call, Client, at_once
from bench.stage import Stage
from bench.systems import better_auth, django_invitations, guestlist

ADDRESSES, TIMES = 20, 8
CASE = f"race/{ADDRESSES} addresses × {TIMES} calls"


def measure(stage: Stage) -> None:
    """Rows."""
    for kind in KINDS:
        for processes in (1, 2):
            with contextlib.ExitStack() as stack:
                own = stack.enter_context(guestlist.serving(guestlist.home(stage, kind), processes))
                better = stack.enter_context(better_auth.serving(stage, kind, processes))
                django = stack.enter_context(django_invitations.serving(stage, kind, processes))
                tables: dict[str, tuple[Database, str, Callable[[str], Call]]] = {
                    guestlist.NAME: (own.home.database, "guestlist_invitation", own.invite_one),
                    better_auth.NAME: (better.database, "invitation", better.invitation),
                    django_invitations.NAME: (django.database, "invitations_invitation", django.invite_one),
                }
                contestants = {(CASE, system): partial(_race, *of) for system, of in tables.items()}
                stage.in_turn(contestants, kind, "rows", processes)


def _race(database: Database, table: str, invite: Callable[[str], Call]) -> float:
    tag = secrets.token_hex(4)
    for number in range(ADDRESSES):
        call = invite(f"{tag}.{number}@example.test")
        # Whoever comes too late may be refused, or find that a peer fails.
        at_once(partial(_send, call), TIMES)
    ((rows,),) = database.rows(f"SELECT count(*) FROM {table} WHERE email LIKE %s", f"{tag}%")
    return float(rows)


def _send(call: Call) -> bytes:
    return Client(call.url).send(call, range(200, 600))
