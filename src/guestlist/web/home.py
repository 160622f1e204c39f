"""The start page."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from guestlist.models import Membership


def root(request: HttpRequest) -> HttpResponse:
    """The signed-in person's newest organization, else sign-in."""
    if not request.user.is_authenticated:
        return redirect_to_login("/")
    own = Membership.objects.active().filter(user=request.user).select_related("organization")
    newest = own.order_by("-joined_at").first()
    if newest is None:
        return render(request, "guestlist/no_organization.html")
    return redirect("guestlist:organization", newest.organization.slug)
