"""The catalogues are complete, and nothing that people read goes past them."""

import re
import string
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from django.conf import settings

from tests import catalogues
from tests.catalogues import LANGUAGES, PACKAGES

CATALOGUES = [(package, language) for package in PACKAGES for language in LANGUAGES]
_PERCENT = re.compile(r"%(?:\((\w+)\))?(\.0)?([sd%])")
_TAG = re.compile(r"</?\w[^>]*>")


def _read(package: str, language: str) -> Catalog:
    return catalogues.read(catalogues.po_path(package, language), language)


def _pairs(package: str, language: str) -> Iterator[tuple[str, str, Message]]:
    """Original, translation and message; of a plural every form, the first beside the singular."""
    for message in _read(package, language):
        if not message.id:
            continue
        ids, forms = (
            (message.id, message.string) if message.pluralizable else ([message.id], [message.string])
        )
        for index, form in enumerate(forms):
            if form:  # that there is one is said elsewhere
                yield ids[min(index, len(ids) - 1)], form, message


def _names(text: str, *, braces: bool) -> set[str]:
    """The placeholders of a text."""
    found = {match[1] or ("d" if match[2] else match[3]) for match in _PERCENT.finditer(text)} - {"%"}
    if braces:
        found |= {name for _text, name, _spec, _as in string.Formatter().parse(text) if name}
    return found


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_exactly_the_texts_of_the_source(package, language):
    found, kept = catalogues.template(package), _read(package, language)
    texts = {(m.context, m.id) for m in found if m.id}
    assert texts - {(m.context, m.id) for m in kept if m.id} == set(), "run bin/messages"
    assert {(m.context, m.id) for m in kept if m.id} - texts == set(), "run bin/messages"
    assert not kept.obsolete


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_every_text_is_translated_in_all_plural_forms(package, language):
    catalog = _read(package, language)
    assert catalogues.untranslated(catalog) == []
    assert [m.id for m in catalog if m.id and m.fuzzy] == []
    forms = {len(m.string) for m in catalog if m.id and m.pluralizable}
    assert forms <= {catalog.num_plurals}


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_the_compiled_catalogue_is_that_of_the_text_file(package, language):
    path = catalogues.po_path(package, language)
    same = catalogues.merged(_read(package, language), language, _read(package, language))
    assert path.with_suffix(".mo").read_bytes() == catalogues.as_mo(same)
    assert path.read_bytes() == catalogues.as_po(same), "run bin/messages"


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_placeholders_are_those_of_the_original(package, language):
    wrong = []
    for original, text, message in _pairs(package, language):
        braces = any(path.endswith("errors.py") for path, _line in message.locations)
        wanted, given = _names(original, braces=braces), _names(text, braces=braces)
        if message.pluralizable:  # a form may say the number in a word
            wanted = set().union(*(_names(one, braces=braces) for one in message.id))
            given |= wanted & {"num", "total", "count", "number", "min_length"}
        if wanted != given:
            wrong.append((original, text))
    assert not wrong


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_every_form_can_be_filled_in(package, language):
    """`"…" % 3` fails when a form has no place for the number: it writes %.0s, which prints nothing."""
    for original, text, _message in _pairs(package, language):
        numbers = [match[3] for match in _PERCENT.finditer(original) if not match[1] and match[3] in "sd"]
        if numbers:
            assert "%" not in text % tuple([7] * len(numbers))


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_blanks_and_tags_are_those_of_the_original(package, language):
    for original, text, _message in _pairs(package, language):
        assert text == text.strip()
        assert original == original.strip()
        assert sorted(_TAG.findall(text)) == sorted(_TAG.findall(original)), text


def test_both_packages_say_a_text_in_the_same_words():
    """A text of the app is translated there only, however often the server uses it."""
    app = {(m.context, m.id) for m in _read("guestlist", "de") if m.id}
    assert not app & {(m.context, m.id) for m in _read("guestlist_server", "de") if m.id}


def test_the_server_offers_exactly_the_languages_that_are_complete():
    assert [code for code, _name in settings.LANGUAGES] == ["en", *LANGUAGES]
