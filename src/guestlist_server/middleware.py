"""What every request passes: the log line, and the headers that keep pages from being misused."""

import time
from collections.abc import Callable
from datetime import UTC
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import cast
from urllib.parse import unquote
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

import structlog
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import ResolverMatch, get_resolver, reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from guestlist.links import mask_token
from guestlist.web import errors

GetResponse = Callable[[HttpRequest], HttpResponseBase]
log = structlog.get_logger("guestlist.requests")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "private, no-store",
}


class Errors(errors.Errors):
    """Also the account pages and the server's own refuse what is too large or no UTF-8 in our words."""

    def covers(self, request: HttpRequest) -> bool:
        """Every page."""
        return True


class RequestLog:
    """One line for each request, with an id that the response carries as X-Request-ID."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, started = uuid4().hex, time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        log.info(
            "request",
            method=request.method,
            path=mask_token(request.path),
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response


class ContentSecurityPolicy:
    """Nothing but our own files runs in a page, no page is framed, and no cache keeps what is private.

    Static files are answered before this; a response that sets one of the headers itself keeps it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = " ".join((POLICY, *settings.GUESTLIST_FORM_ACTIONS))
        for name, value in {"Content-Security-Policy": policy, **HEADERS}.items():
            response.headers.setdefault(name, value)
        return response


class ApiCalls:
    """A call of the API goes straight to its view: it takes no session, no form and no page, so that what
    stands ready for those would only cost time. Refusals are translated for it as for a page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.answer = cast("GetResponse", convert_exception_to_response(_answer_call))
        self.prefix = reverse("guestlist-api:nothing-at-root")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.prefix):
            return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = self.answer(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        if isinstance(response, HttpResponse):
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _answer_call(request: HttpRequest) -> HttpResponseBase:
    request.get_host()  # refuses a host that is not ours
    path = request.path_info
    # Real ones are short; what somebody makes up must not fill the memory.
    found = _match(path) if len(path) <= 200 else _match.__wrapped__(path)
    view, args, values = request.resolver_match = found
    return view(request, *args, **values)  # type: ignore[no-any-return]


@lru_cache(1000)
def _match(path: str) -> ResolverMatch:
    """Seventy patterns are asked one after the other."""
    return get_resolver().resolve(path)


class ProviderFailures:
    """An identity provider that cannot be reached is no failure of this server, and says so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer for whatever the library that talks to providers could not do."""
        from requests import RequestException

        if not isinstance(exception, RequestException):
            return None
        log.warning("provider_failed", error=str(exception), exc_info=False)
        return render(request, "socialaccount/authentication_error.html", status=502)


class TrustedProxies:
    """REMOTE_ADDR is the address that the outermost trusted proxy saw: for the audit log, the sessions and
    the limits alike. Whatever a client wrote into the header itself stands further left.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        hops = settings.GUESTLIST_TRUSTED_PROXIES
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if 0 < hops <= len(seen) and (address := _address(seen[-hops].strip())):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


class Preferences:
    """Language and time zone: the user's choice, else what the browser says, else UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Who has no session is nobody: asking would not even cost a query, but make answers vary.
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        user = request.user if has_session and request.user.is_authenticated else None
        language = getattr(user, "language", "")
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        chosen = getattr(user, "time_zone", "") or unquote(request.COOKIES.get("timezone", ""))
        zone = ZoneInfo(chosen) if chosen in time_zones() else UTC
        with timezone.override(zone):
            return self.get_response(request)


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones that people live in."""
    names = available_timezones()
    return frozenset(name for name in names if "/" in name and not name.startswith(("Etc/", "SystemV/"))) | {
        "UTC"
    }


def _address(text: str) -> str | None:
    """An IP address, also where a proxy added the port."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        return str(ip_address(bare))
    except ValueError:
        return None
