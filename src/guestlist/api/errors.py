"""Every refusal leaves as `application/problem+json` (RFC 9457)."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ninja.errors
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI

from guestlist import addresses, errors
from guestlist.actions.guesses import count_unknown
from guestlist.actors import Actor
from guestlist.api.limits import headers_of

logger = logging.getLogger("guestlist.api")
ERRORS_SHOWN = 100
_LONGEST_FIELD = 200
_CODES = {"extra_forbidden": "unknown_field", "missing": "required"}
_DETAILS = {"extra_forbidden": "There is no such field.", "missing": "This field is required."}


class InvalidJson(errors.GuestlistError):
    """The body is not valid JSON in UTF-8, names a field twice, or is nested too deeply."""

    code, status = "invalid_json", 400


class BadRequest(errors.GuestlistError):
    """The server can’t take this request: its address or a header is not as it should be."""

    code, status = "bad_request", 400


class BodyIncomplete(errors.GuestlistError):
    """The connection ended before the whole body had arrived."""

    code, status = "body_incomplete", 400


class MethodNotAllowed(errors.GuestlistError):
    """This address does not take that method."""

    code, status = "method_not_allowed", 405


class UnsupportedMediaType(errors.GuestlistError):
    """Send JSON, with Content-Type: application/json."""

    code, status = "unsupported_media_type", 415


class Unexpected(errors.GuestlistError):
    """Something went wrong on the server. It has been logged."""

    code, status = "server_error", 500


class Unavailable(errors.GuestlistError):
    """The database can’t be reached right now. Nothing was changed; try again soon."""

    code, status = "unavailable", 503


def problem(error: errors.GuestlistError) -> HttpResponse:
    """The refusal as a response. ASCII only, so that lone surrogates come back escaped."""
    body = json.dumps(error.as_problem())
    return HttpResponse(
        body, status=error.status, content_type="application/problem+json", headers=_headers(error)
    )


def _headers(error: errors.GuestlistError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 503:
        headers["Retry-After"] = "5"
    return headers | headers_of(error)


def _not_found(request: HttpRequest, error: errors.NotFound | type[errors.NotFound]) -> HttpResponse:
    """Unknown, or another organization's, which look the same. Counted for whoever came with a key."""
    actor = getattr(request, "auth", None)
    if isinstance(actor, Actor):
        try:
            count_unknown(who=f"api_key:{actor.id}", ip=actor.origin.ip, path=request.path)
        except errors.TooManyTries as limited:
            return problem(limited)
    return problem(errors.NotFound())


def install(api: NinjaAPI) -> None:
    """Answer every exception that a handler lets out with a problem."""
    handlers: Mapping[type[Exception], Callable[[Any], errors.GuestlistError]] = {
        errors.GuestlistError: lambda error: error,
        addresses.InputTooLarge: lambda _: errors.InputTooLarge(),
        ninja.errors.AuthenticationError: lambda _: errors.NotSignedIn(),
        ninja.errors.ValidationError: lambda error: errors.InvalidInput(errors=field_errors(error.errors)),
        ninja.errors.HttpError: _unreadable,
        RequestDataTooBig: lambda _: errors.InputTooLarge(),
        UnreadablePostError: lambda _: BodyIncomplete(),
        SuspiciousOperation: lambda _: BadRequest(),
        Http404: lambda _: errors.NotFound(),
    }
    for kind, translate in handlers.items():
        api.add_exception_handler(kind, lambda _, error, translate=translate: problem(translate(error)))  # type: ignore[misc]
    api.add_exception_handler(errors.NotFound, _not_found)
    api.add_exception_handler(Exception, _unexpected)


def field_errors(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is wrong with which field, the first 100; the values themselves are not repeated."""
    return [
        {
            "field": _path(error["loc"]),
            "code": _CODES.get(error["type"], error["type"]),
            "detail": _DETAILS.get(error["type"], f"{error['msg']}."),
        }
        for error in found[:ERRORS_SHOWN]
    ]


def _path(location: Sequence[str | int]) -> str:
    """`("body", "payload", "emails", 3)` as `emails[3]`: the first says where, a body's second is ours."""
    inside = location[2:] if location[0] == "body" else location[-1:]
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inside)
    return text.removeprefix(".")[:_LONGEST_FIELD] or "body"


def _unreadable(error: Exception) -> errors.GuestlistError:
    # Ninja wraps whatever the parser raises.
    return error.__cause__ if isinstance(error.__cause__, errors.GuestlistError) else InvalidJson()


def _unexpected(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """A fault of ours. Whoever listens to Django's signal hears of it as of any other."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database unavailable: %s", type(error).__name__)
        return problem(Unavailable())
    logger.exception("unexpected error", exc_info=error if isinstance(error, Exception) else None)
    got_request_exception.send(sender=None, request=request)
    return problem(Unexpected())
