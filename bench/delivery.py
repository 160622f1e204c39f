"""How fast mail leaves: `.venv/bin/python bench/delivery.py [--messages 2000] [--rounds 3]`.

One run on one machine: messages a second of a bare smtplib loop, of one worker and of two, to the same sink;
the time from a request to its message at the sink; the memory of a worker while 10,000 messages drain. On
SQLite and on PostgreSQL: `--postgresql URL` of an empty database, or a throw-away cluster with its usual
settings.
"""

# ruff: noqa: S311, S310, S603, T201

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
GUESTLIST = [sys.executable, "-m", "guestlist_server"]


def main():
    arguments = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="guestlist-bench-", dir="/tmp"))
    folder.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        sink = stack.enter_context(Sink())
        print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
        for name in arguments.databases:
            url = arguments.postgresql
            if name == "sqlite":
                url = f"sqlite:///{folder}/guestlist.sqlite3"
            elif not url:
                url = stack.enter_context(cluster(folder))
            bench = Bench(name, url, sink, folder / name)
            bench.prepare()
            if "speed" in arguments.parts:
                measure_speed(bench, arguments.messages, arguments.rounds)
            if "delay" in arguments.parts:
                measure_delay(bench, arguments.requests)
            if "memory" in arguments.parts:
                measure_memory(bench, arguments.drained)


def _arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--drained", type=int, default=10_000)
    parser.add_argument("--postgresql", default="")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--parts", nargs="+", default=["speed", "delay", "memory"])
    return parser.parse_args()


class Sink:
    """The server that takes everything."""

    def __enter__(self):
        self.port = free_port()
        self.process = subprocess.Popen([sys.executable, str(HERE / "sink.py"), str(self.port)])
        wait_for_port(self.port)
        self.control = smtplib.SMTP("127.0.0.1", self.port)
        return self

    def __exit__(self, *_):
        self.control.close()
        self.process.kill()
        self.process.wait()

    def zero(self):
        self.control.docmd("ZERO")

    def stat(self):
        """How many messages came, and when the first and the last of them did."""
        many, first, last = self.control.docmd("STAT")[1].split()
        return int(many), float(first), float(last)

    def wait_for(self, many, seconds=300):
        """The time between the first and the last message."""
        end = time.monotonic() + seconds
        while (stat := self.stat())[0] < many:
            if time.monotonic() > end:
                raise SystemExit(f"only {stat[0]} of {many} messages came")
            time.sleep(0.05)
        return stat[2] - stat[1]


@dataclass
class Bench:
    """One database and how to run commands on it."""

    name: str
    url: str
    sink: Sink
    folder: Path
    number: int = 0
    key: str = field(default="", repr=False)

    @property
    def environ(self):
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GUESTLIST", "EMAIL"))
        }
        return kept | {
            "DATABASE_URL": self.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.sink.port}",
            "GUESTLIST_DATA_DIR": str(self.folder),
            "GUESTLIST_LOG_LEVEL": "WARNING",
        }

    @property
    def message(self):
        """A file that holds what one message looks like."""
        return self.folder / "message.eml"

    def prepare(self):
        subprocess.run([*GUESTLIST, "migrate"], env=self.environ, check=True, stdout=subprocess.DEVNULL)
        self.key = self.seed("key")
        self.seed("message", self.message)

    def seed(self, *arguments):
        command = [sys.executable, str(HERE / "seed.py"), *map(str, arguments)]
        return subprocess.run(
            command, env=self.environ, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def invite(self, many):
        """Invite that many people in one call."""
        self.number += 1
        self.seed("invite", f"round{self.number}-", many)

    @contextlib.contextmanager
    def running(self, many, *command):
        """So many processes, ready."""
        options = {"env": self.environ, "stdout": subprocess.DEVNULL}
        processes = [subprocess.Popen([*GUESTLIST, *command], **options) for _ in range(many)]
        try:
            time.sleep(4)
            yield processes
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(30)


def measure_speed(bench, messages, rounds):
    """Workers wait for one commit that brings all messages; the clock runs between the first and the last."""
    speeds = {"bare smtplib loop": [], "one worker": [], "two workers": []}
    for _ in range(rounds):
        speeds["bare smtplib loop"].append(bare(bench, messages))
        for name, many in (("one worker", 1), ("two workers", 2)):
            bench.sink.zero()
            with bench.running(many, "worker"):
                bench.invite(messages)
                speeds[name].append((messages - 1) / bench.sink.wait_for(messages))
    reference = statistics.median(speeds["bare smtplib loop"])
    for name, found in speeds.items():
        median = statistics.median(found)
        shown = ", ".join(f"{speed:.0f}" for speed in found)
        line = f"{median:7.0f} messages/s  {median / reference:5.2f} of the loop  ({shown})"
        print(f"{bench.name:10}  {name:18} {line}", flush=True)


def bare(bench, messages):
    """Ready-made bytes over one reused connection, by Python's own client."""
    bench.sink.zero()
    content = bench.message.read_bytes()
    with smtplib.SMTP("127.0.0.1", bench.sink.port) as smtp:
        for number in range(messages):
            smtp.sendmail("guestlist@127.0.0.1", [f"person{number}@acme.test"], content)
    return (messages - 1) / bench.sink.wait_for(messages)


def measure_delay(bench, requests):
    """One invitation at a time by REST, at a server that is idle between them."""
    port = free_port()
    with bench.running(1, "serve", "--port", str(port)):
        wait_for_port(port)
        delays, answers = [], []
        for number in range(requests + 5):
            bench.sink.zero()
            sent = time.monotonic()
            post(port, bench.key, f"single{number}@acme.test")
            answered = time.monotonic()
            bench.sink.wait_for(1, seconds=30)
            if number >= 5:  # the first ones load what they need
                delays.append(bench.sink.stat()[2] - sent)
                answers.append(answered - sent)
            time.sleep(random.uniform(0.05, 0.25))
    for name, found in (("request to message", delays), ("request to answer", answers)):
        p50, p95 = (1000 * quantile(found, share) for share in (0.5, 0.95))
        print(f"{bench.name:10}  {name:18} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  of {requests}", flush=True)


def post(port, key, address):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/organizations/northwind/invitations",
        data=json.dumps({"emails": [address]}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def measure_memory(bench, many):
    """What a worker has taken at most when it has sent everything."""
    bench.sink.zero()
    with bench.running(1, "worker") as (process,):
        before = peak(process.pid)
        bench.invite(many)
        seconds = bench.sink.wait_for(many, seconds=900)
        after = peak(process.pid)
    line = f"{before:.0f} MB idle, {after:.0f} MB after {many} messages in {seconds:.1f} s"
    print(f"{bench.name:10}  {'peak memory':18} {line}", flush=True)


def peak(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def quantile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on {port}")


@contextlib.contextmanager
def cluster(folder):
    """A PostgreSQL of one's own with its usual settings, reachable through a socket; its URL."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    home = folder / "postgresql"
    home.mkdir(mode=0o700)
    as_postgres = []
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]

    def run(name, *arguments):
        command = [*as_postgres, str(binaries / name), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    run("initdb", f"--pgdata={home}/data", "--username=guestlist", "--auth=trust", "--encoding=UTF8")
    options = f"--options=-k {home} -c listen_addresses="
    control = ("--wait", "--silent", f"--pgdata={home}/data", f"--log={home}/log")
    run("pg_ctl", "start", *control, options)
    try:
        run("createdb", f"--host={home}", "--username=guestlist", "bench")
        yield f"postgresql://guestlist@/bench?host={home}"
    finally:
        run("pg_ctl", "stop", "--mode=immediate", *control)


if __name__ == "__main__":
    main()
