"""The catalogues of translated texts: found in the source, merged into .po, compiled into .mo.

`bin/messages` runs it. Nothing here depends on the day, the machine or the order of files.
"""

import ast
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from guestlist.permissions import CREATE_ORGANIZATION, Permission, english_label

SOURCE = Path(__file__).parents[1] / "src"
PACKAGES = ("guestlist", "guestlist_server")
# Plural forms as Django's own catalogues of the language have them.
LANGUAGES = {
    "de": "nplurals=2; plural=(n != 1);",
    "ar": (
        "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 :"
        " n%100>=11 && n%100<=99 ? 4 : 5;"
    ),
}
_ONE, _MANY, _CONTEXT, _CONTEXT_MANY = None, (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS = {
    "_": _ONE,
    "N_": _ONE,
    "gettext": _ONE,
    "gettext_lazy": _ONE,
    "gettext_noop": _ONE,
    "ngettext": _MANY,
    "ngettext_lazy": _MANY,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _CONTEXT_MANY,
    "npgettext_lazy": _CONTEXT_MANY,
}
COMMENT = (
    "# bin/messages brings the texts in and takes them out; only the lines with msgstr are written by hand."
)
# As guestlist.templating.environment sets them: they decide which blanks a {% trans %} block keeps.
JINJA_OPTIONS = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}

# Texts of Django that its own Arabic lacks, or says for the wrong number. The server shows them.
BORROWED: tuple[tuple[str, str], ...] = (
    (
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    (
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
    ),
)

Text: TypeAlias = str | tuple[str, ...]
Key: TypeAlias = tuple[str | None, Text]  # context, msgid


@dataclass(frozen=True, slots=True)
class Found:
    """One text and where it stands."""

    path: str
    text: Text
    context: str | None


class Header(Catalog):
    """A catalogue whose header says only what programs need: no dates, names or versions."""

    def _get_mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", LANGUAGES[str(self.locale_identifier)]),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]

    mime_headers = property(_get_mime_headers, Catalog._set_mime_headers)


def po_path(package: str, language: str) -> Path:
    """Where the catalogue of a package is."""
    return SOURCE / package / "locale" / language / "LC_MESSAGES" / "django.po"


def files_of(package: str) -> Iterator[Path]:
    """The sources that hold texts, in a fixed order."""
    root = SOURCE / package
    templates = (path for path in root.glob("jinja2/**/*") if path.suffix in (".html", ".txt"))
    python = (path for path in root.glob("**/*.py") if "migrations" not in path.parts)
    yield from sorted([*templates, *python])


def texts_of(path: Path) -> Iterator[Found]:
    """Every text of one file that gettext looks up."""
    name = path.relative_to(SOURCE).as_posix()
    if path.suffix == ".py":
        for call in calls(path):
            if all(isinstance(argument, str) for argument in call.arguments):
                yield Found(name, call.text, call.context)
        if name == "guestlist/errors.py":
            yield from _sentences_of_errors(path, name)
        if name == "guestlist/permissions.py":
            for code in (*Permission, CREATE_ORGANIZATION):
                yield Found(name, english_label(code), None)
        return
    with path.open("rb") as file:
        method: Any = babel_extract
        for _line, text, _comments, context in extract(method, file, KEYWORDS, (), dict(JINJA_OPTIONS)):
            yield Found(name, text, context)


def calls(path: Path) -> Iterator["Call"]:
    """The calls of gettext in a Python file. Read from the syntax tree: Babel takes any quoted text inside
    the brackets for a message.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in KEYWORDS:
                yield Call(name, node)


def _sentences_of_errors(path: Path, name: str) -> Iterator[Found]:
    """The docstring of an error is what people read: `errors.GuestlistError.__str__` looks it up."""
    for node in ast.parse(path.read_text()).body:
        sentence = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
        if sentence:
            yield Found(name, " ".join(sentence.split()), None)


class Call:
    """One call of gettext: its context, and its text or singular and plural."""

    def __init__(self, name: str, node: ast.Call) -> None:
        places = [place if isinstance(place, tuple) else (place, "") for place in KEYWORDS[name] or (1,)]
        given = [(kind, node.args[place - 1]) for place, kind in places if place <= len(node.args)]
        values = [(kind, arg.value if isinstance(arg, ast.Constant) else None) for kind, arg in given]
        self.line = node.lineno
        self.arguments = [value for _kind, value in values]
        self.context = next((value for kind, value in values if kind == "c"), None)
        texts = tuple(value for kind, value in values if kind != "c")
        self.text: Any = texts if len(texts) > 1 else texts[0]


def template(package: str) -> Catalog:
    """All texts of a package, without those that the app, which is always there, translates already."""
    known = set(keys(template("guestlist"))) if package != "guestlist" else set()
    catalog = Catalog(charset="utf-8")
    for path in files_of(package):
        for found in texts_of(path):
            if (found.context, _single(found.text)) not in known:
                catalog.add(found.text, context=found.context, locations=[(found.path, 0)])
    for borrowed in BORROWED if package == "guestlist_server" else ():
        catalog.add(borrowed, locations=[("django", 0)])
    return catalog


def _single(text: Text) -> str:
    return text if isinstance(text, str) else text[0]


def keys(catalog: Iterable[Message]) -> list[tuple[str | None, str]]:
    """Context and (singular) msgid of each message, as gettext tells them apart."""
    return [(message.context, _single(message.id)) for message in catalog if message.id]


def merged(found: Catalog, language: str, *known: Catalog) -> Header:
    """The texts that were found with the translations that are known; a text that changed starts empty."""
    catalog = Header(locale=language, charset="utf-8", header_comment=COMMENT, fuzzy=False)
    for message in found:
        if not message.id:
            continue
        before = [m for old in known if (m := old.get(message.id, message.context)) and not m.fuzzy]
        kept = next((m.string for m in before if m.id == message.id and any(m.string)), None)
        blank = ("",) * catalog.num_plurals if message.pluralizable else ""
        catalog.add(
            message.id,
            kept or blank,
            context=message.context,
            locations=sorted(set(message.locations)),
            flags=sorted(message.flags),
        )
    return catalog


def read(path: Path, language: str) -> Catalog:
    """The catalogue in a .po file; an empty one if there is none."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def as_po(catalog: Catalog) -> bytes:
    """The text of the .po file: sorted, each place by its file only, so that moved lines change nothing."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, sort_output=True, include_lineno=False, width=110)
    return buffer.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """What Django loads."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def is_translated(message: Message) -> bool:
    """Whether the text, and each of its plural forms, has a translation."""
    return all(message.string if message.pluralizable else [message.string])


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that lack a translation or one of its plural forms."""
    return [_single(message.id) for message in catalog if message.id and not is_translated(message)]


def up_to_date(package: str, language: str) -> tuple[Header, dict[Path, bytes]]:
    """The catalogue as the source wants it, and those of its files that have to change."""
    path = po_path(package, language)
    # A text that moves to the other package takes its translation along.
    known = [read(po_path(one, language), language) for one in (package, *PACKAGES)]
    catalog = merged(template(package), language, *known)
    files = {path: as_po(catalog), path.with_suffix(".mo"): as_mo(catalog)}
    return catalog, {p: new for p, new in files.items() if not p.exists() or p.read_bytes() != new}


def main(arguments: list[str]) -> int:
    """Write all catalogues, or with --check only compare; 1 when something is left to do."""
    left = 0
    pairs = [(package, language) for package in PACKAGES for language in LANGUAGES]
    # All are made before one is written: a text that moves is still in its old catalogue then.
    for pair, (catalog, stale) in [(pair, up_to_date(*pair)) for pair in pairs]:
        missing, path = untranslated(catalog), po_path(*pair)
        print(f"{path.relative_to(SOURCE)}: {len(keys(catalog))} texts, {len(missing)} to translate")
        print("".join(f"    {text!r}\n" for text in missing), end="")
        if "--check" in arguments:
            print("".join(f"    {file.name} is out of date: run bin/messages\n" for file in stale), end="")
            left += len(stale)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            for file, content in stale.items():
                file.write_bytes(content)
        left += len(missing)
    return min(left, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
