"""Addresses of the server."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path

from guestlist.api.app import api
from guestlist.models import Organization
from guestlist.web import home
from guestlist_server import first_run, health, mail_webhooks, metrics, outbox


def root(request: HttpRequest) -> HttpResponse:
    """First run, else the app's start page."""
    if not request.user.is_authenticated and not Organization.objects.exists():
        return render(request, "not_set_up.html", status=503)
    return home.root(request)


urlpatterns = [
    path("", root, name="root"),
    path("setup/<str:code>", first_run.set_up, name="set_up"),
    path("accounts/", include("guestlist_server.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("outbox", outbox.outbox, name="outbox"),
    path("outbox/<str:message_id>.eml", outbox.download, name="outbox_download"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    *mail_webhooks.urlpatterns(),
    path("api/docs", lambda request: redirect("/api/v1/docs"), name="api_docs"),
    path("api/v1/", api.urls),
    path("", include("guestlist.web.urls")),
]
handler400 = "guestlist_server.refusals.bad_request"
handler404 = "guestlist_server.refusals.not_found"
handler500 = "guestlist_server.refusals.failed"
