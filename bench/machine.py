"""On which machine, with which versions."""

import json
import os
import platform
import sqlite3
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


def _npm(name: str) -> str:
    return str(json.loads((BETTER_AUTH / "node_modules" / name / "package.json").read_text())["version"])


def _pip(name: str) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return run(str(DJANGO_PYTHON), "-c", code).strip()
