"""Attacks on links, by scanners, by headers and by counting, each at the door where it would come in."""

import io
import re
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from guestlist.actions.hand_over import create_hand_over_link
from guestlist.delivery.emails import message_of
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership
from guestlist_server.logs import Lines
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, actor_of, make_user

INVITATIONS = "/o/northwind/admin/invitations"
VERA = "vera@acme.test"
FORM = {"name": "Vera Vance", "password": PASSWORD, "email": VERA}


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, VERA).outcomes[0].invitation


@pytest.fixture
def token(invitation):
    return invitation_token(invitation.nonce, invitation.pk)


@pytest.fixture
def url(token):
    return f"/i/{token}"


# Tokens and links --------------------------------------------------------------------------------------


def test_a_foreign_account_with_the_link_is_refused(invitation, url, mallory, as_user):
    """T01."""
    client = as_user(mallory)
    assert client.post(url, FORM).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Membership.objects.filter(user=mallory).exists()
    assert not Event.objects.filter(actor_id=str(mallory.pk)).exists()


def _spoiled(token):
    yield from (token[:-1], token + "A", token + "%00", "%00" + token, token.lower(), token.upper())
    yield from (token.swapcase(), token + "=", token + "/", f"{token}?x=1#y"[: len(token) - 2])
    for at in (4, 5, 20, 30, 40, 60, 66, 67):
        yield token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def test_every_spoiled_token_meets_the_same_page_by_the_same_queries(organization, token, client):
    """T02."""
    unknown = client.get("/i/gli_" + "A" * 64)
    for spoiled in _spoiled(token):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(f"/i/{spoiled}", follow=False)
        if page.status_code == 404 and b"This link doesn" in page.content:
            assert page.content == unknown.content
            assert len(queries) == 1, spoiled
        else:
            # A slash makes it an address that no page has.
            assert spoiled.endswith("/")
            assert page.status_code == 404
    assert Invitation.objects.get().status == "pending"


@pytest.mark.parametrize("kind", ["gli_", "glh_"])
def test_no_page_api_export_or_table_shows_a_link(
    organization, alice, invitation, as_user, make_key, settings, kind
):
    """T03, T11. The one page that shows a link to hand over shows it once."""
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    if kind == "glh_":
        made = create_hand_over_link(
            actor=actor_of(alice), organization=organization, invitation_id=invitation.pk
        )
        token = made.rpartition("/")[2]
    else:
        token = invitation_token(invitation.nonce, invitation.pk)
    manager, key = as_user(alice), make_key(organization)
    seen = [
        manager.get(f"{INVITATIONS}{query}").content.decode()
        for query in ("", "?status=expired", "?q=vera", "/new")
    ]
    seen.append(manager.get("/o/northwind/admin/members").content.decode())
    api = {"Authorization": f"Bearer {key}"}
    base = "/api/v1/organizations/northwind/invitations"
    seen += [manager.get(path, headers=api).content.decode() for path in (base, f"{base}/{invitation.pk}")]
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    seen.append(dump.getvalue())
    assert all(len(text) > 100 for text in seen)
    for text in seen:
        assert token not in text
        assert token[4:] not in text
        assert kind + token[4:10] not in text


def test_expiry_is_judged_by_the_clock_of_the_database(invitation, url, client):
    """T06: an app whose clock is ten minutes slow accepts nothing that has expired."""
    from datetime import timedelta

    from django.db.models.functions import Now
    from django.utils import timezone

    Invitation.objects.update(invited_at=Now() - timedelta(days=1), expires_at=Now() - timedelta(seconds=1))
    slow = timezone.now() - timedelta(minutes=10)
    with mock.patch("django.utils.timezone.now", return_value=slow):
        assert client.post(url, FORM).status_code == 410
    assert not Membership.objects.filter(email=VERA).exists()
    Invitation.objects.update(expires_at=Now() + timedelta(seconds=30))
    fast = timezone.now() + timedelta(minutes=10)
    with mock.patch("django.utils.timezone.now", return_value=fast):
        assert client.post(url, FORM).status_code == 302


def test_a_used_link_is_gone_for_others_and_leads_its_user_in(url, client):
    """T07."""
    client.post(url, FORM)
    assert Client().get(url).status_code == 410
    answer = client.get(url)
    assert (answer.status_code, answer["Location"]) == (302, "/o/northwind/")


def test_a_token_is_no_other_credential(organization, token, client):
    """T13."""
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/organizations/northwind/invitations", headers=bearer).status_code == 401
    assert client.get(f"/setup/{token}").status_code == 410
    assert client.get(f"/accounts/confirm-email/{token}/").status_code == 404
    reset = client.get(f"/accounts/password/reset/key/1-{token}/", follow=True).content.decode()
    assert "doesn’t work" in reset
    client.cookies["sessionid"] = token
    assert client.get("/o/northwind/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("kind", ["setup", "session", "key"])
def test_no_other_credential_is_a_token(organization, alice, make_key, client, kind):
    """T13, the other way round."""
    if kind == "session":
        client.force_login(alice)
        other = client.cookies["sessionid"].value
        client.logout()
    else:
        other = make_key(organization) if kind == "key" else "A" * 43
    assert client.get(f"/i/{other}").status_code == 404


def test_looking_at_a_strangers_link_leaves_nothing_behind(url, client, mallory):
    """T16: a page made Vera's browser open Mallory's link; signing in later joins nothing."""
    client.get(url)
    vera = make_user("other@acme.test", "Other")
    answer = client.post("/accounts/login/", {"login": vera.email, "password": PASSWORD})
    assert answer["Location"] == "/"
    assert not Membership.objects.filter(user=vera).exists()
    assert "gli_" not in client.get("/", follow=True).content.decode()


# Scanners and bots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_RANGE": "bytes=0-10"},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"HTTP_IF_MODIFIED_SINCE": "Mon, 23 Nov 2026 00:00:00 GMT"},
        {"HTTP_PURPOSE": "prefetch"},
        {"HTTP_SEC_PURPOSE": "prefetch;prerender"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
    ],
    ids=lambda headers: next(iter(headers), "plain"),
)
def test_reading_a_hundred_times_changes_nothing(invitation, url, client, method, headers):
    """L01, L02."""
    events = Event.objects.count()
    for _ in range(100 if not headers else 3):
        answer = client.generic(method, url, **headers)
        assert 200 <= answer.status_code < 500
        assert "sessionid" not in answer.cookies
    before = invitation.status, invitation.last_sent_at, invitation.asked_at
    invitation.refresh_from_db()
    assert (invitation.status, invitation.last_sent_at, invitation.asked_at) == before
    assert Event.objects.count() == events
    assert not Session.objects.exists()


def test_a_request_without_host_in_old_http_is_answered_or_refused(url):
    """L01: HTTP/1.0 has no Host; the name of the machine is none of ours."""
    answer = Client(SERVER_NAME="machine.invalid", SERVER_PROTOCOL="HTTP/1.0").get(url)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["", "/decline", "/ask", "/preferences", "/switch"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_ORIGIN": "https://evil.test"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "null"},
        {"CONTENT_TYPE": "text/plain"},
    ],
    ids=["no token", "other origin", "cross-site", "plain text"],
)
def test_forms_from_elsewhere_are_refused(invitation, url, as_user, path, headers):
    """L07, H07: with the session of the invited person in the browser."""
    vera = make_user(VERA, "Vera")
    for signed_in in (False, True):
        browser = Client(enforce_csrf_checks=True)
        if signed_in:
            browser.force_login(vera)
        body = {"email": VERA} if "CONTENT_TYPE" not in headers else '{"email": "vera@acme.test"}'
        options = {k: v for k, v in headers.items() if k != "CONTENT_TYPE"}
        if "CONTENT_TYPE" in headers:
            options["content_type"] = "text/plain"
        assert browser.post(url + path, body, **options).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == "pending"


@pytest.mark.parametrize(
    "path", ["new", "revoke", "resend", "{id}/revoke", "{id}/resend", "{id}/link", "preview"]
)
def test_forged_admin_forms_are_refused(invitation, alice, path):
    """H07, also for signing in as the attacker."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    target = f"{INVITATIONS}/{path.format(id=invitation.pk)}"
    form = {"emails": "x@acme.test", "ids": str(invitation.pk)}
    assert browser.post(target, form, HTTP_ORIGIN="https://evil.test").status_code == 403
    assert browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}).status_code == 403
    assert Invitation.objects.pending().count() == 1


# Host, redirects, headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL", "HTTP_ORIGIN"],
)
def test_the_link_in_mail_holds_the_configured_address_alone(organization, alice, as_user, header):
    """H01."""
    value = "host=evil.test" if header == "HTTP_FORWARDED" else "https://evil.test"
    as_user(alice).post(f"{INVITATIONS}/new", {"emails": VERA}, **{header: value})
    delivery = Delivery.objects.select_related("invitation", "organization").get()
    mail = message_of(delivery)
    hosts = set(re.findall(r"https?://([^/\s\"<]+)", mail.body))
    assert hosts == {"127.0.0.1:8000"}
    assert "evil" not in mail.message().as_string()


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "evil.test:80@127.0.0.1"])
def test_an_unknown_host_is_refused(organization, alice, as_user, host):
    """H01."""
    assert as_user(alice).post(f"{INVITATIONS}/new", {"emails": VERA}, HTTP_HOST=host).status_code == 400
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\/evil.test",
        "https:evil.test",
        "https:///evil.test",
        "javascript:alert(1)",
        "%2f%2fevil",
        "/\t/evil",
        "@evil.test",
        "http://127.0.0.1:8000@evil.test/",
        " //evil.test",
    ],
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/logout/"])
def test_next_never_leads_away(alice, as_user, client, target, path):
    """H04."""
    if path.endswith("logout/"):
        answer = as_user(alice).post(path, {"next": target})
    else:
        answer = client.post(path, {"login": alice.email, "password": PASSWORD, "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize(
    "path", ["/", "/o/northwind/", INVITATIONS, "/accounts/email/", "/invitations", "/organizations"]
)
def test_no_cache_keeps_what_is_private(organization, alice, as_user, path):
    """H08."""
    answer = as_user(alice).get(path)
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]


def test_no_cache_keeps_the_page_of_a_link(url, client):
    """H08."""
    for path in (url, f"{url}/decline", f"{url}/preferences", "/i/gli_unknown"):
        assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.parametrize("path", ["", "/decline", "/preferences", "/switch"])
def test_no_log_line_holds_a_token(url, token, client, caplog, path):
    """H09; the Referer of assets is kept back by the policy of the page."""
    caplog.set_level(0)
    answer = client.get(url + path)
    client.post(url + path, {"email": "x", "again": "server"})
    written = "".join(Lines([]).format(record) for record in caplog.records)
    assert "gli_…" in written
    assert token[4:20] not in written
    assert answer["Referrer-Policy"] == "same-origin"


def test_a_fault_behind_a_link_logs_no_token(url, token, caplog):
    """H09, with a traceback."""
    browser = Client(raise_request_exception=False)
    with mock.patch("guestlist.web.accept.day", side_effect=RuntimeError("a fault")):
        answer = browser.get(url)
    assert answer.status_code == 500
    assert token[4:20] not in answer.content.decode()
    written = "".join(Lines([]).format(record) for record in caplog.records)
    assert "RuntimeError" in written
    assert token[4:20] not in written


# Counting ------------------------------------------------------------------------------------------------


def test_inviting_tells_nothing_about_accounts(organization, alice, beta, dora, as_user, make_key):
    """N01: an address with an account elsewhere and an unknown one look and cost the same."""
    manager, key = as_user(alice), make_key(organization)
    answers = []
    # The first use of a key writes down when it was.
    manager.get("/api/v1/organizations/northwind", headers={"Authorization": f"Bearer {key}"})
    for email in (dora.email, "nobody@beta.test"):
        with CaptureQueriesContext(connection) as page:
            shown = manager.post(f"{INVITATIONS}/new", {"emails": email})
        with CaptureQueriesContext(connection) as call:
            api = manager.post(
                "/api/v1/organizations/northwind/invitations/preview",
                {"emails": [f"x{email}"]},
                content_type="application/json",
                headers={"Authorization": f"Bearer {key}"},
            )
        answers.append((shown.status_code, shown["Location"], len(page), len(call), api.status_code))
    assert answers[0] == answers[1]
    outcomes = {i.email: i.status for i in Invitation.objects.all()}
    assert set(outcomes.values()) == {"pending"}


def test_asking_for_a_reset_tells_nothing_about_accounts(alice, client):
    """N01's sibling on the sign-in side."""
    pages = [
        client.post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in (alice.email, "nobody@northwind.test")
    ]
    assert pages[0].redirect_chain == pages[1].redirect_chain
    assert pages[0].content == pages[1].content
