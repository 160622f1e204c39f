"""A form whose safety token is no longer good. A project names `refuse` in CSRF_FAILURE_VIEW."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve

# What Django says of a token that is not, or no longer, the cookie’s.
STALE = "CSRF token from POST incorrect."
LINK_PAGES = ("invitation_link", "decline_invitation", "invitation_preferences")


def refuse(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Nothing was done. Signing in or up in one tab ends the tokens of the others: the page of an invitation
    is then shown anew, and says what has become of it; everywhere else a page says what to do.
    """
    if reason == STALE and _is_link_page(request):
        return redirect(request.path)
    return render(request, "guestlist/403_csrf.html", status=403)


def _is_link_page(request: HttpRequest) -> bool:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    return "guestlist" in match.app_names and match.url_name in LINK_PAGES
