"""No more mail: what mail programs offer as “Unsubscribe” (RFC 8058), and the page of the same link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from guestlist.actions.acceptance import find_unsubscribing
from guestlist.actions.suppressions import unsubscribe
from guestlist.addresses import mask
from guestlist.models import Invitation
from guestlist.models.invitation import Status
from guestlist.web.access import actor_of
from guestlist.web.link import link_page


def _show(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Ask, and stop it when the button is pressed or a mail program asks in one click."""
    stopped = request.method == "POST"
    if stopped:
        unsubscribe(actor=actor_of(request), invitation=invitation)
    context = {
        "organization": invitation.organization,
        "masked": mask(invitation.email),
        "stopped": stopped,
        "pending": invitation.status_now == Status.PENDING,
        "allow_url": reverse("guestlist:my_invitations"),
    }
    return render(request, "guestlist/unsubscribe.html", context)


# A mail program has no cookie and no CSRF token: holding the link is all that it takes.
show = csrf_exempt(link_page(_show, find_unsubscribing))
