"""Messages a second of one worker and of two, beside a bare smtplib loop; and when the first leaves."""

import contextlib
import itertools
import smtplib
import time
from collections.abc import Iterator
from functools import partial

from bench.databases import KINDS
from bench.processes import running
from bench.sink import Sink, sinking
from bench.stage import Stage
from bench.systems import guestlist

RATE, FIRST = "delivery/messages", "delivery/first of 1,000 after the commit"
LOOP = "bare smtplib loop"
WORKERS = {"guestlist, one worker": 1, "guestlist, two workers": 2}
_NUMBERS = itertools.count(1)


def measure(stage: Stage) -> None:
    """Workers stand ready and get all messages with one commit."""
    many = stage.many(3000)
    with sinking(stage.new_folder()) as sink:
        for kind in KINDS:
            home = guestlist.with_mail_to(guestlist.home(stage, kind), sink.url)
            sample = stage.new_folder() / "message.eml"
            home.inside("message", "northwind", str(sample))
            rates = {(RATE, LOOP): partial(_loop, sink, sample.read_bytes(), many)}
            rates |= {
                (RATE, system): partial(drain, sink, home, workers, many)
                for system, workers in WORKERS.items()
            }
            stage.in_turn(rates, kind, "/s", processes=0)
            firsts = {
                (FIRST, system): partial(_first, sink, home, workers, stage.many(1000))
                for system, workers in WORKERS.items()
            }
            stage.in_turn(firsts, kind, "ms", processes=0)


def _loop(sink: Sink, content: bytes, many: int) -> float:
    """Ready-made bytes over one connection, by Python's own client."""
    sink.zero()
    with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
        for number in range(many):
            smtp.sendmail("guestlist@127.0.0.1", [f"person{number}@acme.test"], content)
    return (many - 1) / sink.wait_for(many)


def drain(sink: Sink, home: guestlist.Home, workers: int, many: int) -> float:
    """Between the first and the last message at the sink, each written down as sent by itself."""
    with _working(home, workers):
        sink.zero()
        _invite(home, many)
        return (many - 1) / sink.wait_for(many)


def _first(sink: Sink, home: guestlist.Home, workers: int, many: int) -> float:
    """Milliseconds from the commit to the first message; all processes of a machine share the clock."""
    with _working(home, workers):
        sink.zero()
        committed = _invite(home, many)
        sink.wait_for(many)
        return (sink.stat()[1] - committed) * 1000


def _invite(home: guestlist.Home, many: int) -> float:
    committed = home.inside("invite", "northwind", f"round{next(_NUMBERS)}.", str(many))
    assert isinstance(committed, float)
    return committed


@contextlib.contextmanager
def _working(home: guestlist.Home, workers: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(workers):
            command = [*guestlist.COMMAND, "worker"]
            stack.enter_context(running(command, home.environ, home.folder / "worker.log"))
        time.sleep(4)
        yield
