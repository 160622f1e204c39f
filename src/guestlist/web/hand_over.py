"""A link to hand over, where e-mail is not configured."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from guestlist.actions.hand_over import create_hand_over_link
from guestlist.models import Invitation
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell


@never_cache
@require_POST
@member_page(Permission.MEMBER_MANAGE)
def create(request: HttpRequest, visit: Visit, invitation_id: UUID) -> HttpResponse:
    """Make the link and show it, this once."""
    link = create_hand_over_link(
        actor=visit.actor, organization=visit.organization, invitation_id=invitation_id
    )
    context = {
        "email": Invitation.objects.values_list("email", flat=True).get(pk=invitation_id),
        "link": link,
        "cancel_url": reverse("guestlist:invitations", args=[visit.organization.slug]),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "guestlist/_hand_over.html", context)
    return render(request, "guestlist/hand_over.html", context | {"shell": shell(visit)})
