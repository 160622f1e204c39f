"""Checks that stop the start on a setting that cannot work, and warn of one that will hurt."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connections
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.module_loading import import_string

from guestlist import user_addresses
from guestlist.conf import conf
from guestlist.permissions import Permission

NEEDED = {
    "INSTALLED_APPS": ("django_htmx", "ninja"),
    "MIDDLEWARE": ("guestlist.web.errors.Errors", "django_htmx.middleware.HtmxMiddleware"),
}
ENGINE = "guestlist.templating.Templates"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@checks.register
def settings_can_be_read(**_: Any) -> list[checks.CheckMessage]:
    """`GUESTLIST` parses; the error names the key."""
    try:
        conf().sign_up  # noqa: B018  (loads it)
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="guestlist.E001")]
    return [*_address_field(), *_permissions(), *_pages()]


@checks.register
def what_is_needed_is_installed(**_: Any) -> list[checks.CheckMessage]:
    """The apps, middleware and template engine without which pages break are named in the settings."""
    missing = [
        f"{setting} needs {entry!r}."
        for setting, entries in NEEDED.items()
        for entry in entries
        if not any(_is(given, entry) for given in getattr(settings, setting))
    ]
    if not any(entry["BACKEND"] == ENGINE and entry.get("APP_DIRS") for entry in settings.TEMPLATES):
        missing.append(f"TEMPLATES needs an entry with the BACKEND {ENGINE!r} and APP_DIRS.")
    return [checks.Error(sentence, id="guestlist.E003") for sentence in missing]


def _is(given: str, entry: str) -> bool:
    """Whether `given` is `entry`, or a middleware class made from it."""
    if given == entry or not entry.endswith("Errors"):
        return given == entry
    kind = import_string(given)
    return isinstance(kind, type) and issubclass(kind, import_string(entry))


@checks.register
def mail_cannot_hang(**_: Any) -> list[checks.CheckMessage]:
    """The worker has deadlines of its own; what the project mails by itself would wait for ever."""
    if settings.EMAIL_BACKEND != SMTP or settings.EMAIL_TIMEOUT:
        return []
    return [
        checks.Warning(
            "A silent mail server holds whatever this project mails by itself.",
            hint="Set EMAIL_TIMEOUT = 10.",
            id="guestlist.W003",
        )
    ]


@checks.register
def database_can_hold_it(**_: Any) -> list[checks.CheckMessage]:
    """Constraints and times are those of PostgreSQL or SQLite in UTC. With SQLite's own defaults, a page and
    the worker that write at once fail.
    """
    database = connections["default"]
    if database.vendor not in ("postgresql", "sqlite"):
        return [checks.Error("The database is neither PostgreSQL nor SQLite.", id="guestlist.E005")]
    if not settings.USE_TZ:
        return [checks.Error("Times are stored in UTC: set USE_TZ = True.", id="guestlist.E006")]
    mode = str(database.settings_dict["OPTIONS"].get("transaction_mode", ""))
    if database.vendor != "sqlite" or mode.upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    hint = 'Set DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}.'
    sentence = "Pages and the worker, which write at the same time, will find the database locked."
    return [checks.Warning(sentence, hint=hint, id="guestlist.W004")]


def _address_field() -> Iterator[checks.CheckMessage]:
    user = get_user_model()
    if conf().addresses is not user_addresses:
        return
    try:
        user._meta.get_field(user.get_email_field_name())
    except FieldDoesNotExist:
        sentence = f"{user._meta.label} has no field {user.get_email_field_name()!r} for addresses."
        hint = "Name the field in EMAIL_FIELD of the user model, or set GUESTLIST['ADDRESSES']."
        yield checks.Error(sentence, hint=hint, id="guestlist.E002")


def _permissions() -> Iterator[checks.CheckMessage]:
    if taken := sorted(conf().permissions.keys() & set(Permission)):
        sentence = f"GUESTLIST['PERMISSIONS'] names {', '.join(taken)}, which Guestlist asks for itself."
        yield checks.Error(sentence, hint="Give the project’s own another name.", id="guestlist.E007")


def _pages() -> Iterator[checks.CheckMessage]:
    """Links in mail lead to the invitation's page, and its button to a page that signs people in."""
    try:
        page = reverse("guestlist:invitation_link", args=["token"])
    except NoReverseMatch:
        yield checks.Error("The URLconf does not include 'guestlist.web.urls'.", id="guestlist.E004")
        return
    if page != f"{urlsplit(conf().url).path}/i/token":
        sentence = f"Links in mail start with {conf().url}/i/, but their page is at {page}."
        hint = "Let GUESTLIST['URL'] end with the path at which the URLconf includes 'guestlist.web.urls'."
        yield checks.Warning(sentence, hint=hint, id="guestlist.W001")
    try:
        address = resolve_url(settings.LOGIN_URL)
        if not urlsplit(address).netloc:
            resolve(urlsplit(address).path)
    except (NoReverseMatch, Resolver404):
        yield checks.Warning(f"Nothing answers at LOGIN_URL, {settings.LOGIN_URL}.", id="guestlist.W002")
