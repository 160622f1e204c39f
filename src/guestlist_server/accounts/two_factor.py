"""Two-factor authentication where an organization requires it: who has it, and the way back from its page."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_WAY_BACK = "two_factor_next"


def is_on(user: Any) -> bool:
    """Any app, passkey or key counts; recovery codes alone do not."""
    proofs = Authenticator.objects.filter(user_id=user.pk)
    return bool(proofs.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def setup_url() -> str:
    """The page of two-factor and passkeys."""
    return reverse("mfa_index")


def index(request: HttpRequest) -> HttpResponse:
    """allauth's page, which remembers where to go on once it is set up."""
    from allauth.mfa.base import views  # with all of passkeys, which no worker needs

    page = request.GET.get("next", "")
    if request.user.is_authenticated and url_has_allowed_host_and_scheme(page, allowed_hosts=None):
        request.session[_WAY_BACK] = page
    response: HttpResponse = views.index(request)
    return response


def way_back(request: HttpRequest) -> str | None:
    """The page that somebody came from to set it up."""
    page: str | None = request.session.get(_WAY_BACK)
    return page
