"""Files as spreadsheets, mail programs and people write them."""

import codecs
import time
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest

from guestlist import errors
from guestlist.address_files import MAX_FILE, Line, parse_lines, read_file, text_of
from guestlist.addresses import MAX_TEXT, InputTooLarge


def read(content):
    """Of each item of the file: its row, its text, and its reason or kind."""
    found = parse_lines(read_file(content if isinstance(content, bytes) else content.encode()))
    return [
        (row, item.token, item.reason or item.kind)
        for item, row in zip(found.parsed.items, found.rows, strict=True)
    ]


def test_a_file_that_is_too_large_is_refused():
    assert len(read_file(b"a@x.test" + b"\n" * (MAX_FILE - 8))) == 1
    with pytest.raises(errors.FileTooLarge):
        read_file(b"a" * (MAX_FILE + 1))


@pytest.mark.parametrize("content", [b"", b"\n\r\n \t\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_a_file_with_nothing_in_it_is_refused(content):
    with pytest.raises(errors.FileEmpty):
        read_file(content)


def _workbook():
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<c>jane@x.test</c>")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        _workbook(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1jane@x.test",
        b"%PDF-1.7\njane@x.test",
        b"{\\rtf1 jane@x.test}",
        b"\x89PNG\r\n\x1a\n",
        b"jane@x.test" + bytes(range(32)) * 40,
        "jane@x.test\n".encode("utf-32"),
    ],
    ids=["xlsx", "xls", "pdf", "rtf", "png", "program", "utf-32"],
)
def test_what_is_no_text_is_refused_with_what_to_do(content):
    with pytest.raises(errors.FileNotText, match="Save it as CSV first"):
        read_file(content)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", ["email", "E-MAIL", "Mail", "Email Address", "E-mail 1 - Value", "Address"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_column_that_the_header_names_is_read(mark, header, encoding, end):
    rows = [["Name", header, "Town"], ["Zoë", "zoe@x.test", "Köln"], ["Bob", "bob@", "Berne"]]
    text = end.join(mark.join(row) for row in rows) + end
    assert read(text.encode(encoding)) == [(2, "zoe@x.test", "address"), (3, "bob@", "missing_domain")]


def test_columns_of_other_peoples_addresses_are_passed_over():
    text = (
        "Name,Manager email,Email\nJane,boss@x.test,jane@x.test\nBob,boss@x.test,\n"
        "Sue,boss@x.test\n,boss@x.test\nDoe, Ann,boss@x.test,ann@x.test\n"
    )
    assert read(text) == [
        (2, "jane@x.test", "address"),
        (3, "Bob", "missing_at"),
        (4, "Sue", "missing_at"),
        (5, "–", "missing_at"),
        (6, "Doe, Ann", "missing_at"),
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_without_a_header_the_column_with_addresses_is_read(mark):
    rows = [["Jane", "jane@x.test", ""], ["Bob", "n/a", "12"], ["", "", ""], ["Sue", "sue@x.test", "x"]]
    assert read("\n".join(mark.join(row) for row in rows)) == [
        (1, "jane@x.test", "address"),
        (2, "n/a", "missing_at"),
        (4, "sue@x.test", "address"),
    ]


def test_a_header_in_words_that_are_not_known_is_no_mistake():
    assert read("Nom;Courriel\nJane;jane@x.test") == [(2, "jane@x.test", "address")]


def test_rows_are_counted_as_a_spreadsheet_does():
    text = 'Guests of the gala\n\n"Name","Email"\n"Doe\nJane","jane@x.test"\n\n,,\n"Bob","bob@"\n'
    assert read(text) == [(4, "jane@x.test", "address"), (7, "bob@", "missing_domain")]
    assert read("sep=;\nName;Email\nBob;bob@\n") == [(3, "bob@", "missing_domain")]


def test_a_cell_can_hold_several_addresses():
    text = 'Email,Name\n"a@x.test; b@x.test",Two\n"c@x.test\nd@",Two\n"Doe, Jane <jane@x.test>",One\n'
    assert read(text) == [
        (2, "a@x.test", "address"),
        (2, "b@x.test", "address"),
        (3, "c@x.test", "address"),
        (3, "d@", "missing_domain"),
        (4, "jane@x.test", "address"),
    ]


def test_no_row_with_an_address_is_lost_however_it_is_written():
    """A comma too many, a cell too few, a repeated header."""
    text = "Name,Email\nDoe, Jane,jane@x.test\nbob@x.test\nName,Email\nSue,sue@x.test"
    assert [token for _, token, kind in read(text) if kind == "address"] == [
        "jane@x.test",
        "bob@x.test",
        "sue@x.test",
    ]


def test_a_row_without_an_address_is_named():
    assert read("Name,Email\nJane Doe,\nBob,bob@x.test") == [
        (2, "Jane Doe", "missing_at"),
        (3, "bob@x.test", "address"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "jane@x.test\nbob@x.test",
        "jane@x.test, bob@x.test",
        '"Jane" <jane@x.test>; Bob <bob@x.test>',
        "To: Jane <jane@x.test>,\n Bob <bob@x.test>",
        '"Doe, Jane" <jane@x.test>,\n"Roe, Bob" <bob@x.test>',
        "Hello,\nplease invite jane@x.test; she brings bob@x.test",
        '"jane@x.test\nbob@x.test',
    ],
)
def test_what_is_no_table_is_read_as_pasted(text):
    found = read(text)
    assert [token for _, token, kind in found if kind == "address"] == ["jane@x.test", "bob@x.test"]
    rows = [line.count("\n") for line in (text[: text.index("bob@")],)]
    assert next(row for row, token, _ in found if token == "bob@x.test") == rows[0] + 1


def test_a_formula_is_text():
    text = 'Email,Name\n"=HYPERLINK(""mailto:jane@x.test"")",=1+1\n=cmd|calc!A1,x\n'
    assert [(row, kind) for row, _, kind in read(text)] == [(2, "quoted_local_part"), (3, "missing_at")]


def test_a_byte_that_is_no_utf_8_spoils_its_own_cell_only():
    content = b"Name;Email\nZo\xeb;zoe@x.test\nBob;bob@stra\xdfe.test\n"
    assert [(row, kind) for row, _, kind in read(content)] == [(2, "address"), (3, "invalid_domain")]


def test_a_nul_spoils_its_own_cell_only():
    assert [kind for *_, kind in read("a\0@x.test\nb@x.test")] == ["control_character", "address"]


def test_repeats_are_counted_across_the_whole_file():
    lines = [Line(n, f"user{n}@{'x' * 40}.test") for n in range(20_000)]
    again = Line(20_001, f"USER0@{'x' * 40}.test")
    found = parse_lines([*lines, again])
    assert sum(len(line.text) for line in lines) > MAX_TEXT
    assert (len(found.parsed.addresses), found.parsed.duplicates) == (20_000, 1)
    assert found.rows == (*range(20_000), 20_001)
    assert found.parsed.items[-1].kind == "duplicate"


def test_what_does_not_fit_into_the_box_does_not_go_there():
    assert text_of([Line(None, "a@x.test"), Line(2, "b@x.test")]) == "a@x.test\nb@x.test"
    with pytest.raises(InputTooLarge):
        text_of([Line(n, "a" * 1000) for n in range(1000)])
    with pytest.raises(InputTooLarge):
        parse_lines([Line(1, "a" * (MAX_TEXT + 1))])


@pytest.mark.parametrize(
    "content",
    [
        '"' * 150_000,
        '"a",' * 40_000,
        '"\n' * 75_000,
        "," * 150_000,
        (("," * 999) + "a@x.test\n") * 150,
        "<a@" * 50_000,
        "@" * 150_000,
        '="@' * 50_000,
        "a@x.test;" * 16_000,
        "\0" * 4 + "a,b\n" * 37_000,
    ],
)
def test_hostile_files_take_no_longer_than_others(content):
    started = time.process_time()
    with suppress(errors.FileEmpty):
        read(content)
    assert time.process_time() - started < 5
