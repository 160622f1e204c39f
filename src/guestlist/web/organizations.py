"""Home of an organization, and leaving it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from guestlist.actions.members import is_last_owner, leave_organization
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm


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
@member_page()
def leave(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask, then leave."""
    organization = visit.organization
    if request.method == "POST":
        leave_organization(actor=visit.actor, organization=organization)
        messages.success(request, _("You have left %(name)s.") % {"name": organization.name})
        return redirect("/")
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
    return confirm(request, visit, context)
