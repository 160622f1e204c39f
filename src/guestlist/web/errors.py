"""How the pages say no: in the shell, as a toast, or as a page of its own."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions.guesses import count_unknown
from guestlist.web.access import Visit, origin, shell
from guestlist.web.toasts import toasts

# Pages with a form that takes a file as well.
TAKING_FILES = ("new_invitations",)


class Errors:
    """Middleware that turns a GuestlistError from a page into an answer a person can use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def covers(self, request: HttpRequest) -> bool:
        """Whether the page is one of Guestlist’s: what a project’s other pages take is theirs to say."""
        match = request.resolver_match
        return match is not None and "guestlist" in match.app_names

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        """Refuse a body that is too large or no UTF-8 before anything reads it. The API, which needs no
        protection against forged forms, says so in its own words.
        """
        if getattr(view, "csrf_exempt", False) or not self.covers(request):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is not None and length.isdecimal() and int(length) > limit:
            takes_file = request.resolver_match and request.resolver_match.url_name in TAKING_FILES
            too_large = errors.FormTooLarge() if takes_file else errors.InputTooLarge()
            return self.process_exception(request, too_large)
        if (request.content_params or {}).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            request.encoding = "utf-8"
            return self.process_exception(request, errors.UnsupportedCharset())
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Only for errors that are meant for people."""
        if not isinstance(exception, errors.GuestlistError):
            return None
        if isinstance(exception, errors.NotFound):
            exception = _counted(request, exception)
        return with_retry_after(self._answer(request, exception), exception)

    def _answer(self, request: HttpRequest, error: errors.GuestlistError) -> HttpResponse:
        if request.htmx:  # type: ignore[attr-defined]
            answer = toasts(request, {"kind": "danger", "text": str(error)})
            answer.status_code = error.status
            answer["HX-Reswap"] = "none"
            return answer
        return _page(request, error)


def _counted(request: HttpRequest, error: errors.NotFound) -> errors.GuestlistError:
    """The refusal, or another one where there were too many of it."""
    if request.user.is_authenticated:
        try:
            count_unknown(who=f"user:{request.user.pk}", ip=origin(request).ip, path=request.path)
        except errors.TooManyTries as limited:
            return limited
    return error


def with_retry_after(answer: HttpResponse, error: errors.GuestlistError) -> HttpResponse:
    """`answer`, with when to come back where a limit refused."""
    if seconds := error.values.get("retry_after"):
        answer["Retry-After"] = str(seconds)
    return answer


def _page(request: HttpRequest, error: errors.GuestlistError) -> HttpResponse:
    visit = getattr(request, "visit", None)
    if isinstance(error, errors.NotAllowed) and isinstance(visit, Visit):
        return render(request, "guestlist/forbidden.html", _forbidden(visit, error), status=403)
    if isinstance(error, errors.NotFound):
        return render(request, "guestlist/404.html", status=404)
    if isinstance(error, errors.LimitReached):
        return render(request, "guestlist/429.html", {"refusal": str(error)}, status=error.status)
    context = {"status": error.status, "title": _("That didn’t work"), "body": str(error)}
    return render(request, "guestlist/error.html", context, status=error.status)


def _forbidden(visit: Visit, error: errors.NotAllowed) -> dict[str, Any]:
    name = visit.organization.name
    return {
        "shell": shell(visit),
        "title": _("You don’t have access to this page"),
        "permission": error.values["permission"],
        "body": _("An owner or admin of %(organization)s can give it to you.") % {"organization": name},
    }
