"""Who is at the door, and what every page inside an organization shows around itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import CharField, UUIDField
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions.mail_queue import queue_trouble
from guestlist.actions.two_factor import lacks_two_factor
from guestlist.actors import Actor, Origin
from guestlist.conf import conf
from guestlist.models import Membership, Organization
from guestlist.models.fields import NOTHING
from guestlist.models.headcount import Headcounts
from guestlist.models.invitation import Status
from guestlist.models.membership import MembershipQuerySet
from guestlist.models.prepared import Bind, Prepared
from guestlist.permissions import Permission, permission_label
from guestlist.web.dates import clock

View = Callable[..., HttpResponseBase]
LAST_ORGANIZATION = "guestlist_organization"
A_YEAR = 365 * 24 * 60 * 60
# The switcher lists no more; whoever belongs to more of them searches.
SWITCHER_SIZE = 50


@dataclass(frozen=True)
class Visit:
    """A member at a page of an organization."""

    actor: Actor
    membership: Membership

    @cached_property
    def headcounts(self) -> Headcounts:
        """How many members and invitations there are, as of the first look."""
        return Headcounts.of(self.organization)

    @property
    def organization(self) -> Organization:
        """The organization of the page."""
        return self.membership.organization

    @property
    def can_manage_members(self) -> bool:
        """Whether Members and Invitations are shown."""
        return self.can(Permission.MEMBER_MANAGE)

    def can(self, *permissions: Permission) -> bool:
        """Whether the member's role holds any of `permissions`."""
        return not self.membership.permissions.isdisjoint(permissions)


def origin(request: HttpRequest) -> Origin:
    """Where a request came from, for the audit log."""
    return Origin.of_request("web", request.META)


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is signed in; nobody in particular otherwise."""
    if request.user.is_authenticated:
        return Actor.user(request.user, origin=origin(request))
    return Actor("invitee", origin=origin(request))


def member_page(permission: Permission | None = None, *, two_factor: bool = True) -> Callable[[View], View]:
    """A page of an organization, called with the Visit in place of the slug.

    Signed out: sign in and come back. No member: as if the organization did not exist. A short name that it
    had: the same page under the new one. A member without two-factor authentication where the organization
    requires it, unless `two_factor` is false: 403, with where to set it up. A member without `permission`:
    403, which names it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest, slug: str, **values: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            try:
                visit = enter(request, slug, two_factor=two_factor)
                require_permission(request, visit, permission)
            except errors.TwoFactorRequired as error:
                return _set_up_first(request, error)
            except errors.NotFound:
                if new_slug := _new_slug(request, slug):
                    return _moved(request, new_slug, values)
                raise
            return _remember(request, visit, view(request, visit, **values))

        return page

    return decorate


def signed_in_page(view: View) -> View:
    """A page of a person rather than of an organization. Signed out: sign in and come back."""

    @wraps(view)
    def page(request: HttpRequest, **values: Any) -> HttpResponseBase:
        return view(request, **values) if request.user.is_authenticated else _sign_in(request)

    return page


def enter(request: HttpRequest, slug: str, *, two_factor: bool = True) -> Visit:
    """The visit of the signed-in user, membership, role and organization in one query, and another one where
    the organization requires two-factor authentication. Raises NotFound, TwoFactorRequired.
    """
    membership = next(iter(_MEMBERSHIP.instances(user=request.user.pk, slug=slug)), None)
    if membership is None:
        raise errors.NotFound
    organization = membership.organization
    if two_factor and lacks_two_factor(request.user, organization):
        raise errors.TwoFactorRequired(organization=organization.name)
    return Visit(actor_of(request), membership)


def require_permission(request: HttpRequest, visit: Visit, permission: Permission | None) -> None:
    """Raises NotAllowed, which names it in the shell."""
    if permission and not visit.can(permission):
        request.visit = visit  # type: ignore[attr-defined]  # for the 403 page in the shell
        label = permission_label(permission)
        raise errors.NotAllowed(permission=label, organization=visit.organization.name)


def shell(visit: Visit) -> dict[str, Any]:
    """What `shell.html` shows around a page of an organization: two queries, three for those who manage
    members.
    """
    headcounts = visit.headcounts
    return personal_shell(visit.actor, visit.organization) | {
        "user_name": visit.membership.name or visit.membership.email,
        "user_email": visit.membership.email,
        "member_count": headcounts.members[""],
        "pending_count": headcounts.invitations[Status.PENDING],
        "request_count": headcounts.requests,
        "can_manage_members": visit.can_manage_members,
        "can_join_ways": visit.can(Permission.MEMBER_MANAGE, Permission.ORGANIZATION_UPDATE),
        "can_read_roles": visit.can(Permission.ROLE_READ),
        "can_read_audit_log": visit.can(Permission.AUDIT_READ),
        "can_manage_api_keys": visit.can(Permission.API_KEY_MANAGE),
        "can_manage_webhooks": visit.can(Permission.WEBHOOK_MANAGE),
        "can_update_organization": visit.can(Permission.ORGANIZATION_UPDATE),
        "can_delete_organization": visit.can(Permission.ORGANIZATION_DELETE),
        "mail_notice": "not_configured" if conf().email_sending == "off" else None,
        "failing": _failing() if visit.can_manage_members else None,
    }


def _failing() -> dict[str, Any] | None:
    """Since when no mail can be sent at all, why, and when that is tried next."""
    trouble = queue_trouble()
    if trouble is None or trouble.failing_since is None:
        return None
    return {
        "since": clock(trouble.failing_since),
        "reason": trouble.reason.rstrip(".") or _("the mail server can’t be used"),
        "next_try": clock(trouble.paused_until) if trouble.paused_until else None,
    }


def personal_shell(actor: Actor, organization: Organization | None = None) -> dict[str, Any]:
    """What `shell.html` shows around a page of somebody who is signed in, in no organization: one query."""
    found = _ORGANIZATIONS.rows(user=actor.subject.pk, without=organization.pk if organization else NOTHING)
    listed = [{"name": name, "slug": slug} for name, slug in found]
    return {
        "organization": organization,
        "organizations": listed[:SWITCHER_SIZE],
        "more_organizations": len(listed) > SWITCHER_SIZE,
        "can_create_organizations": conf().create_organizations == "anyone",
        "shortcuts": getattr(actor.subject, "shortcuts", True),
        "user_name": actor.name or actor.email,
        "user_email": actor.email,
        "member_count": 0,
        "pending_count": 0,
        "request_count": 0,
        "can_manage_members": False,
        "can_join_ways": False,
        "can_read_roles": False,
        "can_read_audit_log": False,
        "can_manage_api_keys": False,
        "can_manage_webhooks": False,
        "can_update_organization": False,
        "can_delete_organization": False,
        "mail_notice": None,
        "failing": None,
    }


def _own(user: Any) -> MembershipQuerySet:
    rows = Membership.objects.active().filter(user=user, organization__deleted_at=None)
    return rows.select_related("organization", "role")


def _user() -> Bind:
    return Bind("user", Membership._meta.get_field("user").target_field)


_MEMBERSHIP = Prepared(lambda: _own(_user()).filter(organization__slug=Bind("slug", CharField())))
_ORGANIZATIONS = Prepared(
    lambda: (
        Organization.objects.filter(
            memberships__user=_user(), memberships__state=Membership.State.ACTIVE, deleted_at=None
        )
        .exclude(pk=Bind("without", UUIDField()))
        .order_by("name", "pk")
        .values_list("name", "slug")[: SWITCHER_SIZE + 1]
    )
)


def _new_slug(request: HttpRequest, slug: str) -> str | None:
    """The short name now of the member's organization that was called `slug` before."""
    found = _own(request.user.pk).filter(organization__former_slugs__slug=slug).first()
    return found.organization.slug if found else None


def _moved(request: HttpRequest, slug: str, values: dict[str, Any]) -> HttpResponse:
    """The same page under the new short name; a form is sent there again with all that it holds."""
    match = request.resolver_match
    if match is None:
        raise errors.NotFound
    url = reverse(match.view_name, kwargs={"slug": slug, **values})
    query = request.META.get("QUERY_STRING", "")
    again = request.method not in ("GET", "HEAD")
    return HttpResponseRedirect(f"{url}?{query}" if query else url, status=307 if again else 302)


def _set_up_first(request: HttpRequest, error: errors.TwoFactorRequired) -> HttpResponse:
    """Where to set up two-factor authentication; it leads back here."""
    two_factor = conf().two_factor
    if two_factor is None or request.htmx:  # type: ignore[attr-defined]
        raise error
    page = request.get_full_path() if request.method in ("GET", "HEAD") else _page_before(request)
    slug = request.resolver_match.kwargs["slug"] if request.resolver_match else ""
    context = {
        "shell": personal_shell(actor_of(request)),
        "title": _("%(organization)s requires two-factor authentication") % error.values,
        "setup_url": f"{two_factor.setup_url()}?{urlencode({'next': page})}",
        "page": page,
        "leave_url": reverse("guestlist:leave", args=[slug]),
    }
    return render(request, "guestlist/two_factor_required.html", context, status=error.status)


def _remember(request: HttpRequest, visit: Visit, response: HttpResponseBase) -> HttpResponseBase:
    """The start page leads back to the organization that was seen last."""
    slug = visit.organization.slug
    if request.method == "GET" and request.COOKIES.get(LAST_ORGANIZATION) != slug:
        response.set_cookie(
            LAST_ORGANIZATION,
            slug,
            max_age=A_YEAR,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            httponly=True,
            samesite="Lax",
        )
    return response


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        # The page stays as it is, with what was typed, until the browser follows.
        response = HttpResponse(status=401)
        response["HX-Redirect"] = redirect_to_login(_page_of(request)).url
        return response
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    context = {
        "sign_in_url": redirect_to_login(_page_before(request)).url,
        "text": request.POST.get("emails", ""),
    }
    return render(request, "guestlist/signed_out.html", context, status=401)


def _page_before(request: HttpRequest) -> str:
    """The page that held the form: an address that only takes forms can’t be come back to."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return reverse("guestlist:root")
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _page_of(request: HttpRequest) -> str:
    try:
        page = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    except ValueError:  # no address at all
        page = None
    return page or reverse("guestlist:root")
