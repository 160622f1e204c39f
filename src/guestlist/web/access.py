"""Who is at the door, and what every page inside an organization shows around itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from guestlist import errors
from guestlist.actors import Actor, Origin
from guestlist.conf import conf
from guestlist.models import Invitation, Membership, Organization
from guestlist.models.listing import capped_counts
from guestlist.permissions import Permission, permission_label

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Visit:
    """A member at a page of an organization."""

    actor: Actor
    membership: Membership

    @property
    def organization(self) -> Organization:
        """The organization of the page."""
        return self.membership.organization

    @property
    def can_manage_members(self) -> bool:
        """Whether Members and Invitations are shown."""
        return Permission.MEMBER_MANAGE in self.membership.permissions


def origin(request: HttpRequest) -> Origin:
    """Where a request came from, for the audit log."""
    return Origin.of_request("web", request.META)


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is signed in; nobody in particular otherwise."""
    if request.user.is_authenticated:
        return Actor.user(request.user, origin=origin(request))
    return Actor("invitee", origin=origin(request))


def member_page(permission: Permission | None = None) -> Callable[[View], View]:
    """A page of an organization, called with the Visit in place of the slug.

    Signed out: sign in and come back. No member: as if the organization did not exist. A member without
    `permission`: 403, which names it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest, slug: str, **values: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            visit = enter(request, slug)
            if permission and permission not in visit.membership.permissions:
                request.visit = visit  # type: ignore[attr-defined]  # for the 403 page in the shell
                label = permission_label(permission)
                raise errors.NotAllowed(permission=label, organization=visit.organization.name)
            return view(request, visit, **values)

        return page

    return decorate


def enter(request: HttpRequest, slug: str) -> Visit:
    """The visit of the signed-in user, membership, role and organization in one query. Raises NotFound."""
    own = Membership.objects.active().filter(organization__slug=slug, user=request.user.pk)
    membership = own.select_related("organization", "role").first()
    if membership is None:
        raise errors.NotFound
    return Visit(actor_of(request), membership)


def shell(visit: Visit) -> dict[str, Any]:
    """What `shell.html` shows around a page: two queries."""
    organization = visit.organization
    others = Organization.objects.filter(
        memberships__user=visit.actor.subject, memberships__state=Membership.State.ACTIVE
    ).exclude(pk=organization.pk)
    members, pending = capped_counts(
        [
            Membership.objects.active().filter(organization=organization),
            Invitation.objects.pending().filter(organization=organization),
        ]
    )
    return {
        "organization": organization,
        "organizations": list(others.order_by("name").values("name", "slug")),
        "user_name": visit.membership.name or visit.membership.email,
        "user_email": visit.membership.email,
        "member_count": members,
        "pending_count": pending,
        "can_manage_members": visit.can_manage_members,
        "mail_notice": "not_configured" if conf().email_sending == "off" else None,
        "failing": None,
    }


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        # The page stays as it is, with what was typed, until the browser follows.
        response = HttpResponse(status=401)
        response["HX-Redirect"] = redirect_to_login(_page_of(request)).url
        return response
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    context = {"sign_in_url": redirect_to_login(request.path).url, "text": request.POST.get("emails", "")}
    return render(request, "guestlist/signed_out.html", context, status=401)


def _page_of(request: HttpRequest) -> str:
    return request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
