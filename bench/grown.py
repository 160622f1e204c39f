"""A database in which organizations have grown: 100 to 1,000,000 pending invitations, or 100,000 members."""

from typing import Any

from bench.seed import Seed
from bench.stage import Stage
from bench.systems import guestlist

BASE = 1_000
PENDING = (100, BASE, 10_000, 100_000, 1_000_000)
MEMBERS = (BASE, 100_000)


def pending(number: int) -> str:
    """The organization with so many pending invitations."""
    return f"pending-{number}"


def members(number: int) -> str:
    """The organization with so many members."""
    return f"members-{number}"


def sizes(stage: Stage) -> tuple[int, ...]:
    """Of organizations by invitations; the last is the largest."""
    return PENDING[:3] if stage.quick else PENDING


def home(stage: Stage, kind: str) -> guestlist.Home:
    """The database, which is filled once; `northwind` in it is empty. The largest organization has as many
    events as invitations.
    """
    return stage.once(f"grown/{kind}", lambda: _make(stage, kind))


def _make(stage: Stage, kind: str) -> guestlist.Home:
    print(f"    filling {kind} …", flush=True)
    slugs = [*map(pending, PENDING), *map(members, MEMBERS)]
    made = guestlist.new_home(stage, kind).found("northwind", *slugs)
    seed = Seed(made.database)
    for number in sizes(stage):
        seed.invitations(pending(number), number)
    for number in (BASE, sizes(stage)[-1]):
        seed.events(pending(number), number)
    for number in MEMBERS:
        seed.members(members(number), number)
    seed.finish()
    return made


def cursors(stage: Stage, kind: str) -> dict[str, dict[str, str]]:
    """For each organization and sort, where the second half of its invitations begins, or of its members."""
    slugs = [*map(pending, sizes(stage)), *map(members, MEMBERS)]
    found: Any = stage.once(f"cursors/{kind}", lambda: home(stage, kind).inside("cursors", *slugs))
    return dict(found)
