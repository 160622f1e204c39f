"""On which machine, with which versions."""

import json
import os
import platform
import random
import sqlite3
import time
from array import array
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.install import BETTER_AUTH, DJANGO_PYTHON, tool
from bench.load import calibrate
from bench.processes import run


def describe() -> dict[str, str]:
    """By name; `at` is the time by which rows refer to it."""
    cpu = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": unknown"
    )
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "machine": f"{os.cpu_count()} CPUs ({cpu.partition(': ')[2]}), {total:.0f} GB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "Python of Guestlist": f"{platform.python_version()} ({platform.python_compiler()})",
        "calibration loop": f"{calibrate()} ms",
        # Much further apart, and what the caches of the processor do not hold is slow: programs of many
        # parts suffer from that most, and a loop does not show it.
        "a read at random from 64 KB, from 8 MB": f"{_read_ns(1 << 16)} ns, {_read_ns(1 << 23)} ns",
        "Guestlist": version("guestlist"),
        "Django": version("django"),
        "granian": version("granian"),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": run(str(tool("postgres")), "--version").split()[-1].strip("()"),
        "Node": run("node", "--version").strip(),
        **{name: _npm(name) for name in ("better-auth", "better-sqlite3", "pg")},
        **{name: _pip(name) for name in ("django-invitations", "django-organizations", "gunicorn")},
        "wrk": run("sh", "-c", "wrk --version || true").split("[")[0].strip(),
    }


def _read_ns(size: int) -> int:
    """Nanoseconds of a step of a Python loop that reads a byte anywhere in so many."""
    content, places = bytearray(size), array("I", random.Random(1).choices(range(size), k=200_000))
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for place in places:
            content[place]
        best = min(best, time.process_time() - started)
    return round(best / len(places) * 1e9)


def _npm(name: str) -> str:
    return str(json.loads((BETTER_AUTH / "node_modules" / name / "package.json").read_text())["version"])


def _pip(name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return run(str(DJANGO_PYTHON), "-c", code).strip()
