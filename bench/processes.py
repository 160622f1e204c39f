"""Processes that end when whoever started them is done, however that happens."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen


class Failed(Exception):
    """A measurement could not be made, and why."""


@contextlib.contextmanager
def running(
    command: Sequence[str], environ: Mapping[str, str], log: Path, folder: Path = Path("/")
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process and those that it starts."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environ, stdout=output, stderr=output, cwd=folder, start_new_session=True
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    # Its session is its own, so the group holds nobody else.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_answered(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    """Raises Failed when nobody answers, with what the process said."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            try:
                urlopen(url, timeout=5).close()
            except HTTPError as error:
                error.close()
                if error.code >= 500:
                    raise
            return
        time.sleep(0.01)
    raise Failed(f"nobody answers at {url}: {log.read_text()[-2000:]}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*command: str, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What a command prints. Raises Failed with what it complains of."""
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def as_postgres(*command: str) -> list[str]:
    """The command as a user that PostgreSQL and pgbouncer agree to run as: never root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


def give_to_postgres(folder: Path) -> None:
    """Let that user write there."""
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def memory(pids: Sequence[int]) -> float:
    """What the processes take together, in MB; what several share is counted once (PSS)."""
    return sum(_pss(pid) for pid in pids) / 1000


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
