"""The examples of the documentation do what it says: its commands are run against a server, and its answers
are held against what comes back, or against what REST describes.

In an answer `…` stands for any text or null, within a text for any piece of it, and as a name for any more
fields.
"""

import ast
import importlib
import json
import os
import pkgutil
import re
import socket
import subprocess
import sys
import time
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import TypeAdapter, ValidationError

from guestlist.api import resources
from tests.conftest import environ_of
from tests.delivery.conftest import free_port

ROOT = Path(__file__).parents[1]
PAGES = [
    str(path.relative_to(ROOT))
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/*.md", "src/guestlist/help/*.md")
    for path in sorted(ROOT.glob(pattern))
]
ANY = "…"
# Pages whose commands are run here, and those whose answers are.
SHELL = {"docs/guide.md", "docs/api.md", "docs/command-line.md"}
ANSWERS = {"docs/guide.md", "docs/api.md"}
IN_HOST_DOCS = "tests/test_host_docs.py holds it against the project that is tested"
IN_WEBHOOK_DOCS = "tests/delivery/test_webhook_docs.py runs it"
# (page, how the first line begins) → why it is not run here.
ELSEWHERE = {
    ("README.md", "bin/serve"): "goes on until it is stopped; what it starts is what is started here",
    ("README.md", "bin/test"): "runs this test",
    ("docs/install.md", "bin/serve"): "goes on until it is stopped",
    ("docs/operate.md", "#!/bin/sh"): "is Postfix's, in /usr/local/bin",
    ("docs/guide.md", "pip install standardwebhooks"): "is installed, and tests download nothing",
    ("docs/webhooks.md", "# verify_with_library.py"): IN_WEBHOOK_DOCS,
    ("docs/webhooks.md", "# verify.py"): IN_WEBHOOK_DOCS,
    (
        "docs/webhooks.md",
        "SECRET=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ): IN_WEBHOOK_DOCS,
    ("docs/host-app.md", "pip install guestlist"): "tests/test_wheel.py installs the wheel",
    (
        "docs/host-app.md",
        'python manage.py guestlist organizations create "Northwind" --slug nor',
    ): "needs a project; tests/test_host_project.py runs the commands in one",
    ("docs/host-app.md", "python manage.py guestlist worker"): "goes on until it is stopped",
    (
        "docs/host-app.md",
        "python manage.py guestlist api-keys create northwind --name CI --permi",
    ): "needs a project; the same command is run for docs/api.md",
    ("docs/host-app.md", 'INSTALLED_APPS += ["guestlist", "ninja", "django_htmx"]'): IN_HOST_DOCS,
    ("docs/host-app.md", "from django.urls import include"): IN_HOST_DOCS,
    ("docs/host-app.md", '"""Which addresses people have proved to own."""'): IN_HOST_DOCS,
    ("docs/host-app.md", "GUESTLIST = {"): IN_HOST_DOCS,
    ("docs/host-app.md", '"""The sign-up part of the accept page."""'): IN_HOST_DOCS,
    ("docs/host-app.md", "from django.utils.translation import gettext_lazy as _"): IN_HOST_DOCS,
    ("docs/host-app.md", '"""What only those may do whose role allows it."""'): IN_HOST_DOCS,
    (
        "docs/host-app.md",
        '"""Middleware that shows times in the viewer\'s time zone, which Guestl',
    ): IN_HOST_DOCS,
    (
        "docs/host-app.md",
        "from guestlist.actions.members import update_profile",
    ): "needs a project; tests/actions/test_members.py calls it",
    (
        "docs/api.md",
        '{"type": "about:blank", "title": "This invitation is no longer pending',
    ): "is no answer but a refusal, which tests/api/test_problems.py holds against what REST describes",
}
# Texts of docs/api.md → what stands there when it is run: one name leads nowhere, the other is not of here,
# and the page says that invitations are shortened.
INSTEAD = {
    "https://hooks.example.com/": "http://127.0.0.1:9000/",
    "https://guestlist.example.com/": "http://127.0.0.1:8000/",
    '{"id": "…", "status": "pending"}': '{"id": "…", "status": "pending", "…": "…"}',
}
# Texts in commands of docs/api.md → why the answer that follows on the page is not what they print.
NOT_ANSWERED = {
    "invitations/$ID/revoke": "the next answer is of another section, a delivery that waits",
    '"with_role": "none"': "its numbers are those of a large organization",
    "join-requests?status": "one of the list is shown",
    "events?type": "one of the list is shown",
}
PEOPLE = """
import django
django.setup()
from guestlist.models import Organization
from tests.conftest import join, make_user
from guestlist.actions.organizations import create_organization
from guestlist.actors import Actor
maya = make_user("maya@example.com", "Maya Torres")
northwind = create_organization(actor=Actor.operator(), name="Northwind", slug="northwind", owner=maya)
print(join(northwind, make_user("jo@example.com", "Jo"), "Member").pk)
"""


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def first(self) -> str:
        """How its first line begins, by which it is named."""
        return self.text.partition("\n")[0][:70]

    @property
    def is_elsewhere(self) -> bool:
        return (self.page, self.first) in ELSEWHERE

    def with_(self, instead: dict[str, str]) -> "Block":
        """The block with other texts."""
        text = self.text
        for said, meant in instead.items():
            text = text.replace(said, meant)
        return self._replace(text=text)


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, without the indentation of the list that they stand in."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [
        Block(page, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, text in found
    ]


def differs(said: Any, got: Any, at: str = "answer") -> str | None:
    """Where the answer is not what the page says; None where it is."""
    if isinstance(said, str) and ANY in said:
        same = said == ANY if got is None else isinstance(got, str) and _matches(got, said)
        return None if same else f"{at}: {got!r} is not {said!r}"
    if type(said) is not type(got):
        return f"{at}: {got!r} is not {said!r}"
    if isinstance(said, list):
        if len(said) != len(got):
            return f"{at}: {len(got)} and not {len(said)}"
        pairs = [(f"{at}[{index}]", *pair) for index, pair in enumerate(zip(said, got, strict=True))]
    elif isinstance(said, dict):
        names = set(said) - {ANY}
        if not (names <= set(got) if ANY in said else names == set(got)):
            return f"{at}: {sorted(got)} and not {sorted(said)}"
        pairs = [(f"{at}.{name}", said[name], got[name]) for name in names]
    else:
        return None if said == got else f"{at}: {got!r} is not {said!r}"
    return next((found for name, a, b in pairs if (found := differs(a, b, name))), None)


def _matches(got: str, said: str) -> bool:
    return bool(re.fullmatch(".*".join(map(re.escape, said.split(ANY))), got, re.DOTALL))


def fits(kind: Any, said: Any, *, whole: bool = False) -> bool:
    """Whether a page's value is one of what REST describes. What is inside another may be shortened."""
    if said == ANY:
        return True
    parts = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(fits(part, said) for part in parts)
    if isinstance(kind, type) and issubclass(kind, resources.Resource):
        fields = kind.model_fields
        required = {name for name, field in fields.items() if field.is_required()}
        if (
            not isinstance(said, dict)
            or not set(said) <= set(fields)
            or (whole and not required <= set(said))
        ):
            return False
        return all(fits(fields[name].annotation, value) for name, value in said.items())
    if typing.get_origin(kind) is list:
        return isinstance(said, list) and all(fits(parts[0], each) for each in said)
    try:
        TypeAdapter(kind).validate_python(said, strict=True)
    except ValidationError:
        return False
    return True


def described() -> dict[str, type[resources.Resource]]:
    """Whatever REST answers with, by name."""
    modules = [importlib.import_module(f"{resources.__name__}.{each.name}") for each in _modules()]
    return {
        f"{module.__name__}.{name}": kind
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, resources.Resource)
    }


def _modules() -> Iterator[pkgutil.ModuleInfo]:
    return pkgutil.iter_modules(resources.__path__)


class Desk:
    """A folder, a server that runs there, and a shell in which a page is typed."""

    def __init__(self, folder: Path) -> None:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.folder = folder
        self.port, self.receiver = free_port(), free_port()
        self.environ = environ_of(folder / "data") | {"CURL_HOME": str(folder), "PATH": programs}
        (folder / ".curlrc").write_text("fail-with-body\n")

    def type(self, page: list[Block], before: dict[str, str] | None = None) -> list[str]:
        """Run the commands in one shell; what each printed. `before` is a command for blocks with a text."""
        printed = [self.folder / f"printed.{number}" for number in range(len(page))]
        lines = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
        for path, block in zip(printed, page, strict=True):
            lines += [line for text, line in (before or {}).items() if text in block.text]
            lines.append(f"{{\n{self.here(block.text)}}} > {path}")
        ran = subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        done = [path.read_text() for path in printed if path.exists()]
        assert ran.returncode == 0, (page[len(done) - 1].text, done[-1], ran.stderr)
        return done

    def here(self, text: str) -> str:
        """The text with the ports of this desk."""
        text = re.sub(r'(127\.0\.0\.1(?::|", ))8000', rf"\g<1>{self.port}", text)
        return re.sub(r'(127\.0\.0\.1(?::|", ))9000', rf"\g<1>{self.receiver}", text)

    def run(self, *command: str, **variables: str) -> str:
        """Run a program to its end, in the folder of the sources; what it printed."""
        environ = self.environ | variables
        ran = subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        return ran.stdout.strip()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The server with its worker, while this lasts."""
        with (self.folder / "server.log").open("w") as log:
            command = ["guestlist", "serve", "--port", str(self.port)]
            server = subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=log, stderr=log)
            try:
                _wait_for(self.port, server)
                yield
            finally:
                server.terminate()
                server.wait(timeout=30)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError("The server did not start.")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_guide_leads_from_curl_to_a_verified_webhook(desk):
    page = [block for block in blocks("docs/guide.md") if not block.is_elsewhere]
    for block in page:
        if block.language == "python":
            (desk.folder / block.first.removeprefix("# ")).write_text(desk.here(block.text))
    typed = [block for block in page if block.language == "sh"]
    with desk.serving():
        printed = dict(zip(typed, desk.type(typed), strict=True))
    compared = 0
    for block, after in pairwise(page):
        if block.language == "sh" and after.language == "json":
            assert not differs(json.loads(desk.here(after.text)), json.loads(printed[block])), block.text
            compared += 1
        elif block.language == "sh" and not after.language:
            assert printed[block] == after.text
    assert compared == len([block for block in page if block.language == "json"])
    assert (desk.folder / "received.txt").read_text() == "Verified: webhook.test\n" * 2


def test_the_commands_of_the_rest_page_are_answered_as_it_says(desk, up_to_date):
    up_to_date(desk.folder / "data")
    settings = {"DJANGO_SETTINGS_MODULE": "guestlist_server.settings"}
    member = desk.run(sys.executable, "-c", PEOPLE, **settings)
    options = [f"--permission={name}" for name in _permissions()]
    made = desk.run("guestlist", "api-keys", "create", "northwind", "--name=All", *options, "--json")
    sent = desk.run("guestlist", "invitations", "send", "northwind", "bob@example.com", "--json")
    before = {
        "invitations/$ID/": f"ID={json.loads(sent)['results'][0]['invitation']['id']}",
        "members/$ID": f"ID={member}",
        '"jane@"]': "guestlist invitations revoke northwind jane@example.com > revoked.txt",
    }
    instead = INSTEAD | {"KEY=glk_…": f"KEY={json.loads(made)['key']}"}
    page = [block.with_(instead) for block in blocks("docs/api.md")]
    typed = [block for block in page if block.language == "sh"]
    with desk.serving():
        printed = desk.type(typed, before)
    answers = dict(zip(typed, printed, strict=True))
    pairs = [pair for pair in pairwise(page) if [each.language for each in pair] == ["sh", "json"]]
    compared = [(call, said) for call, said in pairs if not any(text in call.text for text in NOT_ANSWERED)]
    assert len(pairs) - len(compared) == len(NOT_ANSWERED)
    for call, said in compared:
        assert not differs(json.loads(desk.here(said.text)), json.loads(answers[call])), call.text


def test_the_commands_of_the_command_line_page_are_accepted(desk, up_to_date):
    up_to_date(desk.folder / "data")
    (desk.folder / "people.csv").write_text("email,name\njane@example.com,Jane\n")
    typed = [block for block in blocks("docs/command-line.md") if block.language == "sh"]
    [printed] = desk.type(typed)
    assert "Northwind" in printed
    assert json.loads(printed[printed.index("\n{") :])["total"] == 0


@pytest.mark.parametrize(
    "block",
    [block for block in blocks("docs/api.md") if block.language == "json" and not block.is_elsewhere],
    ids=lambda block: block.first[:40],
)
def test_an_answer_on_the_rest_page_is_one_that_rest_describes(block):
    said = json.loads(block.text)
    assert any(fits(kind, said, whole=True) for kind in described().values()), block.text


def test_every_example_is_run_or_listed():
    found = [block for page in PAGES for block in blocks(page)]
    examples = [block for block in found if block.language in ("sh", "json", "python")]
    run = [
        block
        for block in examples
        if (block.language == "sh" and block.page in SHELL)
        or (block.language == "json" and block.page in ANSWERS)
        or (block.language == "python" and block.page == "docs/guide.md")
    ]
    assert {(block.page, block.first) for block in examples if block not in run} <= set(ELSEWHERE)
    assert set(ELSEWHERE) <= {(block.page, block.first) for block in examples}


def test_every_python_example_is_python():
    python = [block for page in PAGES for block in blocks(page)]
    for block in python:
        if block.language == "python":
            ast.parse(block.text)


@pytest.mark.parametrize(
    ("said", "got"),
    [
        ({"sent": 1}, {"sent": 2}),
        ({"sent": 1}, {"sent": True}),
        ({"sent": 1}, {"sent": 1, "skipped": 0}),
        ({"sent": 1, "skipped": 0}, {"sent": 1}),
        ({"email": "a@b.example", "…": "…"}, {"id": "1"}),
        ([{"outcome": "sent"}], [{"outcome": "invalid"}]),
        (["…"], []),
        ({"id": "…"}, {"id": 7}),
        ({"secret": "whsec_…"}, {"secret": "glk_1"}),
    ],
)
def test_an_answer_that_differs_is_found(said, got):
    assert differs(said, got)


def test_an_answer_that_differs_where_it_may_is_not_found():
    said = {"id": "…", "secret": "whsec_…", "items": ["…", {"sent": 1, "…": "…"}]}
    got = {"id": "7", "secret": "whsec_x", "items": [None, {"sent": 1, "skipped": 0}]}
    assert differs(said, got) is None


def test_a_described_answer_that_is_wrong_is_found():
    kind = described()["guestlist.api.resources.domains.Domain"]
    said = {
        "id": "…",
        "domain": "a.example",
        "mode": "join",
        "email": "…",
        "verified_at": None,
        "created_at": "…",
    }
    assert fits(kind, said, whole=True)
    for wrong in ({"mode": "all"}, {"domain": 7}, {"more": 1}):
        assert not fits(kind, said | wrong, whole=True)
    assert not fits(kind, {"id": "…"}, whole=True)


def _permissions() -> list[str]:
    from guestlist.permissions import Permission

    return [permission.value for permission in Permission]
