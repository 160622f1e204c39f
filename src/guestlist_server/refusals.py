"""What is refused, or fails, outside of any page or call: below /api/ as a problem, elsewhere as a page."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from guestlist import errors
from guestlist.api.errors import BadRequest, Unavailable, Unexpected, problem
from guestlist_server import health


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: another host, too many parameters."""
    return problem(BadRequest()) if _is_call(request) else defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return problem(errors.NotFound()) if _is_call(request) else defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    if not _is_call(request):
        return health.failed(request)
    gone = isinstance(sys.exception(), OperationalError | InterfaceError)
    return problem(Unavailable() if gone else Unexpected())


def _is_call(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
