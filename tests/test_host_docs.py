"""How to install the app into a project is written down once: the tested project is the documented one."""

import re
from pathlib import Path

import pytest

from tests.hosts import PROJECT

DOCS = (Path(__file__).parents[1] / "docs" / "host-app.md").read_text()
FILES = [
    "addresses.py",
    "sign_up.py",
    "time_zones.py",
    "jinja2/guestlist/sign_up.html",
    "jinja2/guestlist/account_menu.html",
    "jinja2/guestlist/email/invitation.html",
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def added(name: str) -> str:
    """What follows the comment `# Guestlist` in a file of the project."""
    before, _, after = (PROJECT / "website" / name).read_text().partition("\n# Guestlist\n")
    assert not re.search(r"guestlist\.|ninja|htmx", before)
    return re.sub(r"  # noqa: .*", "", after)


def test_the_documented_lines_are_all_that_the_project_adds_and_at_most_ten():
    settings, urls = added("settings.py"), added("urls.py")
    assert settings in blocks("python")
    assert urls in blocks("python")
    assert len([line for line in (settings + urls).splitlines() if line]) <= 10


@pytest.mark.parametrize("path", FILES)
def test_documented_files_are_those_of_the_project(path):
    language = {".py": "python", ".html": "html"}[Path(path).suffix]
    assert (PROJECT / "people" / path).read_text() in blocks(language)


def test_the_documented_settings_for_signing_up_are_those_of_the_project():
    settings = (PROJECT / "website" / "settings_sign_up.py").read_text()
    assert "GUESTLIST = " + settings.partition("\nGUESTLIST = ")[2] in blocks("python")


def test_the_documented_permission_is_that_of_the_project():
    assert (PROJECT / "club" / "invoices.py").read_text() in blocks("python")
    settings = re.sub(r"  # noqa: .*", "", (PROJECT / "website" / "settings_club.py").read_text())
    assert "from django.utils.translation" + settings.partition("from django.utils.translation")[2] in blocks(
        "python"
    )
