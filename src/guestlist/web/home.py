"""The start page."""

from django.contrib.auth.views import redirect_to_login
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from guestlist.actions.deletion import restorable_organizations
from guestlist.conf import conf
from guestlist.models import FormerSlug, Membership
from guestlist.models.organization import SLUG
from guestlist.web.access import LAST_ORGANIZATION
from guestlist.web.find import openings


def root(request: HttpRequest) -> HttpResponse:
    """The organization that the signed-in person saw last, else their newest, else sign-in. With none but
    one to restore: that.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    own = Membership.objects.active().filter(user=request.user, organization__deleted_at=None)
    own = own.select_related("organization")
    slug = _last_seen(request)
    was_called = Exists(FormerSlug.objects.filter(organization=OuterRef("organization"), slug=slug))
    seen_last = Case(When(Q(organization__slug=slug) | was_called, then=Value(0)), default=Value(1))
    membership = own.order_by(seen_last, "-joined_at").first()
    if membership is None and restorable_organizations(user=request.user):
        return redirect("guestlist:organizations")
    if membership is None:
        context = {
            "can_create_organizations": conf().create_organizations == "anyone",
            "openings": openings(request),
        }
        return render(request, "guestlist/no_organization.html", context)
    return redirect("guestlist:organization", membership.organization.slug)


def _last_seen(request: HttpRequest) -> str:
    slug = request.COOKIES.get(LAST_ORGANIZATION, "")
    return slug if SLUG.fullmatch(slug) else ""
