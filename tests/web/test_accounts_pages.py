"""The pages of one's own account: profile, addresses, sessions, and who may not see them."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from guestlist.models import Membership
from guestlist_server.accounts.context import device
from tests.conftest import PASSWORD

OWN_PAGES = [
    "account_profile",
    "account_email",
    "account_change_password",
    "mfa_index",
    "mfa_list_webauthn",
    "usersessions_list",
    "socialaccount_connections",
]
PROFILE = "/accounts/profile/"


def prove(client, password=PASSWORD):
    """Confirm that it is still the same person."""
    return client.post("/accounts/reauthenticate/", {"password": password})


@pytest.mark.django_db
@pytest.mark.parametrize("name", OWN_PAGES)
def test_who_is_signed_out_is_led_to_sign_in(client, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(f"/accounts/login/?next={reverse(name)}")


@pytest.mark.parametrize("name", OWN_PAGES)
def test_every_page_has_the_navigation_and_names_itself_in_it(alice, as_user, name):
    page = as_user(alice).get(reverse(name)).content.decode()
    for other in OWN_PAGES:
        if other != "mfa_list_webauthn":
            assert f'href="{reverse(other)}"' in page
    assert page.count('aria-current="page"') == 1


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"])
def test_a_change_of_the_second_factor_asks_who_is_there(alice, as_user, name):
    client = as_user(alice)
    response = client.get(reverse(name))
    assert unquote(response["Location"]) == f"/accounts/reauthenticate/?next={reverse(name)}"
    assert "Confirm it’s you" in client.get(response["Location"]).content.decode()
    assert prove(client, "wrong horse battery").status_code == 200
    assert client.get(reverse(name)).status_code == 302
    answer = client.post(response["Location"], {"password": PASSWORD, "next": reverse(name)})
    assert answer["Location"] == reverse(name)


def test_a_saved_name_is_shown_to_the_organization(organization, alice, as_user):
    client = as_user(alice)
    form = {"name": "Alice  Zimmer", "language": "", "time_zone": "", "shortcuts": "on"}
    assert client.post(PROFILE, form)["Location"] == PROFILE
    assert Membership.objects.get(user=alice).name == "Alice Zimmer"
    assert "Alice Zimmer" in client.get("/o/northwind/admin/members").content.decode()


@pytest.mark.parametrize("name", ["", "  ", "see evil.test now", "https://evil.test", "a" * 81])
def test_a_hostile_name_is_refused(organization, alice, as_user, name):
    response = as_user(alice).post(PROFILE, {"name": name, "language": "", "time_zone": ""})
    assert response.status_code == 422
    alice.refresh_from_db()
    assert alice.name == "Alice Archer"


@pytest.mark.parametrize(
    "field", [{"time_zone": "Mars/Base"}, {"time_zone": "../etc/passwd"}, {"language": "xx"}]
)
def test_a_time_zone_or_language_that_there_is_not_is_refused(alice, as_user, field):
    form = {"name": "Alice", "language": "", "time_zone": "", **field}
    assert as_user(alice).post(PROFILE, form).status_code == 422


def test_the_saved_time_zone_changes_the_shown_date(organization, alice, as_user):
    Membership.objects.filter(user=alice).update(joined_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    client = as_user(alice)
    members = "/o/northwind/admin/members"
    assert "Mar 1, 2026" in client.get(members).content.decode()
    client.post(PROFILE, {"name": "Alice", "language": "", "time_zone": "asia/tokyo"})
    assert "Mar 2, 2026" in client.get(members).content.decode()
    assert as_user(alice).get(PROFILE).content.decode().count('value="Asia/Tokyo"') == 2


def test_the_browsers_time_zone_counts_where_none_is_saved(organization, alice, as_user):
    Membership.objects.filter(user=alice).update(joined_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    client = as_user(alice)
    client.cookies["timezone"] = "Asia%2FTokyo"
    assert "Mar 2, 2026" in client.get("/o/northwind/admin/members").content.decode()
    for hostile in ("../../etc/passwd", "Asia", "\x00", "A" * 5000):
        client.cookies["timezone"] = hostile
        assert "Mar 1, 2026" in client.get("/o/northwind/admin/members").content.decode()


def test_the_saved_language_wins_over_the_browsers(alice, as_user):
    client = as_user(alice)
    assert 'lang="en"' in client.get(PROFILE).content.decode()
    client.post(PROFILE, {"name": "Alice", "language": "ar", "time_zone": ""})
    page = client.get(PROFILE, headers={"Accept-Language": "de"})
    assert '<html lang="ar" dir="rtl"' in page.content.decode()
    assert page["Content-Language"] == "ar"
    assert (
        '<html lang="de"'
        in Client().get("/accounts/login/", headers={"Accept-Language": "de"}).content.decode()
    )


def test_removing_an_address_asks_first(alice, as_user):
    EmailAddress.objects.create(user=alice, email="other@northwind.test", verified=True)
    client = as_user(alice)
    prove(client)
    form = {"email": "other@northwind.test", "action_remove": ""}
    page = client.post("/accounts/email/", form)
    assert "Remove other@northwind.test?" in page.content.decode()
    assert EmailAddress.objects.filter(user=alice).count() == 2
    client.post("/accounts/email/", form | {"confirmed": "1"})
    assert EmailAddress.objects.filter(user=alice).count() == 1


def test_a_new_primary_address_is_shown_to_the_organization(organization, alice, as_user, mailoutbox):
    EmailAddress.objects.create(user=alice, email="new@northwind.test", verified=True)
    client = as_user(alice)
    prove(client)
    client.post("/accounts/email/", {"email": "new@northwind.test", "action_primary": ""})
    assert Membership.objects.get(user=alice).email == "new@northwind.test"
    assert mailoutbox[-1].to == ["alice@northwind.test"]


def test_sessions_say_which_browser_and_end_together(alice, client):
    here, there = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}), Client()
    for browser in (here, there):
        browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    page = here.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "This one" in page
    assert page.count("Signed in ") == 2
    here.post("/accounts/sessions/")
    assert there.get(PROFILE).status_code == 302
    assert here.get(PROFILE).status_code == 200
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.0", "Unknown browser"),
    ],
)
def test_a_browser_is_called_what_people_call_it(user_agent, shown):
    assert device(user_agent) == shown


@pytest.mark.django_db
def test_where_passkeys_cannot_work_none_is_offered(client, settings, alice, as_user):
    assert "Sign In with a Passkey" in client.get("/accounts/login/").content.decode()
    settings.MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
    assert "Passkey" not in client.get("/accounts/login/").content.decode()
    page = as_user(alice).get("/accounts/2fa/").content.decode()
    assert "Add Passkey" not in page
    assert "reached by name" in page


@pytest.mark.django_db
def test_signing_up_is_offered_only_where_it_is_open(client, settings):
    assert "Sign Up" not in client.get("/accounts/login/").content.decode()
    assert "Sign-up is by invitation" in client.get("/accounts/signup/").content.decode()
    settings.GUESTLIST_SIGNUP = "open"
    assert "Sign Up" in client.get("/accounts/login/").content.decode()
    form = {"name": "Vera Vance", "email": "vera@acme.test", "password1": PASSWORD}
    assert client.post("/accounts/signup/", form)["Location"] == "/accounts/confirm-email/"
    assert not EmailAddress.objects.get(email="vera@acme.test").verified
