"""What is installed holds everything that is not Python, too."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_file_of_both_packages(tmp_path):
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    source = ROOT / "src"
    expected = {
        str(path.relative_to(source))
        for package in ("guestlist", "guestlist_server")
        for path in (source / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= held
    for folder in ("jinja2/guestlist/", "static/guestlist/", "locale/de/LC_MESSAGES/", "migrations/"):
        assert any(name.startswith(f"guestlist/{folder}") for name in held)
