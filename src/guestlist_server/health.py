"""Whether the server runs, and whether it can do its work."""

import sys

from django.db import Error, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from django.views.defaults import server_error

# The boxes in which people write more than they would like to write again.
_BOXES = ("emails", "note")


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration, else 503 with what is missing."""
    try:
        missing = len(unapplied_migrations())
    except Error:
        return JsonResponse({"ready": False, "database": "unreachable", "migrations": None}, status=503)
    migrations = f"{missing} unapplied" if missing else "applied"
    body = {"ready": not missing, "database": "ok", "migrations": migrations}
    return JsonResponse(body, status=503 if missing else 200)


def unapplied_migrations() -> list[str]:
    """The migrations that the database lacks."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500. A database that can't be used is a 503 that gives back what was typed."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    if "HX-Request" in request.headers:
        # The page stays as it is, with what was typed in it; its script says that this didn't work.
        answer = HttpResponse(f"{_sentence()}\n", "text/plain; charset=utf-8", status=503)
    else:
        text = _typed(request)
        # Without the request: neither the session nor its messages can be asked for.
        context = {"request": None, "text": text, "body": _sentence(), "url": _again(request, text)}
        answer = HttpResponse(render_to_string("unavailable.html", context), status=503)
    answer["Retry-After"] = "5"
    return answer


def _sentence() -> str:
    return _("The database can’t be used right now, so nothing was saved or sent. Try again in a moment.")


def _typed(request: HttpRequest) -> str:
    try:
        return next((text for name in _BOXES if (text := request.POST.get(name, "").strip())), "")
    except Exception:  # a body that can’t be read holds nothing to give back
        return ""


def _again(request: HttpRequest, text: str) -> str:
    """The form's page; the start for a form without a box, whose address may show no page."""
    return escape_leading_slashes(request.path) if text or request.method == "GET" else "/"
