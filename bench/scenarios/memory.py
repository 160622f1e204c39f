"""Memory of all processes together (PSS), at rest, beside both peers, and after 100,000 mixed requests."""

import time
from pathlib import Path

from bench.databases import KINDS
from bench.load import Call, line_of, run_lines, send
from bench.processes import family, memory
from bench.results import Row
from bench.sink import sinking
from bench.stage import Stage
from bench.systems import better_auth, django_invitations, guestlist

REST, AFTER = "memory/at rest", "memory/after 100,000 mixed requests"


def measure(stage: Stage) -> None:
    """Of Guestlist the process that watches, the one that answers and the one that sends."""
    for kind in KINDS:
        with sinking(stage.new_folder()) as sink:
            home = guestlist.with_mail_to(guestlist.home(stage, kind), sink.url)
            with guestlist.serving(home, mail=True) as site:
                send(site.invite_all([f"person{number}@example.test" for number in range(200)]))
                _note(stage, REST, guestlist.NAME, kind, site.pid)
                _load(stage, site, stage.new_folder() / "mixed.tsv")
                _note(stage, AFTER, guestlist.NAME, kind, site.pid)
        for peer in (better_auth, django_invitations):
            with peer.serving(stage, kind) as other:
                _note(stage, REST, peer.NAME, kind, other.pid)


def _note(stage: Stage, scenario: str, system: str, kind: str, pid: int) -> None:
    time.sleep(5)
    stage.add(Row(scenario, system, kind, 1, "MB", [round(memory(family(pid)), 1)]))


def _load(stage: Stage, site: guestlist.Site, file: Path) -> None:
    """Three lists, three pages and three invitations, then one each of what is asked for less."""
    cookie = site.home.cookie
    calls = [
        *[site.listing, site.page("invitations"), site.invite()] * 3,
        site.page("invitations?q=person1"),
        site.page("members"),
        site.page("audit-log"),
        site.call("members"),
        Call("GET", f"{site.url}/healthz"),
    ]
    file.write_text("".join(line_of(call, _cookie_of(call, cookie)) + "\n" for call in calls))
    # Pages do not look at the key, and REST not at the cookie.
    left = stage.many(100_000)
    while left > 0:
        left -= run_lines(site.call("", "POST"), file, 8, 2 if stage.quick else 10).requests


def _cookie_of(call: Call, cookie: str) -> str:
    return cookie if "Cookie" in call.headers else ""
