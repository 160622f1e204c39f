"""The Requests page, through the door."""

import pytest

from guestlist.models import Invitation, JoinRequest, Suppression
from tests.actions.test_domains import verified
from tests.actions.test_join_requests import ask, typed
from tests.conftest import make_user
from tests.web.test_invitations_page import ANY_ID, HTMX
from tests.web.test_invitations_page import text_of as spaced

URL = "/o/northwind/admin/requests"


def text_of(response):
    response.content = response.content.replace(b"<wbr>", b"")
    return spaced(response)


@pytest.fixture
def request_row(organization):
    return ask(make_user("jane@acme.test", "Jane Doe"), verified(organization, mode="request"))


def test_who_may_not(organization, charlie, mallory, client, as_user, request_row):
    assert client.get(URL).status_code == 302
    assert as_user(mallory).get(URL).status_code == 404
    answer = as_user(charlie).get(URL)
    assert (answer.status_code, "Member: Manage" in text_of(answer)) == (403, True)
    paths = ["grant", "dismiss", f"{request_row.pk}/grant", f"{request_row.pk}/dismiss"]
    for path in paths:
        values = {"ids": request_row.pk}
        assert as_user(charlie).post(f"{URL}/{path}", values).status_code == 403
        assert as_user(mallory).post(f"{URL}/{path}", values).status_code == 404
    assert JoinRequest.objects.get().state == "pending"


@pytest.mark.parametrize("path", ["grant", "dismiss"])
def test_a_request_of_another_organization_is_an_unknown_one(organization, alice, beta, as_user, path):
    client, user = as_user(alice), make_user("jane@acme.test", "Jane Doe")
    foreign = ask(user, verified(beta, mode="request"))
    answers = [client.post(f"{URL}/{pk}/{path}") for pk in (foreign.pk, ANY_ID)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert client.post(f"{URL}/{path}", {"ids": foreign.pk}).status_code == 404
    assert JoinRequest.objects.get().state == "pending"


def test_the_queue_shows_who_asks(organization, alice, as_user, request_row):
    page = text_of(as_user(alice).get(URL))
    for text in ("jane@acme.test", "Jane Doe", "Email", "Name", "Asked"):
        assert text in page
    assert "1 waiting" in page


def test_an_empty_queue_says_so(organization, alice, as_user):
    assert "Nobody asks to join" in text_of(as_user(alice).get(URL))


def test_granting_and_dismissing_work_without_javascript(organization, alice, as_user, request_row):
    client = as_user(alice)
    page = text_of(client.post(f"{URL}/{request_row.pk}/grant", follow=True))
    assert "1 request granted." in page
    assert Invitation.objects.get().key == "jane@acme.test"
    typed("jim@acme.test")
    typed("jon@acme.test")
    ids = [row.pk for row in JoinRequest.objects.pending()]
    page = text_of(client.post(f"{URL}/dismiss", {"ids": ids}, follow=True))
    assert "2 requests dismissed." in page
    assert Invitation.objects.count() == 1


def test_a_refusal_is_a_toast_with_the_reason(organization, alice, as_user, request_row):
    Suppression.objects.create(key="jane@acme.test")
    answer = as_user(alice).post(f"{URL}/{request_row.pk}/grant", headers=HTMX)
    assert answer.status_code == 409
    assert "asked not to be invited again" in text_of(answer)


def test_a_change_is_a_toast_and_a_fresh_list(organization, alice, as_user, request_row):
    answer = as_user(alice).post(f"{URL}/grant", {"ids": [request_row.pk]}, headers=HTMX)
    assert "guestlist:changed" in answer["HX-Trigger"]
    assert "1 request granted." in text_of(answer)


def test_nothing_selected_says_so(organization, alice, as_user):
    answer = as_user(alice).post(f"{URL}/grant", headers=HTMX)
    assert (answer.status_code, "select some first" in text_of(answer)) == (422, True)


@pytest.mark.parametrize("sort", ["email", "-email", "asked", "-asked"])
@pytest.mark.parametrize("query", ["", "jim", "nobody-like-this"])
def test_search_and_sort(organization, alice, as_user, request_row, sort, query):
    typed("jim@acme.test")
    page = text_of(as_user(alice).get(URL, {"sort": sort, "q": query}))
    assert ("Grant" in page) == (query != "nobody-like-this")
    assert ("jane@acme.test" in page) == (query == "")


@pytest.mark.parametrize("number", [1, 40])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, number, django_assert_num_queries
):
    row = verified(organization, mode="request")
    for i in range(number):
        ask(make_user(f"p{i}@acme.test", f"P {i}"), row)
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200
