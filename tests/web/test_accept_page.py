"""An invitation's page, in every state and for every visitor."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db.models import F

from guestlist.actions.api_keys import create_api_key
from guestlist.links import invitation_token
from guestlist.models import ApiKey, Event, Invitation, Membership
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, actor_of, join, make_user


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def url(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


FORM = {"name": "Vera Vance", "password": PASSWORD, "email": "vera@acme.test"}


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch;prerender"}, {"Range": "bytes=0-10"}])
def test_reading_changes_nothing_and_writes_no_session(invitation, url, client, method, headers):
    for _ in range(5):
        for path in (url, f"{url}/decline"):
            assert getattr(client, method)(path, headers=headers).status_code in (200, 405)
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Session.objects.exists()
    assert "sessionid" not in client.cookies
    assert Event.objects.filter(subject_id=str(invitation.pk)).count() == 1


def test_a_new_person_joins_with_a_verified_address_and_no_second_mail(invitation, url, client, mailoutbox):
    page = client.get(url).content.decode()
    assert "Join Northwind" in page
    assert "vera@acme.test" in page
    response = client.post(url, FORM)
    assert (response.status_code, response["Location"]) == (302, "/o/northwind/")
    user = User.objects.get(email="vera@acme.test")
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.get(user=user).role is None
    assert not mailoutbox
    assert client.get("/o/northwind/").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"email": "mallory@evil.test"},
        {"password": "short"},
        {"password": ""},
        {"name": ""},
        {"name": "win at evil.test"},
        {"password": "veravance@acme.test"},
    ],
    ids=["other address", "short", "no password", "no name", "link in name", "like the address"],
)
def test_a_bad_form_is_refused_and_what_was_typed_stays(invitation, url, client, changed):
    response = client.post(url, FORM | changed)
    assert response.status_code == 422
    if changed.get("name", "x"):
        assert (FORM | changed)["name"] in response.content.decode()
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not User.objects.filter(email="vera@acme.test").exists()


def test_a_post_without_password_or_session_accepts_nothing(invitation, url, client):
    assert client.post(url).status_code == 422
    invitation.refresh_from_db()
    assert invitation.status == "pending"


def test_a_post_without_csrf_token_is_refused(invitation, url):
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post(url, FORM).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == "pending"


def test_whoever_has_an_account_signs_in_and_comes_back(invitation, url, client):
    make_user("vera@acme.test", "Vera")
    page = client.get(url).content.decode()
    assert "Sign In to Accept" in page
    assert client.post(url, FORM).status_code == 403
    response = client.post(
        f"/accounts/login/?next={url}", {"login": "vera@acme.test", "password": PASSWORD, "next": url}
    )
    assert (response.status_code, response["Location"]) == (302, url)
    assert client.post(url)["Location"] == "/o/northwind/"
    invitation.refresh_from_db()
    assert invitation.status == "accepted"


def test_the_wrong_account_is_named_and_the_invited_one_masked(invitation, url, mallory, as_user):
    client = as_user(mallory)
    page = client.get(url).content.decode()
    assert "v***@acme.test" in page
    assert "vera@acme.test" not in page
    assert "mallory@evil.test" in page.replace("<wbr>", "")
    assert client.post(url).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    response = client.post(f"{url}/switch")
    assert response["Location"] == url
    assert "Create a password" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"status": "revoked", "ended_at": F("invited_at")}, 410, "withdrawn"),
        ({"status": "declined", "ended_at": F("invited_at")}, 410, "declined"),
        ({"status": "accepted", "ended_at": F("invited_at")}, 410, "already used"),
        (
            {
                "invited_at": F("invited_at") - timedelta(days=8),
                "expires_at": F("expires_at") - timedelta(days=7, seconds=1),
            },
            410,
            "has expired",
        ),
    ],
    ids=["revoked", "declined", "accepted", "expired"],
)
@pytest.mark.parametrize("path", ["", "/decline"])
def test_an_ended_invitation_says_so_and_a_post_changes_nothing(url, client, change, status, words, path):
    Invitation.objects.update(**change)
    for response in (client.get(url + path), client.post(url + path, FORM)):
        assert response.status_code == status
        assert words in response.content.decode()
    assert not User.objects.filter(email="vera@acme.test").exists()


@pytest.mark.parametrize("token", ["gli_" + "A" * 64, "x", "gli_", "%00", "gli_%F0%9F%98%80"])
def test_unknown_and_malformed_tokens_share_one_page(organization, client, token, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get(f"/i/{token}")
    assert response.status_code == 404
    assert response.content == client.get("/i/gli_" + "B" * 64).content


def test_declining_asks_for_the_address(invitation, url, client):
    assert client.post(f"{url}/decline").status_code == 422
    assert client.post(f"{url}/decline", {"email": "x@y.test"}).status_code == 422
    assert client.post(f"{url}/decline", {"email": "vera@acme.test"}).status_code == 200
    invitation.refresh_from_db()
    assert invitation.status == "declined"


def test_joining_takes_the_address_from_an_account_that_never_proved_it(invitation, url, client):
    from django.test import Client

    squatter = User.objects.create_user("vera@acme.test", PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=squatter, email="vera@acme.test", verified=False, primary=True)
    join(invitation.organization, squatter, "Owner")
    create_api_key(
        actor=actor_of(squatter),
        organization=invitation.organization,
        name="k",
        permissions=["member.manage"],
    )
    browser = Client()
    browser.force_login(squatter)
    assert browser.post(url).status_code == 403
    assert client.post(url, FORM).status_code == 302
    squatter.refresh_from_db()
    assert squatter.email is None
    assert EmailAddress.objects.get(email="vera@acme.test").user.name == "Vera Vance"
    assert browser.get("/o/northwind/").status_code == 302
    assert not ApiKey.objects.usable().exists()
    assert Event.objects.filter(type="api_key.revoked").count() == 1


def test_sign_up_is_closed_to_everybody_else(organization, client):
    response = client.post("/accounts/signup/", {"email": "x@y.test", "password1": PASSWORD, "name": "X"})
    assert response.status_code == 200
    assert not User.objects.filter(email="x@y.test").exists()


@pytest.mark.parametrize(
    "target", ["//evil.test", "/\\evil.test", "https:evil.test", "javascript:alert(1)", "http://evil.test/"]
)
def test_sign_in_never_leads_to_another_host(alice, client, target):
    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD, "next": target})
    assert (response.status_code, response["Location"]) == (302, "/")
