"""A server in a folder of its own, run as people run it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environ_of


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a server with nothing configured but its folder."""
    return environ_of(tmp_path / "data")


@pytest.fixture
def tables(tmp_path: Path, up_to_date: Callable[[Path], None]) -> None:
    """The server's database is up to date already."""
    up_to_date(tmp_path / "data")


@pytest.fixture
def guestlist(environ: dict[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command to its end; variables of its environment by keyword."""

    def run(*arguments: str, text: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "guestlist_server", *arguments]
        return subprocess.run(
            command,
            env=environ | variables,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a command that goes on; whatever still runs is killed at the end."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "guestlist_server", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, env=environ | variables, **pipes))
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()
