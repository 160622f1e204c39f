"""Nothing that people read goes past gettext: what no catalogue can reach is found in the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
from django.template import engines
from jinja2 import nodes

from tests import catalogues
from tests.catalogues import SOURCE

TEMPLATES = [path for path in sorted(SOURCE.glob("*/jinja2/**/*")) if path.suffix in (".html", ".txt")]
PYTHON = [path for path in sorted(SOURCE.glob("**/*.py")) if "migrations" not in path.parts]
GETTEXT = set(catalogues.KEYWORDS)
_WORD = re.compile(r"[^\W\d_]{2,}")


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(SOURCE)}:{line}"


def _environment() -> jinja2.Environment:
    environment: jinja2.Environment = engines["guestlist"].env  # type: ignore[attr-defined]
    return environment


def _tree(path: Path) -> nodes.Template:
    return _environment().parse(path.read_text(), filename=str(path))


def _gettext_calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in GETTEXT:
            yield call


def _markup(path: Path) -> str:
    """A template's own characters, with a sign in the place of each expression."""
    parts = []
    # Blocks of this name fill in attributes of a tag that stands in another file.
    source = re.sub(r"{% block \w+_class %}.*?{% endblock %}", "", path.read_text())
    for _line, kind, value in _environment().lex(source, str(path)):
        if kind == "data":
            parts.append(value)
        elif kind == "variable_begin":
            parts.append("\N{REPLACEMENT CHARACTER}")
    return "".join(parts)


# Pages
_HIDDEN = re.compile(r"<!--.*?-->|<!doctype html>|<(style|script)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"""<(?:"[^"]*"|'[^']*'|[^"'>])*>""")
_READABLE = re.compile(r"""\b(?:aria-label|aria-description|title|alt|placeholder|label)=["']([^"']*)["']""")
# The name of the product, and addresses that show what one looks like.
_NOT_TEXT = re.compile(r"Guestlist|amara@example\.com, liam@example\.com|\bacme\.com\b")


def test_no_text_stands_in_a_template_itself() -> None:
    found = []
    for path in TEMPLATES:
        markup = _NOT_TEXT.sub("", _HIDDEN.sub("", _markup(path)))
        pieces = [*_READABLE.findall(markup), *_TAG.sub("\n", markup).split("\n")]
        found += [f"{path.relative_to(SOURCE)}: {piece.strip()}" for piece in pieces if _WORD.search(piece)]
    assert found == []


# Sentences and labels start with a capital; names of classes, icons and addresses do not.
_SENTENCE = re.compile(r"[A-Z][^\W\d_]+|[^\W\d_]+ [^\W\d_]+.*[.?!:]$")
_CODES = re.compile(r"Arial|sans-serif")


def test_no_text_is_quoted_in_a_template_without_gettext() -> None:
    found = []
    for path in TEMPLATES:
        tree = _tree(path)
        inside = {id(text) for call in _gettext_calls(tree) for text in call.find_all(nodes.Const)}
        for text in tree.find_all(nodes.Const):
            if isinstance(text.value, str) and id(text) not in inside and _SENTENCE.match(text.value):
                found += [f"{_place(path, text.lineno)}: {text.value}"] * (not _CODES.search(text.value))
    assert found == []


def test_gettext_in_a_template_gets_quoted_text() -> None:
    calls = [(path, call) for path in TEMPLATES for call in _gettext_calls(_tree(path))]
    assert len(calls) > 200
    assert [_place(p, call.lineno) for p, call in calls if not isinstance(call.args[0], nodes.Const)] == []


def test_a_percent_sign_in_a_template_is_doubled() -> None:
    """Jinja2 fills in every message, also one without values: a lone `%` would break it or garble it."""
    found = []
    for path in TEMPLATES:
        for text in catalogues.texts_of(path):
            forms = [text.text] if isinstance(text.text, str) else text.text
            found += [form for form in forms if "%" in re.sub(r"%\(\w+\)s|%%", "", form)]
    assert found == []


# Python: what becomes text on a page
SHOWN = {"text", "title", "body", "button", "label", "detail", "note", "reason", "tabs_label", "help_text"}
SAYS = {"success", "info", "warning", "error", "add_error", "ValidationError"}
# Texts that are marked in a table and looked up by a key, docstrings of errors, labels of permissions.
_TABLE = re.compile(r"[A-Z][A-Z_]+(\[|\.get\()|type\(self\)\.__doc__|english_label\(")


def _own_text(node: ast.AST) -> str | None:
    """The quoted text of a node, formatted or not, if it reads as one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        node = node.left
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = " ".join(
        part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return text if re.match(r"\W*[A-Z][a-z]", text) or " " in text.strip() else None


def _shown(node: ast.AST) -> Iterator[ast.expr]:
    """What a node gives to a page: the values of a context, the arguments of what says something."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in SHOWN:
                yield value
    elif isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg in SHOWN)
        called = ast.unparse(node.func)
        if called.rpartition(".")[2] in SAYS and "log" not in called.lower():
            yield from node.args


def test_no_text_goes_from_python_to_a_page_without_gettext() -> None:
    pages = [path for path in PYTHON if "guestlist_server" in path.parts or path.parent.name == "web"]
    assert len(pages) > 20
    found = [
        f"{_place(path, value.lineno)}: {text}"
        for path in pages
        for node in ast.walk(ast.parse(path.read_text()))
        for value in _shown(node)
        if (text := _own_text(value))
    ]
    assert found == []


def test_gettext_in_python_gets_quoted_text_or_a_table_of_it() -> None:
    found = []
    for path in PYTHON:
        lines = path.read_text().splitlines()
        for call in catalogues.calls(path):
            line = lines[call.line - 1]
            if not all(isinstance(argument, str) for argument in call.arguments) and not _TABLE.search(line):
                found.append(f"{_place(path, call.line)}: {line.strip()}")
    assert found == []
