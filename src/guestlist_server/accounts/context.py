"""What every page may ask about accounts. Nothing of it costs a query."""

from collections.abc import Iterable
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from guestlist.conf import conf
from guestlist_server.accounts.two_factor import way_back

# The first that fits: most browsers also claim to be some of the later ones.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def account(request: HttpRequest) -> dict[str, Any]:
    """`passkeys`: whether browsers do them here; `mail_off`; `signup_open`; `providers()`: name and address
    of each identity provider; `device(user_agent)`: what people call it; `way_back()`: the page that somebody
    came from to set up two-factor authentication.
    """
    return {
        "passkeys": passkeys_work(),
        "mail_off": conf().email_sending == "off",
        "signup_open": settings.GUESTLIST_SIGNUP == "open",
        "device": device,
        "way_back": lambda: way_back(request),
        "providers": lambda: providers(request),
    }


def device(user_agent: str) -> str:
    """`Firefox on Windows`; what is not known is called so."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), _("Unknown browser"))
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


def passkeys_work() -> bool:
    """Whether the public address allows passkeys and security keys."""
    return "webauthn" in settings.MFA_SUPPORTED_TYPES


def providers(request: HttpRequest) -> list[dict[str, str]]:
    """The identity providers that may be used, by name."""
    return named(request, get_adapter().list_providers(request))


def named(request: HttpRequest, found: Iterable[Any]) -> list[dict[str, str]]:
    """Name and address of each of these providers, by name."""
    return sorted(
        ({"name": provider.name, "url": provider.get_login_url(request)} for provider in found),
        key=lambda provider: provider["name"].lower(),
    )
