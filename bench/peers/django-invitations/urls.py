"""The addresses of both packages."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from organizations.backends import invitation_backend


def ping(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok")


urlpatterns = [
    path("ping", ping),
    path("login/", ping),
    path("organizations/", include("organizations.urls")),
    path("invited/", include(invitation_backend().get_urls())),
    path("invitations/", include("invitations.urls", namespace="invitations")),
]
