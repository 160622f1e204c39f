"""Find your organization, through the door."""

import pytest
from django.test import Client

from guestlist.models import Delivery, Invitation, JoinRequest, Membership
from tests.actions.test_domains import verified
from tests.conftest import join, make_user
from tests.web.test_invitations_page import ANY_ID, text_of

URL = "/join"
SAID = (
    "If an organization lets people with this address in, mail is on its way or its admins have been asked."
)


@pytest.fixture
def jane(db):
    return make_user("jane@acme.test", "Jane Doe")


def test_whoever_is_signed_out_can_only_type_an_address(organization, client):
    row = verified(organization)
    for path in (f"{URL}/{row.pk}/join", f"{URL}/{row.pk}/ask"):
        assert client.post(path).status_code == 401
        assert client.get(path).status_code == 405
    assert not Membership.objects.filter(via="domain").exists()


def test_an_outsider_is_not_told_that_a_domain_exists(organization, mallory, as_user):
    client, row = as_user(mallory), verified(organization)
    for verb in ("join", "ask"):
        answers = [client.post(f"{URL}/{pk}/{verb}") for pk in (row.pk, ANY_ID)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert "No organization is open to your addresses" in text_of(client.get(URL))


def test_looking_changes_nothing_and_writes_no_session(organization, client):
    verified(organization)
    answer = client.get(URL)
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "email", ["jane@acme.test", "nobody@else.test", "alice@northwind.test", "removed@acme.test"]
)
@pytest.mark.parametrize("mode", ["join", "request", "off"])
def test_the_answer_to_an_address_is_always_the_same(organization, alice, client, email, mode):
    verified(organization, mode=mode)
    verified(organization, "northwind.test", mode=mode)
    member = join(organization, make_user("removed@acme.test", "Gone"), None)
    Membership.objects.filter(pk=member.pk).update(state="removed", ended_at=member.joined_at)
    page = client.post(URL, {"email": email})
    assert page.status_code == 200
    assert SAID in text_of(page)
    assert email not in page.content.decode()
    assert Invitation.objects.exists() == (email == "jane@acme.test" and mode == "join")
    assert JoinRequest.objects.exists() == (email == "jane@acme.test" and mode == "request")


@pytest.mark.parametrize("email", ["", "jane", "jane@acme.test, jim@acme.test", "<script>@acme.test"])
def test_what_is_no_address_stays_in_the_box_with_the_reason(organization, client, email):
    answer = client.post(URL, {"email": email})
    assert answer.status_code == 422
    assert "is not an email address" in text_of(answer)
    assert "<script>" not in answer.content.decode()


def test_tries_of_one_network_are_limited(organization, limit):
    limit(guesses="3/1m")
    verified(organization, mode="request")
    answers = [Client().post(URL, {"email": f"p{number}@acme.test"}).status_code for number in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert JoinRequest.objects.count() == 3
    elsewhere = Client(REMOTE_ADDR="203.0.113.9").post(URL, {"email": "p9@acme.test"})
    assert elsewhere.status_code == 200


def test_a_form_from_another_site_is_refused(organization):
    verified(organization)
    answer = Client(enforce_csrf_checks=True).post(URL, {"email": "jane@acme.test"})
    assert answer.status_code == 403
    assert not Invitation.objects.exists()


def test_without_mail_no_mail_is_promised(organization, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    verified(organization)
    page = text_of(client.post(URL, {"email": "jane@acme.test"}))
    assert "nothing is mailed" in page
    assert not Delivery.objects.exists()


def test_joining_leads_into_the_organization(organization, jane, as_user):
    row, client = verified(organization), as_user(jane)
    assert "Join Northwind" in text_of(client.get(URL))
    answer = client.post(f"{URL}/{row.pk}/join")
    assert (answer.status_code, answer["Location"]) == (302, "/o/northwind/")
    assert "Welcome to Northwind." in text_of(client.get("/o/northwind/"))
    assert "Join Northwind" not in text_of(client.get(URL))


def test_asking_waits_for_an_answer(organization, jane, as_user):
    row, client = verified(organization, mode="request"), as_user(jane)
    assert "Ask to Join" in text_of(client.get(URL))
    page = text_of(client.post(f"{URL}/{row.pk}/ask", follow=True))
    assert "You have asked to join Northwind." in page
    assert "Waiting for an answer" in page
    assert "Ask to Join" not in page


def test_a_removed_person_is_told_whom_to_ask(organization, jane, as_user):
    row, member = verified(organization), join(organization, jane, None)
    Membership.objects.filter(pk=member.pk).update(state="removed", ended_at=member.joined_at)
    client = as_user(jane)
    page = text_of(client.post(f"{URL}/{row.pk}/join", follow=True))
    assert "Welcome" not in page
    assert "No organization is open to your addresses" in page
    assert not Membership.objects.active().filter(user=jane).exists()


def test_pages_lead_here(organization, jane, as_user, client):
    verified(organization)
    assert 'href="/join"' in client.get("/accounts/login/").content.decode()
    page = as_user(jane).get("/").content.decode()
    assert 'href="/join"' in page
