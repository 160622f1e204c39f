"""A CSV file for the invite box: looked at first, then sent as any other text."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from guestlist.models import Event, Invitation
from tests.actions.test_send_invitations import send
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/invitations"
PEOPLE = "Name;E-Mail\nJane;jane@acme.test\nBob;bob@\n\nSue;sue@acme.test\nAlice;alice@northwind.test\n"
QUERIES = 11
KINDS = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "dialog"])


@pytest.fixture
def manager(organization, alice, as_user):
    return as_user(alice)


def upload(client, content, typed="", headers=None, read="1", name="people.csv"):
    content = content if isinstance(content, bytes) else content.encode()
    fields = {"emails": typed, "file": SimpleUploadedFile(name, content)} | ({"read": read} if read else {})
    return client.post(f"{URL}/new", fields, headers=headers or {})


def box_of(response):
    """What stands in the box."""
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", response.content.decode(), re.DOTALL)
    return found[1].split("\n")


def test_who_may_not_invite_may_not_have_a_file_read(organization, charlie, mallory, as_user):
    assert upload(as_user(charlie), PEOPLE).status_code == 403
    assert upload(as_user(mallory), PEOPLE).status_code == 404


def test_a_forged_form_has_no_file_read(organization, alice):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert upload(client, PEOPLE).status_code == 403


@KINDS
def test_a_file_is_shown_before_anything_is_sent(manager, headers):
    response = upload(manager, PEOPLE, headers=headers)
    page = text_of(response)
    assert response.status_code == 200
    assert "3 addresses added from the file. 1 row to fix:" in page
    assert "Row 3: bob@ – nothing after the @" in page
    assert "2 will be invited" in page
    assert "1 already a member, skipped" in page
    assert box_of(response) == ["jane@acme.test", "bob@", "sue@acme.test", "alice@northwind.test"]
    assert ("<html" in response.content.decode()) == (not headers)
    assert not Invitation.objects.exists()
    assert not Event.objects.filter(type__startswith="invitation").exists()


@KINDS
def test_what_was_shown_is_sent(manager, organization, headers):
    shown = box_of(upload(manager, PEOPLE, headers=headers))
    response = manager.post(f"{URL}/new", {"emails": "\n".join(shown), "file": ""}, headers=headers)
    assert "2 invitations sent. 1 already a member, skipped. 1 to fix." in text_of(response)
    assert box_of(response) == ["bob@"]
    assert set(Invitation.objects.values_list("email", flat=True)) == {"jane@acme.test", "sue@acme.test"}


@KINDS
def test_a_file_that_nobody_looked_at_is_not_sent(manager, headers):
    """Send Invitations pressed with a file chosen shows it first."""
    response = upload(manager, PEOPLE, headers=headers, read=None)
    assert "2 will be invited" in text_of(response)
    assert not Invitation.objects.exists()


@KINDS
def test_what_was_typed_stays_in_front_of_the_file(manager, headers):
    response = upload(manager, PEOPLE, "max@acme.test\njane@acme.test", headers)
    assert box_of(response)[:3] == ["max@acme.test", "jane@acme.test", "jane@acme.test"]
    assert "1 listed twice" in text_of(response)
    assert "Row 3: bob@" in text_of(response)


@KINDS
@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 422, "There is nothing in this file."),
        (b"\n\n", 422, "There is nothing in this file."),
        (b"PK\x03\x04workbook", 422, "This file is not text. Save it as CSV first, then choose that file."),
        (b"%PDF-1.7", 422, "This file is not text. Save it as CSV first, then choose that file."),
        (b"a@x.test\n" * 120_000, 413, "That is too much text at once. Send at most 1,000,000 characters."),
    ],
    ids=["empty", "blank", "workbook", "pdf", "long"],
)
def test_a_file_that_cannot_be_used_is_refused_and_what_was_typed_stays(
    manager, headers, content, status, told
):
    response = upload(manager, content, "max@acme.test", headers)
    assert response.status_code == status
    assert told in text_of(response)
    assert box_of(response) == ["max@acme.test"]
    assert 'aria-describedby="file-hint file-error" aria-invalid="true"' in response.content.decode()


@KINDS
def test_without_a_file_it_says_what_is_missing(manager, headers):
    response = manager.post(f"{URL}/new", {"emails": "max@acme.test", "read": "1"}, headers=headers)
    assert response.status_code == 422
    assert "Choose a file first." in text_of(response)
    assert box_of(response) == ["max@acme.test"]
    assert not Invitation.objects.exists()


@KINDS
def test_a_file_over_the_limit_of_a_request_is_refused_before_it_is_read(manager, headers, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = upload(manager, b"a" * 1001, headers=headers)
    assert response.status_code == 413
    assert "too large a file. Send at most 1,000,000 characters or 4 MB." in text_of(response)


@KINDS
def test_a_file_without_an_address_says_so_of_each_row(manager, headers):
    response = upload(manager, "Name,Town\nJane,Köln\n", headers=headers)
    page = text_of(response)
    assert response.status_code == 200
    assert "0 addresses added from the file. 2 rows to fix:" in page
    assert "Row 2: Jane, Köln – missing @" in page


@KINDS
@pytest.mark.parametrize("typed", ["", ", ;"])
def test_a_file_that_holds_nothing_like_an_address_is_refused_in_the_form(manager, headers, typed):
    response = upload(manager, "Email> \x85Email", typed, headers)
    assert response.status_code == 422
    assert "There is no address in this file." in text_of(response)
    assert 'aria-describedby="file-hint file-error" aria-invalid="true"' in response.content.decode()
    assert box_of(response) == [typed]
    assert ("<html" in response.content.decode()) == (not headers)


@KINDS
def test_more_addresses_than_can_be_sent_at_once_are_put_into_the_box_all_the_same(manager, headers):
    response = upload(manager, "".join(f"user{n}@acme.test\n" for n in range(10_001)), headers=headers)
    assert response.status_code == 422
    assert "That is 10,001 addresses. Send at most 10,000 at a time; nothing was sent." in text_of(response)
    assert len(box_of(response)) == 10_001


def test_many_rows_to_fix_are_counted(manager):
    page = text_of(upload(manager, "Email\n" + "nobody@\n" * 30))
    assert "30 rows to fix:" in page
    assert "Row 25: nobody@" in page
    assert "Row 26: nobody@" not in page
    assert "and 6 more" in page


def test_what_stands_in_a_file_is_text(manager):
    html = upload(manager, "Email,Name\n<script>alert(1)</script>@,x\n").content.decode()
    assert "<script>alert" not in html


def test_an_address_that_is_not_allowed_is_a_row_to_fix(manager, organization):
    organization.denied_domains = ["acme.test"]
    organization.save()
    page = text_of(upload(manager, "Email\njane@acme.test\nsue@else.test\n"))
    assert "Row 2: jane@acme.test – the organization doesn’t allow this domain" in page


@pytest.mark.parametrize("rows", [1, 40])
def test_looking_at_a_file_takes_as_many_queries_for_any_number(
    manager, organization, alice, rows, django_assert_num_queries
):
    send(organization, alice, ", ".join(f"user{n}@acme.test" for n in range(0, rows, 2)))
    content = "Email\n" + "".join(f"user{n}@acme.test\n" for n in range(rows))
    manager.get(URL)
    with django_assert_num_queries(QUERIES):
        upload(manager, content)
