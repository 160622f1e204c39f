"""Organizations: somebody's own, a new one, one that was deleted, the home of each, and leaving it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions.deletion import gone_at, restorable_organizations, restore_organization
from guestlist.actions.members import is_last_owner, leave_organization
from guestlist.actions.organizations import create_organization, require_may_create
from guestlist.actions.slugs import suggested_slug
from guestlist.actions.two_factor import lacks_two_factor
from guestlist.models import Membership
from guestlist.models.fields import searchable
from guestlist.models.listing import Columns, Listing, capped_counts
from guestlist.models.membership import MembershipQuerySet
from guestlist.web.access import (
    SWITCHER_SIZE,
    Visit,
    actor_of,
    member_page,
    personal_shell,
    shell,
    signed_in_page,
)
from guestlist.web.confirm import confirm
from guestlist.web.dates import day
from guestlist.web.errors import with_retry_after
from guestlist.web.find import openings
from guestlist.web.tables import Address, columns, shown

COLUMNS: Columns = {
    "name": F("organization__name"),
    "role": Coalesce("role__name", Value("")),
    "joined": F("joined_at"),
}


@require_safe
@signed_in_page
def index(request: HttpRequest) -> HttpResponse:
    """The signed-in person's organizations; for htmx the list alone, or the links of the switcher."""
    own = _own(request)
    if request.htmx and (request.htmx.target or "").startswith("org-list"):  # type: ignore[attr-defined]
        return _links(request, own)
    context = _list(request, own)
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_organizations.html", context)
    context |= {"shell": _shell(request), "deleted": _deleted(request), "openings": openings(request)}
    return render(request, "guestlist/organizations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_page
def new(request: HttpRequest) -> HttpResponse:
    """The form, and creating; whoever creates an organization owns it. What was typed stays."""
    actor = actor_of(request)
    name, slug = (request.POST.get(field, "").strip() for field in ("name", "slug"))
    try:
        require_may_create(actor=actor)
        if request.method != "POST":
            return _form(request, name, slug, None)
        organization = create_organization(
            actor=actor, name=name, slug=slug or suggested_slug(name), owner=actor.subject
        )
    except errors.NotAllowed as error:
        context = {
            "shell": _shell(request),
            "title": _("You can’t create an organization"),
            "body": str(error),
            "permission": None,
        }
        return render(request, "guestlist/forbidden.html", context, status=error.status)
    except (errors.NameEmpty, errors.NameHasLink, errors.SlugInvalid, errors.SlugTaken) as error:
        return _form(request, name, slug, error)
    except errors.CreationLimit as error:
        return with_retry_after(_form(request, name, slug, error), error)
    messages.success(request, _("%(name)s is ready. Invite the first people.") % {"name": organization.name})
    return redirect("guestlist:invitations", organization.slug)


@require_POST
@signed_in_page
def restore(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """Take a deleted organization back."""
    organization = restore_organization(actor=actor_of(request), organization_id=organization_id)
    messages.success(request, _("%(name)s is restored.") % {"name": organization.name})
    return redirect("guestlist:organization", organization.slug)


@require_safe
@member_page()
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What any member sees: the organization and their role."""
    stays = is_last_owner(visit.membership)
    reason = _("You’re the only owner, so you can’t leave. Make somebody else an owner first.")
    context = {
        "shell": shell(visit),
        "role": visit.membership.role and visit.membership.role.name,
        "can_leave": not stays,
        "leave_reason": reason if stays else None,
    }
    return render(request, "guestlist/organization.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(two_factor=False)
def leave(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask, then leave."""
    organization = visit.organization
    if request.method == "POST":
        leave_organization(actor=visit.actor, organization=organization)
        messages.success(request, _("You have left %(name)s.") % {"name": organization.name})
        return redirect("guestlist:root")
    context = {
        "title": _("Leave %(name)s?") % {"name": organization.name},
        "body": _("You lose access at once. To come back you need a new invitation."),
        "action": request.path,
        "fields": [],
        "button": _("Leave"),
        "cancel_url": reverse("guestlist:organization", args=[organization.slug]),
        "danger": True,
        "current": "home",
    }
    if lacks_two_factor(request.user, organization) and not request.htmx:  # type: ignore[attr-defined]
        # Nothing of the organization is around the question.
        return render(request, "guestlist/confirm.html", context | {"shell": _shell(request)})
    return confirm(request, visit, context)


def _links(request: HttpRequest, own: MembershipQuerySet) -> HttpResponse:
    """The switcher shows the organization of the page apart from the others."""
    others = own.exclude(organization__slug=searchable(request.GET.get("except", "")))
    found = others.select_related("organization").order_by("organization__name", "pk")[:SWITCHER_SIZE]
    context = {"organizations": [member.organization for member in found], "searched": True}
    return render(request, "guestlist/_organization_links.html", context)


def _shell(request: HttpRequest) -> dict[str, Any]:
    return personal_shell(actor_of(request))


def _own(request: HttpRequest) -> MembershipQuerySet:
    rows = Membership.objects.active().filter(user=request.user.pk, organization__deleted_at=None)
    if text := searchable(request.GET.get("q", "")):
        found = Q(organization__name__icontains=text) | Q(organization__slug__icontains=text)
        rows = rows.filter(found)
    return rows


def _deleted(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "gone": day(gone_at(row)),
            "restore_url": reverse("guestlist:restore_organization", args=[row.pk]),
        }
        for row in restorable_organizations(user=request.user)
    ]


def _list(request: HttpRequest, own: MembershipQuerySet) -> dict[str, Any]:
    names = ("q", "sort", "page", "after", "before")
    address = Address.of(request, reverse("guestlist:organizations"), names)
    q, sort = request.GET.get("q", ""), request.GET.get("sort", "") or "name"
    (total,) = capped_counts([own])
    listing: Listing[Membership] = Listing.of(own.select_related("organization", "role"), COLUMNS, sort)
    page = shown(request, listing, address, total)
    labels = {"name": _("Organization"), "role": _("Your role"), "joined": _("Joined")}
    return {
        "columns": columns(address, sort, labels, ("joined",)),
        "rows": [_row(member) for member in page.rows],
        "pager": page.pager,
        "total": total,
        "q": q,
        "sort": sort,
        "search_url": address.path,
        "self_url": address(),
        "state": "rows" if page.rows else "no_match" if q else "empty",
    }


def _row(member: Membership) -> dict[str, Any]:
    return {
        "id": str(member.pk),
        "name": member.organization.name,
        "slug": member.organization.slug,
        "role": member.role and member.role.name,
        "joined": day(member.joined_at),
        "joined_iso": member.joined_at.isoformat(),
    }


def _form(request: HttpRequest, name: str, slug: str, error: errors.GuestlistError | None) -> HttpResponse:
    context = {
        "shell": _shell(request),
        "name": name,
        "slug": slug,
        "errors": {error.field or "name": str(error)} if error else {},
    }
    return render(request, "guestlist/new_organization.html", context, status=error.status if error else 200)
