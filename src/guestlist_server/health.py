"""Whether the server runs, and whether it can do its work."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


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
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
