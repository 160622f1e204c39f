"""Limits on pages: what is left, what is refused, and guessers of links."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db.models import F
from django.test import Client, override_settings

from guestlist.actions import guesses
from guestlist.actions.guesses import network_of
from guestlist.actions.organizations import create_setup_link
from guestlist.actors import Actor
from guestlist.links import invitation_token, unsubscribe_url
from guestlist.models import Invitation, Membership, Organization, Quota
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, actor_of
from tests.web.test_invitations_page import text_of

URL = "/o/northwind/admin/invitations"
HTMX = {"HTTP_HX_REQUEST": "true"}
BAD = "/i/gli_" + "A" * 64


@pytest.fixture(autouse=True)
def _the_minute_does_not_end(monkeypatch):
    monkeypatch.setattr(guesses, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))


@pytest.fixture
def manager(organization, alice, as_user):
    return as_user(alice)


# What is left ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [URL, f"{URL}/new"])
def test_the_form_says_how_many_more_can_be_sent(manager, alice, organization, path):
    assert "You can send 20,000 more today." in text_of(manager.get(path))
    send(organization, alice, "jane@acme.test, sue@acme.test")
    assert "You can send 19,998 more today." in text_of(manager.get(path))


def test_the_smaller_of_the_two_is_shown(manager, bob, organization, limit):
    limit(inviter="10/1d", organization="12/1d")
    send(organization, bob, "a@x.test, b@x.test, c@x.test")
    assert "You can send 9 more today." in text_of(manager.get(URL))


def test_a_shorter_period_is_told_by_its_end_in_the_zone_of_the_viewer(manager, alice, organization, limit):
    limit(inviter="10/1m")
    manager.cookies["timezone"] = "Asia/Kolkata"
    found = re.search(r"You can send 10 more until (.*?\d\d:\d\d)\.", text_of(manager.get(URL)))
    assert found
    limit(inviter="10/2d")
    assert re.search(r"You can send 10 more until \w+ \d+, \d{4}, 05:30\.", text_of(manager.get(URL)))


def test_without_limits_nothing_is_said_of_them(manager, limit):
    limit()
    assert "You can send" not in text_of(manager.get(URL))


def test_after_sending_the_open_dialog_learns_what_is_left(manager):
    response = manager.post(f"{URL}/new", {"emails": "jane@acme.test"}, **HTMX)
    assert '<p class="hint" id="left" hx-swap-oob="true">You can send 19,999 more today.</p>' in (
        response.content.decode()
    )


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_beyond_a_limit_nothing_is_sent_and_what_was_typed_stays(manager, limit, headers):
    """Q01."""
    limit(inviter="2/1d")
    typed = "jane@acme.test\nsue@acme.test\nbob@acme.test"
    response = manager.post(f"{URL}/new", {"emails": typed}, **headers)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 86_400
    page = text_of(response)
    assert "Invitations left to you now: 2 of 2 in 1 day. Nothing was sent; try again in" in page
    assert all(address in page for address in typed.split())
    assert not Invitation.objects.exists()
    assert not Quota.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_resending_twice_at_once_is_refused_in_words(manager, alice, organization, headers):
    """Q07."""
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    manager.post(f"{URL}/{row.pk}/resend", **headers)
    response = manager.post(f"{URL}/{row.pk}/resend", **headers)
    assert response.status_code == 429
    assert "This invitation was sent again a short while ago." in text_of(response)
    assert 590 < int(response["Retry-After"]) <= 600
    many = manager.post(f"{URL}/resend", {"ids": [str(row.pk)]}, follow=True)
    assert "1 sent a short while ago, skipped." in text_of(many)


def test_creating_too_many_organizations_keeps_what_was_typed(manager, limit, settings):
    limit(creation="1/1d")
    settings.GUESTLIST = settings.GUESTLIST | {"CREATE_ORGANIZATIONS": "anyone"}
    manager.post("/organizations/new", {"name": "One"})
    response = manager.post("/organizations/new", {"name": "Two"})
    assert response.status_code == 429
    assert "Organizations left to you to create: 0 of 1 in 1 day." in text_of(response)
    assert 'value="Two"' in response.content.decode()
    assert not Organization.objects.filter(slug="two").exists()


# Links that do not exist -------------------------------------------------------------------------------


@pytest.fixture
def url(organization, alice):
    row = send(organization, alice, "vera@acme.test").outcomes[0].invitation
    return f"/i/{invitation_token(row.nonce, row.pk)}"


def guess(times, path=BAD, **extra):
    """The answer to the last of so many bad links."""
    for _ in range(times):
        response = Client().get(path, **extra)
    return response


def test_a_hundred_bad_links_a_minute_are_enough(url):
    """Q05."""
    assert guess(100).status_code == 404
    response = guess(1)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60
    assert "Too many links or keys that don’t exist were tried from your network." in text_of(response)
    assert guess(1, REMOTE_ADDR="192.0.2.7").status_code == 404
    assert Client().get(url, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_real_link_works_also_behind_the_address_of_a_guesser(url, limit):
    """Q06: accepting is never limited."""
    limit(guesses="2/1m")
    assert guess(3).status_code == 429
    assert Client().get(url).status_code == 200
    form = {"name": "Vera Vance", "password": PASSWORD, "email": "vera@acme.test"}
    assert Client().post(url, form).status_code == 302
    assert Membership.objects.filter(email="vera@acme.test").exists()


def test_links_of_every_kind_count_together(url, organization, limit):
    limit(guesses="3/1m")
    row = Invitation.objects.get()
    unsubscribe = unsubscribe_url(row.nonce, row.pk).partition("127.0.0.1:8000")[2]
    for path in (f"{BAD}/decline", "/setup/nosuchcode", "/u/glu_" + "A" * 64):
        assert Client().get(path).status_code in (404, 410)
    assert Client().get("/setup/nosuchcode").status_code == 429
    assert Client().post("/u/glu_" + "A" * 64).status_code == 429
    assert Client().get(unsubscribe).status_code == 200


def test_a_set_up_link_works_behind_the_address_of_a_guesser(db, limit):
    limit(guesses="1/1m")
    empty = Organization.objects.create(name="Empty", slug="empty")
    code = create_setup_link(actor=Actor.operator(), organization=empty, email="maya@empty.test")
    assert guess(3).status_code == 429
    assert Client().get(f"/setup/{code.code}").status_code == 200
    assert not User.objects.exists()


def test_two_hundred_made_up_proxies_are_one_guesser(organization):
    """Q04."""
    for i in range(200):
        response = Client().get(BAD, HTTP_X_FORWARDED_FOR=f"198.51.100.{i}")
    assert response.status_code == 429


def test_what_a_client_writes_before_the_address_that_the_proxy_saw_counts_for_nothing(organization, limit):
    """Q04."""
    limit(guesses="20/1m")
    with override_settings(GUESTLIST_TRUSTED_PROXIES=1):
        for i in range(21):
            response = Client().get(BAD, HTTP_X_FORWARDED_FOR=f"198.51.100.{i}, 203.0.113.9")
        assert response.status_code == 429
        assert guess(1, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 404


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_guesser_is_an_ipv4_address_or_a_64_of_ipv6(ip, network):
    """Q04."""
    assert network_of(ip) == network


def test_a_guesser_who_changes_addresses_within_a_64_is_one(organization, limit):
    limit(guesses="5/1m")
    assert [guess(1, REMOTE_ADDR=f"2001:db8::{i}").status_code for i in range(6)] == [404] * 5 + [429]
    assert guess(1, REMOTE_ADDR="2001:db8:0:1::1").status_code == 404


def test_without_its_cache_bad_links_are_refused_and_good_ones_work(url, manager, settings):
    """Q06."""
    settings.CACHES = {"default": {"BACKEND": "tests.web.test_limits.NoCache"}}
    with pytest.raises(ConnectionError):
        cache.get("anything")
    assert guess(1).status_code == 429
    assert Client().get(url).status_code == 200
    assert manager.post(f"{URL}/new", {"emails": "jane@acme.test"}).status_code == 302


class NoCache:
    """A cache that cannot be reached."""

    def __init__(self, *_):
        pass

    def __getattr__(self, name):
        raise ConnectionError(name)

    def close(self):
        """Django closes caches after each request."""


def test_the_cache_of_the_server_counts(organization, settings, limit):
    """Of guesses at the same moment some may count as one; of those one after another none does."""
    from django.core.management import call_command

    limit(guesses="5/1m")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_of_guesses"}
    }
    call_command("createcachetable", "cache_of_guesses")
    assert [guess(1).status_code for _ in range(7)] == [404] * 5 + [429] * 2


def test_limits_off_no_guess_is_counted(organization, limit):
    limit()
    assert guess(120).status_code == 404


def test_a_day_later_there_is_room_again(manager, alice, organization, limit):
    limit(inviter="1/1d")
    send(organization, alice, "jane@acme.test")
    assert "You can send 0 more today." in text_of(manager.get(URL))
    Quota.objects.update(starts_at=F("starts_at") - timedelta(days=1))
    assert "You can send 1 more today." in text_of(manager.get(URL))
    assert send(organization, alice, "sue@acme.test").sent == 1
    assert actor_of(alice).id in Quota.objects.latest("starts_at").subject
