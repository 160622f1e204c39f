"""The start page."""

from django.contrib.auth.views import redirect_to_login
from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from guestlist.conf import conf
from guestlist.models import Membership
from guestlist.models.organization import SLUG
from guestlist.web.access import LAST_ORGANIZATION


def root(request: HttpRequest) -> HttpResponse:
    """The organization that the signed-in person saw last, else their newest, else sign-in."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    own = Membership.objects.active().filter(user=request.user).select_related("organization")
    seen_last = Case(When(organization__slug=_last_seen(request), then=Value(0)), default=Value(1))
    membership = own.order_by(seen_last, "-joined_at").first()
    if membership is None:
        context = {"can_create_organizations": conf().create_organizations == "anyone"}
        return render(request, "guestlist/no_organization.html", context)
    return redirect("guestlist:organization", membership.organization.slug)


def _last_seen(request: HttpRequest) -> str:
    slug = request.COOKIES.get(LAST_ORGANIZATION, "")
    return slug if SLUG.fullmatch(slug) else ""
