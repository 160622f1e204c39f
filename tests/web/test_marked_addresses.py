"""The invite form says whose mail came back, before it writes to them again."""

import html
import re

import pytest

from guestlist.models import Delivery, Invitation
from tests.actions.test_marks import happened
from tests.api.conftest import ApiClient
from tests.web.test_invitations_page import HTMX, URL, text_of


@pytest.fixture
def bounced(organization, alice):
    happened(organization, alice)


def field(response, name):
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    return html.unescape(found[1]) if found else None


def box(response):
    return html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.S)[1])


def sent_to(email):
    return Invitation.objects.filter(key=email, status="pending").exists()


def test_the_preview_says_when_and_why_and_sends_nothing(bounced, alice, as_user):
    answer = as_user(alice).post(f"{URL}/preview", {"emails": "jane@acme.test, sue@acme.test"}, headers=HTMX)
    text = text_of(answer)
    assert re.search(r"bounced on \w+ \d+, \d{4}: 550 5\.1\.1 no such user", text)
    assert "2 will be invited" in text
    assert "mail to 1 of them came back or was unwanted before" in text
    assert field(answer, "bounced_seen") == "jane@acme.test"
    assert not sent_to("sue@acme.test")


def test_a_preview_of_good_addresses_has_nothing_to_remember(bounced, alice, as_user):
    answer = as_user(alice).post(f"{URL}/preview", {"emails": "sue@acme.test"}, headers=HTMX)
    assert field(answer, "bounced_seen") is None


def test_a_complaint_is_called_one(organization, alice, as_user):
    happened(organization, alice, "complained")
    answer = as_user(alice).post(f"{URL}/preview", {"emails": "jane@acme.test"}, headers=HTMX)
    assert "marked as spam on " in text_of(answer)


def test_the_servers_words_are_text(organization, alice, as_user):
    happened(organization, alice)
    Delivery.objects.update(detail='550 <script>alert(1)</script> %(day)s "x')
    answer = as_user(alice).post(f"{URL}/preview", {"emails": "jane@acme.test"}, headers=HTMX)
    assert "<script>" not in answer.content.decode()
    assert "%(day)s" in answer.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_was_warned_in_the_preview_is_written_to_at_once(bounced, alice, as_user, headers):
    data = {"emails": "jane@acme.test", "bounced_seen": "jane@acme.test"}
    answer = as_user(alice).post(f"{URL}/new", data, headers=headers, follow=True)
    assert "1 invitation sent." in text_of(answer)
    assert sent_to("jane@acme.test")


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_without_a_preview_the_good_ones_go_and_the_others_wait_for_a_second_press(
    bounced, alice, as_user, headers
):
    client = as_user(alice)
    answer = client.post(f"{URL}/new", {"emails": "jane@acme.test, sue@acme.test, x@y"}, headers=headers)
    text = text_of(answer)
    assert answer.status_code == 200
    assert "1 invitation sent. 1 held back. 1 to fix." in text
    assert "1 address couldn’t be sent." in text
    assert "Mail to 1 address came back or was unwanted before. Send again to invite it anyway" in text
    assert "550 5.1.1 no such user" in text
    assert (sent_to("jane@acme.test"), sent_to("sue@acme.test")) == (False, True)
    assert box(answer).split() == ["jane@acme.test", "x@y"]
    data = {"emails": box(answer), "bounced_seen": field(answer, "bounced_seen")}
    second = client.post(f"{URL}/new", data, headers=headers)
    assert "1 invitation sent. 1 to fix." in text_of(second)
    assert box(second).split() == ["x@y"]
    assert sent_to("jane@acme.test")


def test_nothing_sent_leaves_everything_in_the_box(bounced, alice, as_user):
    client = as_user(alice)
    answer = client.post(f"{URL}/new", {"emails": "jane@acme.test"})
    assert answer.status_code == 422
    assert "Nothing was sent. 1 held back. Mail to 1 address came back" in text_of(answer)
    assert box(answer).split() == ["jane@acme.test"]
    again = client.post(
        f"{URL}/new", {"emails": box(answer), "bounced_seen": field(answer, "bounced_seen")}, follow=True
    )
    assert "1 invitation sent." in text_of(again)


def test_a_warning_counts_only_for_those_it_named(organization, bounced, alice, as_user):
    happened(organization, alice, email="joe@acme.test")
    data = {"emails": "jane@acme.test, joe@acme.test", "bounced_seen": "jane@acme.test"}
    answer = as_user(alice).post(f"{URL}/new", data)
    assert (sent_to("jane@acme.test"), sent_to("joe@acme.test")) == (True, False)
    assert field(answer, "bounced_seen") == "joe@acme.test"


def test_bounced_ones_come_first_among_many_and_all_of_them_count_as_seen(organization, alice, as_user):
    for number in range(30):
        happened(organization, alice, email=f"p{number}@acme.test")
    text = "\n".join(
        [*(f"a{number}@acme.test" for number in range(30)), *(f"p{n}@acme.test" for n in range(30))]
    )
    answer = as_user(alice).post(f"{URL}/preview", {"emails": text}, headers=HTMX)
    assert answer.content.decode().count("550 5.1.1") == 24
    assert len(field(answer, "bounced_seen").split()) == 30


def test_a_client_of_the_api_gets_the_warning_and_the_mail_goes(organization, bounced, make_key):
    call = ApiClient(make_key(organization))
    for path in ("/preview", ""):
        answer = call("POST", f"northwind/invitations{path}", {"emails": ["jane@acme.test"]})
        assert answer.data["results"][0]["warnings"] == ["bounced_before"]
        assert answer.data["sent"] == 1
    assert sent_to("jane@acme.test")
