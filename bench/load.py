"""Load: wrk for rates, a plain client for single calls, and systems taking turns."""

import http.client
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.processes import Failed

_SCRIPT = Path(__file__).with_name("lines.lua")


@dataclass(frozen=True)
class Call:
    """One request; `{n}` in its path and body becomes another number each time."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def path(self) -> str:
        """With its query, without the server."""
        return "/" + "/".join(self.url.split("/")[3:])


@dataclass(frozen=True)
class Load:
    """What a run of wrk found."""

    rate: float
    requests: int


def rate(call: Call, connections: int, seconds: float) -> float:
    """Requests a second with so many connections that stay open. Raises Failed where one was refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write(line_of(call) + "\n")
        file.flush()
        return run_lines(call, Path(file.name), connections, seconds).rate


def run_lines(call: Call, lines: Path, connections: int, seconds: float, *, once: bool = False) -> Load:
    """The same for requests that differ in more than a number, each a line of the file (`line_of`), with the
    headers of `call`. With `once` no line is used again. Raises Failed, also where the lines do not suffice.
    """
    base = "/".join(call.url.split("/")[:3])
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=60s", "-s", str(_SCRIPT)]
    for name, value in call.headers.items():
        command += ["-H", f"{name}: {value}"]
    arguments = [str(lines), "once" if once else "again", f"{time.time_ns() // 1_000_000:x}"]
    done = subprocess.run([*command, base, "--", *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) requests in .*Requests/sec:\s+([\d.]+)", done.stdout, re.DOTALL)
    wrong = re.search(r"Non-2xx.*|Socket errors.*|refused: .*", done.stdout)
    if not found or wrong:
        raise Failed(f"{call.method} {call.url}: {wrong[0] if wrong else done.stdout + done.stderr}")
    return Load(float(found[2]), int(found[1]))


def line_of(call: Call, cookie: str = "") -> str:
    """As `lines.lua` reads it; the other headers are the same for all lines."""
    return "\t".join([call.method, call.path, cookie, call.body])


class Client:
    """One connection that stays open."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)

    def send(self, call: Call, status: Sequence[int] = (200, 201)) -> bytes:
        """The body of the answer. Raises Failed."""
        self.connection.request(call.method, call.path, call.body or None, dict(call.headers))
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in status:
            raise Failed(f"{call.method} {call.url}: {answer.status} {content[:500]!r}")
        return content

    def time(self, call: Call) -> float:
        """Seconds until the whole answer is there. Raises Failed."""
        started = time.perf_counter()
        self.send(call)
        return time.perf_counter() - started


def send(call: Call) -> object:
    """What a single call answers. Raises Failed."""
    return json.loads(Client(call.url).send(call))


def median_ms(call: Call, times: int = 10) -> float:
    """The median time of a request on one connection, after one that does not count. Raises Failed."""
    client = Client(call.url)
    client.send(call)
    return statistics.median(client.time(call) for _ in range(times)) * 1000


def seconds_for(calls: Sequence[Call], connections: int) -> float:
    """How long it takes to make all calls, each once, with so many connections. Raises Failed."""
    left = iter(calls)

    def work() -> None:
        client = Client(calls[0].url)
        for call in left:
            client.send(call)

    started = time.perf_counter()
    at_once(work, connections)
    return time.perf_counter() - started


def at_once(work: Callable[[], object], times: int) -> None:
    """Do the same several times at once. Raises what that raises."""
    with ThreadPoolExecutor(times) as pool:
        for each in [pool.submit(work) for _ in range(times)]:
            each.result()


def calibrate() -> float:
    """Milliseconds of processor time for a fixed loop: how fast the machine is at this moment."""
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        number = 0
        for each in range(100_000):
            number += each * 3 % 7
        best = min(best, time.process_time() - started)
    return round(best * 1000, 2)
