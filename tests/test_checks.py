"""A setting that cannot work stops the start, and one that will hurt is warned of."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from guestlist.checks import database_can_hold_it
from guestlist_server.accounts.models import User

pytestmark = pytest.mark.database
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def without(entries: list[Any], name: str) -> list[Any]:
    return [entry for entry in entries if name not in str(entry)]


def found() -> set[str | None]:
    return {message.id for message in run_checks() if str(message.id).startswith("guestlist.")}


def test_nothing_is_found_where_nothing_is_wrong(settings):
    assert not found()


@pytest.mark.parametrize(
    "given", [{"URL": "www.example.com"}, {"LIFETIME": "7d"}, {"SIGN_UP": "no.such.module"}]
)
def test_a_wrong_key_is_an_error(settings, given):
    settings.GUESTLIST = given
    assert found() == {"guestlist.E001"}


def test_a_permission_of_guestlists_own_is_not_the_projects(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"PERMISSIONS": {"member.manage": "Do as they like."}}
    assert found() == {"guestlist.E007"}


def test_a_user_model_without_addresses_is_an_error(settings, monkeypatch):
    settings.GUESTLIST = {}
    monkeypatch.setattr(User, "EMAIL_FIELD", "mail")
    assert found() == {"guestlist.E002"}


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("INSTALLED_APPS", "ninja"),
        ("INSTALLED_APPS", "django_htmx"),
        ("MIDDLEWARE", "guestlist.web.errors.Errors"),
        ("MIDDLEWARE", "django_htmx.middleware.HtmxMiddleware"),
        ("TEMPLATES", "guestlist.templating.Templates"),
    ],
)
def test_what_pages_need_is_named(settings, setting, name):
    # The server names a class made from the app's middleware.
    given = [
        "guestlist.web.errors.Errors" if entry == "guestlist_server.middleware.Errors" else entry
        for entry in getattr(settings, setting)
    ]
    setattr(settings, setting, without(given, name))
    messages = [message.msg for message in run_checks() if message.id == "guestlist.E003"]
    assert len(messages) == 1
    assert setting in messages[0]
    assert name in messages[0]


def test_pages_that_are_not_included_are_an_error(settings):
    settings.ROOT_URLCONF = "django.contrib.auth.urls"
    assert found() == {"guestlist.E004"}


def test_links_that_lead_past_the_page_are_warned_of(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"URL": "https://www.example.com/people"}
    assert found() == {"guestlist.W001"}


@pytest.mark.parametrize(
    ("address", "ids"), [("/nowhere/", {"guestlist.W002"}), ("https://sso.example.com/", set())]
)
def test_a_sign_in_that_is_nowhere_is_warned_of(settings, address, ids):
    settings.LOGIN_URL = address
    assert found() == ids


@pytest.mark.parametrize(("seconds", "ids"), [(None, {"guestlist.W003"}), (10, set())])
def test_a_mail_server_that_may_hang_is_warned_of(settings, seconds, ids):
    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = SMTP, seconds
    assert found() == ids


def test_local_times_are_an_error(settings):
    settings.USE_TZ = False
    assert found() == {"guestlist.E006"}


def test_another_database_is_an_error(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "mysql")
    messages = [message.id for message in database_can_hold_it()]
    assert messages == ["guestlist.E005"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite locks the whole database")
def test_sqlite_with_its_own_defaults_is_warned_of(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    assert found() == {"guestlist.W004"}
