"""What the documentation names exists."""

import re
from pathlib import Path
from typing import get_args

import pytest

from guestlist import conf, events
from guestlist.api import errors as api_errors
from guestlist.api.resources.invitations import Result
from guestlist.errors import GuestlistError
from guestlist_server import environment

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HELP = ROOT / "src" / "guestlist" / "help"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(HELP.glob("*.md"))]


def _read(name: str) -> str:
    return (DOCS / name).read_text()


def _variables() -> set[str]:
    """The names that the environment is asked for."""
    source = Path(environment.__file__).read_text()
    asked = re.findall(r'(?:get\(|variables\.get\()"([A-Z_]+)"', source)
    return set(asked) - {"GUESTLIST_BIND", "GUESTLIST_DEFAULT_URL"}


def _codes(kind: type[GuestlistError] = GuestlistError) -> set[str]:
    return {kind.code}.union(*(_codes(child) for child in kind.__subclasses__()))


def test_every_environment_variable_is_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", _read("configure.md"), re.MULTILINE))
    assert documented == _variables()


def test_every_key_of_the_app_is_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", _read("host-app.md"), re.MULTILINE))
    assert documented == set(conf.DEFAULTS)


def test_documented_error_codes_exist() -> None:
    assert api_errors.InvalidJson.code in _codes()
    table = _read("api.md").partition("## Errors")[2].partition("| Status | `code` |")[2]
    documented = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", table))
    assert documented
    assert documented <= _codes()


def test_every_type_of_event_is_documented() -> None:
    table = _read("api.md").partition("## Audit log")[2].partition("## Errors")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", table)) == events.TYPES


def test_every_outcome_of_an_address_is_documented() -> None:
    table = _read("api.md").partition("| `outcome` | Means |")[2].partition("\n\n")[0]
    outcomes = set(get_args(Result.model_fields["outcome"].annotation)) - {"would_send"}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == outcomes


def test_the_help_is_written_in_one_place() -> None:
    included = re.search(r"{include} (\S+)", _read("use.md"))
    assert included
    assert (DOCS / included[1]).read_text().startswith("## Getting there")
    assert "?" not in _read("use.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pictures_exist(page: Path) -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text())
    assert [picture for picture in pictures if not (page.parent / picture).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("command", ["setup", "serve", "test", "check", "messages", "bench"])
def test_documented_commands_can_be_run(command: str) -> None:
    path = ROOT / "bin" / command
    assert path.stat().st_mode & 0o111
    assert f"bin/{command}" in (ROOT / "CONTRIBUTING.md").read_text()


def test_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 50
