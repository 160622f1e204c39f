"""Names are hostile text."""

import pytest

from guestlist import errors
from guestlist.names import MAX_NAME, clean_name


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.test",
        "win-prize.evil.test",
        "www.evil",
        "evil｡com",
        "evil․com",
        "evil.\u200dcom",
        "evil\ufe0f.com",
        "1.2.3.4/x",
        "mailto:x",
        "//evil/x",
        "me@evil",
        "ｅｖｉｌ．ｃｏｍ",
    ],
)
def test_what_a_mail_program_would_link_is_refused(name):
    with pytest.raises(errors.NameHasLink):
        clean_name(name)


@pytest.mark.parametrize("name", ["", "  ", "\u200d", "\u2800", "\u3164", "\x00\x1b", "\u202e"])
def test_a_name_that_cannot_be_seen_is_refused(name):
    with pytest.raises(errors.NameEmpty):
        clean_name(name)


@pytest.mark.parametrize(
    "name",
    ["Northwind", "Аcme", "O’Hara & Söhne GmbH", "J. R. Smith Jr.", "{{7*7}} %(x)s", "Zoë 🚀", "<b>Acme</b>"],
)
def test_ordinary_names_stay_as_they_are(name):
    assert clean_name(name) == name


def test_control_and_bidi_characters_go_and_length_is_capped():
    assert clean_name("A\u202eb\x00c\n d") == "Abc d"
    assert len(clean_name("🚀" * 300)) == MAX_NAME
