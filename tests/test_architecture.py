"""What import-linter cannot say about how the code is laid out."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import guestlist.actions
from guestlist import errors

SOURCE = Path(guestlist.actions.__file__).parents[2]
APP = SOURCE / "guestlist"
RULES = [*APP.glob("actions/*.py"), *APP.glob("models/*.py"), APP / "events.py"]
# What actions are made of: they run inside an action's transaction and take its locked organization.
PARTS = {"access", "revocation", "batches"}
FORBIDDEN_IN_RULES = ("django.http", "django.core.mail", "ninja", "httpx")


def _modules(names: Iterator[pkgutil.ModuleInfo]) -> Iterator[Any]:
    for info in names:
        yield importlib.import_module(f"guestlist.actions.{info.name}")


def _actions() -> Iterator[Callable[..., Any]]:
    for module in _modules(pkgutil.iter_modules(guestlist.actions.__path__)):
        if module.__name__.rpartition(".")[2] in PARTS:
            continue
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield function


def _is_action(function: Callable[..., Any]) -> bool:
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    return bool(kinds) and all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _starts_with(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _templates() -> list[Path]:
    return [path for path in SOURCE.glob("*/jinja2/**/*") if path.suffix in (".html", ".txt")]


def _pages() -> list[Path]:
    """Mail programs know no style sheet of ours, so messages are styled in line."""
    return [path for path in _templates() if path.suffix == ".html" and "email" not in path.parent.parts]


def _errors(
    kind: type[errors.GuestlistError] = errors.GuestlistError,
) -> Iterator[type[errors.GuestlistError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _errors(child)


def _found(pattern: str, paths: list[Path]) -> list[str]:
    """Every line of the files that matches, as path:line."""
    expression = re.compile(pattern, re.IGNORECASE)
    return [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()[:80]}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if expression.search(line)
    ]


def test_there_is_something_to_check() -> None:
    assert len(list(_actions())) > 15
    assert len(_pages()) > 20
    assert len(list(_errors())) > 20


@pytest.mark.parametrize("function", [f for f in _actions() if "actor" in inspect.signature(f).parameters])
def test_actor_comes_first(function: Callable[..., Any]) -> None:
    assert next(iter(inspect.signature(function).parameters)) == "actor"


@pytest.mark.parametrize(
    "function",
    [
        f
        for f in _actions()
        if {"actor", "organization"} <= set(inspect.signature(f).parameters)
        # These are called inside another action's transaction.
        and "part of" not in (f.__doc__ or "").lower()
    ],
)
def test_action_takes_keywords_only(function: Callable[..., Any]) -> None:
    assert _is_action(function), f"{function.__qualname__} takes positional arguments"


@pytest.mark.parametrize("function", list(_actions()))
def test_public_function_of_an_action_module_says_what_it_does(function: Callable[..., Any]) -> None:
    assert inspect.getdoc(function)


def test_actions_never_take_a_request() -> None:
    assert not [f.__qualname__ for f in _actions() if "request" in inspect.signature(f).parameters]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_rules_know_neither_requests_nor_the_network(path: Path) -> None:
    found = [n for n in _imports(path) if any(_starts_with(n, package) for package in FORBIDDEN_IN_RULES)]
    assert not found


def test_nothing_imports_model_signals() -> None:
    everything = [p for p in SOURCE.glob("*/**/*.py") if "migrations" not in p.parts]
    assert not [
        p for p in everything if any(_starts_with(n, "django.db.models.signals") for n in _imports(p))
    ]


def test_no_group_is_possessive() -> None:
    # Python before 3.11.5 matches it wrongly where it holds a choice, and what never moves on never ends.
    assert not _found(r"^[^#]*\)([*+?]|\{[\d,]+\})\+", sorted(SOURCE.glob("*/**/*.py")))


def test_what_starts_processes_on_the_database_of_the_run_says_so() -> None:
    tests = Path(__file__).parent.rglob("test_*.py")
    users = [path for path in tests if re.search(r"import .*\bstore_of_run\b", path.read_text())]
    assert users
    assert not [path.name for path in users if "pytest.mark.database" not in path.read_text()]


def test_every_error_is_a_sentence() -> None:
    assert not [kind.__name__ for kind in _errors() if not (kind.__doc__ or "").strip()]


def test_no_two_errors_have_the_same_code() -> None:
    # A subclass without a code of its own says the same thing with more words.
    codes = Counter(vars(kind)["code"] for kind in _errors() if "code" in vars(kind))
    assert not [code for code, count in codes.items() if count > 1]


def test_every_error_has_a_status_that_refuses() -> None:
    assert not [kind.__name__ for kind in _errors() if not 400 <= kind.status < 600]


def test_pages_have_no_inline_style() -> None:
    assert not _found(r"<style\b|\sstyle\s*=", _pages())


def test_pages_have_no_inline_script() -> None:
    assert not _found(r"<script\b(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", _pages())


def test_pages_have_no_handlers_in_attributes() -> None:
    assert not _found(r"\shx-on|\son[a-z]+\s*=\s*[\"']|javascript:", _pages())


def test_nothing_is_loaded_from_another_host() -> None:
    assets = [p for p in APP.glob("static/**/*") if p.suffix in (".css", ".js", ".svg")]
    lines = _found(r"(https?:)?//[a-z0-9-]+\.[a-z]", [*_templates(), *assets])
    # The name of a vocabulary is an address that nobody opens.
    assert not [line for line in lines if "www.w3.org/" not in line]
