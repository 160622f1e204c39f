"""Accepting, eight at once, each by somebody else who is signed in, beside Better Auth."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.databases import KINDS
from bench.load import Call, line_of, run_lines
from bench.stage import Stage
from bench.systems import better_auth, guestlist


def measure(stage: Stage) -> None:
    """Requests a second; ours is the form of the page, theirs a call of the API."""
    most = lines_for(stage, 1200)
    many = most * (stage.rounds + 1)
    for kind in KINDS:
        with contextlib.ExitStack() as stack:
            own = stack.enter_context(guestlist.serving(guestlist.home(stage, kind)))
            better = stack.enter_context(better_auth.serving(stage, kind))
            file = stage.new_folder() / "lines.tsv"
            own.home.inside("invitees", "northwind", str(many), str(file))
            form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": own.url}
            runs = {
                guestlist.NAME: once_each(
                    stage, Call("POST", own.url, form), file.read_text().splitlines(), most
                ),
                better_auth.NAME: once_each(stage, better.call("", "{}"), _better_lines(better, many), most),
            }
            compare(stage, "accept/8 at once", kind, runs)


def lines_for(stage: Stage, rate: int) -> int:
    """As many as one run uses up at that rate, which nobody reaches."""
    return int(stage.seconds * rate)


def once_each(stage: Stage, call: Call, lines: Iterable[str], most: int) -> Callable[[], float]:
    """A run that takes the next of the lines each time."""
    left: Iterator[str] = iter(lines)

    def run() -> float:
        file: Path = stage.new_folder() / "lines.tsv"
        file.write_text("".join(f"{line}\n" for line in islice(left, most)))
        return run_lines(call, file, 8, stage.seconds, once=True).rate

    return run


def compare(stage: Stage, scenario: str, kind: str, runs: dict[str, Callable[[], float]]) -> None:
    """In turn, after a run that does not count."""
    for run in runs.values():
        run()
    stage.in_turn({(scenario, system): run for system, run in runs.items()}, kind, "/s")


def _better_lines(site: better_auth.Site, many: int) -> list[str]:
    invitations = site.add_invitations(many)
    return [
        line_of(site.call("organization/accept-invitation", json.dumps({"invitationId": pk})), cookie)
        for pk, cookie in zip(invitations, site.add_people(invitations), strict=True)
    ]
