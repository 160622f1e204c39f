"""What is to be reached, and whether it was."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.databases import KINDS, POSTGRESQL, SQLITE
from bench.results import Results, Row

OURS, BETTER = "guestlist", "better-auth"
LARGE, SMALL = "1,000,000", "1,000"


@dataclass(frozen=True)
class Outcome:
    """A figure; `wanted` is a number behind ≥, ≤ or =."""

    what: str
    value: float
    wanted: str

    @property
    def is_reached(self) -> bool:
        """Whether the figure is on the right side."""
        sign, limit = self.wanted[0], float(self.wanted[1:])
        return {"≥": self.value >= limit, "≤": self.value <= limit, "=": self.value == limit}[sign]


@dataclass(frozen=True)
class Target:
    """`name` is that of its part in NOTES.md."""

    name: str
    sentence: str
    outcomes: Callable[[Results], Iterator[Outcome]]


def ratio(row: Row, other: Row) -> float:
    """The median of the ratios of runs that followed one another: a machine's speed changes."""
    return statistics.median(one / two for one, two in zip(row.runs, other.runs, strict=False) if two)


def _bulk(results: Results) -> Iterator[Outcome]:
    scenario = "thousand/1,000 addresses"
    for kind in KINDS:
        own = results.find(scenario, OURS, kind)
        ways = ("one call at a time", "eight calls at once")
        found = [results.find(scenario, f"{BETTER}, {way}", kind) for way in ways]
        peers = [row for row in found if row]
        if own and peers:
            fastest = min(peers, key=lambda row: row.median)
            yield Outcome(f"{kind}, beside {fastest.system}", ratio(fastest, own), "≥50")


def _bare(results: Results) -> Iterator[Outcome]:
    for scenario in ("thousand/1,000 addresses", "ten-thousand/10,000 addresses"):
        for kind in KINDS:
            pair = results.find(scenario, OURS, kind), results.find(scenario, "bare script", kind)
            yield from _compared(f"{kind}, {scenario.partition('/')[2]}", *pair, "≤3")


def _beside(scenario: str, sqlite: str, postgresql: str) -> Callable[[Results], Iterator[Outcome]]:
    def outcomes(results: Results) -> Iterator[Outcome]:
        for kind, wanted in ((SQLITE, sqlite), (POSTGRESQL, postgresql)):
            for processes in (1, 2):
                own, peer = (results.find(scenario, system, kind, processes) for system in (OURS, BETTER))
                number = "one process" if processes == 1 else f"{processes} processes"
                yield from _compared(f"{kind}, {number}", own, peer, wanted)

    return outcomes


def _flat(results: Results) -> Iterator[Outcome]:
    """The worst of all sorts for each door and place."""
    for kind in KINDS:
        for door in ("page", "list"):
            for place in ("first", "deep"):
                found = []
                for row in results.of("sorts"):
                    case, _, size = row.case.partition(f" {place}, ")
                    if row.database == kind and case.startswith(door) and size == f"{LARGE} pending":
                        base = results.find(row.scenario.replace(LARGE, SMALL), OURS, kind)
                        found += [(ratio(row, base), case)] if base else []
                if found:
                    worst, case = max(found)
                    what = f"{kind}, {place} {door}, the worst of {len(found)} sorts ({case.split()[1]})"
                    yield Outcome(what, worst, "≤1.3")


def _search(results: Results) -> Iterator[Outcome]:
    for kind in KINDS:
        for row in results.of("search"):
            way, _, size = row.case.partition(", ")
            door, _, term = way.partition(" ")
            base = results.find(f"search/{door} without, {LARGE} pending", OURS, kind)
            if row.database == kind and term != "without" and size == f"{LARGE} pending":
                yield from _compared(f"{kind}, {door}, {term}", row, base, "≤5")


def _race(results: Results) -> Iterator[Outcome]:
    for row in results.of("race"):
        if row.system == OURS:
            yield Outcome(f"{row.database}, processes: {row.processes}", max(row.runs), "=20")


def _delivery(results: Results) -> Iterator[Outcome]:
    for kind in KINDS:
        loop, one, two = (
            results.find("delivery/messages", system, kind, 0)
            for system in ("bare smtplib loop", f"{OURS}, one worker", f"{OURS}, two workers")
        )
        yield from _compared(f"{kind}, one worker as a share of the loop", one, loop, "≥0.5")
        yield from _compared(f"{kind}, two workers beside one", two, one, "≥1.0001")
        first = results.find("delivery/first of 1,000 after the commit", f"{OURS}, one worker", kind, 0)
        if first:
            yield Outcome(f"{kind}, milliseconds to the first of 1,000", first.median, "≤100")


def _growth(results: Results) -> Iterator[Outcome]:
    for kind in KINDS:
        empty = results.find("growth/empty", OURS, kind)
        for row in results.of("growth"):
            if row.database == kind and row is not empty:
                yield from _compared(f"{kind}, {row.case}", row, empty, "≥0.9")


def _memory(results: Results) -> Iterator[Outcome]:
    for kind in KINDS:
        rest = results.find("memory/at rest", OURS, kind)
        after = results.find("memory/after 100,000 mixed requests", OURS, kind)
        if rest:
            yield Outcome(f"{kind}, MB at rest", rest.median, "≤150")
        yield from _compared(f"{kind}, after 100,000 mixed requests beside at rest", after, rest, "≤1.3")


def _compared(what: str, row: Row | None, other: Row | None, wanted: str) -> Iterator[Outcome]:
    if row and other:
        yield Outcome(what, ratio(row, other), wanted)


TARGETS = (
    Target(
        "thousand",
        "1,000 addresses in one call are at least 50 times as fast as Better Auth’s 1,000 calls.",
        _bulk,
    ),
    Target(
        "bare", "They take no more than 3 times what a bare script takes that writes the same rows.", _bare
    ),
    Target(
        "single",
        "Single invitations, 8 at once: at least 4 times Better Auth’s on SQLite, 3 times on PostgreSQL.",
        _beside("single/8 at once", "≥4", "≥3"),
    ),
    Target(
        "list",
        "REST list of 100 rows: at least 5 times Better Auth’s rate on SQLite, 3 times on PostgreSQL.",
        _beside("list/100 rows", "≥5", "≥3"),
    ),
    Target(
        "page",
        "The Invitations page as HTML with 50 rows: at least the rate of Better Auth’s list.",
        _beside("page/50 rows", "≥1", "≥1"),
    ),
    Target("sorts", "With 1,000,000 pending a page takes at most 1.3 times what it takes with 1,000.", _flat),
    Target(
        "search", "Search at 1,000,000 takes at most 5 times what the page takes without search.", _search
    ),
    Target("race", "20 addresses, each invited by 8 calls at once, end as 20 rows.", _race),
    Target(
        "delivery",
        "One worker delivers at least half of what a bare smtplib loop does, two more than one; the first of "
        "1,000 messages is at the mail server within 100 ms of the commit.",
        _delivery,
    ),
    Target(
        "growth",
        "The rate of single invitations falls by at most 10 % with 1,000,000 pending or 100,000 members.",
        _growth,
    ),
    Target(
        "memory",
        "A web process and a worker take at most 150 MB at rest, and 1.3 times that after 100,000 requests.",
        _memory,
    ),
)
