"""The Domains page, through the door."""

import pytest

from guestlist.models import Delivery, Domain
from tests.actions.test_domains import add, code_of, verified, wrong
from tests.web.test_invitations_page import ANY_ID, HTMX, text_of

URL = "/o/northwind/admin/domains"
NEW = {"domain": "acme.test", "email": "postmaster@acme.test"}


def test_who_may_not(organization, charlie, mallory, client, as_user):
    row = verified(organization)
    pages = [URL, f"{URL}/new", f"{URL}/{row.pk}/verify", f"{URL}/{row.pk}/remove"]
    for path in pages:
        assert client.get(path).status_code == 302
        assert as_user(mallory).get(path).status_code == 404
        answer = as_user(charlie).get(path)
        assert (answer.status_code, "Organization: Update" in text_of(answer)) == (403, True)
    for path in (f"{URL}/new", f"{URL}/{row.pk}/code", f"{URL}/{row.pk}/mode", f"{URL}/{row.pk}/remove"):
        assert as_user(charlie).post(path, NEW | {"mode": "off"}).status_code == 403
        assert as_user(mallory).post(path, NEW | {"mode": "off"}).status_code == 404
    assert list(Domain.objects.values_list("mode", flat=True)) == ["join"]


@pytest.mark.parametrize("path", ["verify", "code", "mode", "remove"])
def test_a_domain_of_another_organization_is_an_unknown_one(organization, alice, beta, as_user, path):
    client, foreign = as_user(alice), verified(beta)
    answers = [client.post(f"{URL}/{pk}/{path}", {"mode": "off"}) for pk in (foreign.pk, ANY_ID)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert Domain.objects.get().mode == "join"


def test_an_empty_list_says_what_domains_are_for(organization, alice, as_user):
    page = text_of(as_user(alice).get(URL))
    assert "No domains yet" in page
    assert "They have no role until somebody gives them one." in page


def test_a_domain_is_added_and_verified_without_javascript(organization, alice, as_user):
    client = as_user(alice)
    page = client.post(f"{URL}/new", NEW, follow=True)
    assert "A code is on its way to postmaster@acme.test." in text_of(page).replace("@ ", "@")
    row = Domain.objects.get()
    assert "Code sent to" in text_of(client.get(URL))
    answer = client.post(f"{URL}/{row.pk}/verify", {"code": wrong(row)})
    assert (answer.status_code, "That is not the code." in text_of(answer)) == (422, True)
    page = text_of(client.post(f"{URL}/{row.pk}/verify", {"code": code_of(row)}, follow=True))
    assert "acme.test is verified." in page
    assert "Verified" in page
    page = text_of(client.post(f"{URL}/{row.pk}/mode", {"mode": "join"}, follow=True))
    assert "People with an address at acme.test can join at once." in page
    assert client.get(f"{URL}/{row.pk}/verify").status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"domain": "gmail.com"}, "Anybody can have an address at gmail.com"),
        ({"domain": "nonsense"}, "is not a mail domain"),
        ({"email": "jane@else.test"}, "The code has to go to an address at acme.test itself."),
        ({"email": "jane"}, "is not an email address"),
    ],
)
def test_what_was_typed_stays_with_the_reason(organization, alice, as_user, typed, said):
    answer = as_user(alice).post(f"{URL}/new", NEW | typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert said in text_of(answer)
    for value in (NEW | typed).values():
        assert f'value="{value}"' in html


def test_a_new_code_waits_a_minute(organization, alice, as_user):
    client = as_user(alice)
    client.post(f"{URL}/new", NEW)
    row = Domain.objects.get()
    page = text_of(client.post(f"{URL}/{row.pk}/code", follow=True))
    assert "A code was mailed there a short while ago." in page
    assert Delivery.objects.count() == 1


def test_the_code_is_on_no_page(organization, alice, as_user):
    row = add(organization, alice)
    client = as_user(alice)
    for path in (URL, f"{URL}/{row.pk}/verify", "/o/northwind/admin/delivery"):
        assert code_of(row) not in client.get(path).content.decode()


def test_removing_asks_first(organization, alice, as_user):
    row, client = verified(organization), as_user(alice)
    assert "Remove acme.test?" in text_of(client.get(f"{URL}/{row.pk}/remove"))
    dialog = client.get(f"{URL}/{row.pk}/remove", headers=HTMX).content.decode()
    assert 'role="alertdialog"' in dialog
    assert "acme.test was removed." in text_of(client.post(f"{URL}/{row.pk}/remove", follow=True))
    assert not Domain.objects.exists()


def test_hostile_text_is_shown_as_text(organization, alice, as_user):
    answer = as_user(alice).post(f"{URL}/new", NEW | {"domain": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize("number", [1, 40])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, number, django_assert_num_queries
):
    for i in range(number):
        verified(organization, f"d{i}.test")
    client = as_user(alice)
    with django_assert_num_queries(7):
        assert client.get(URL).status_code == 200
