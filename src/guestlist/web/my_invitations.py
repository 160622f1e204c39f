"""My invitations: what is waiting for the signed-in person, at any verified address."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import acceptance, suppressions
from guestlist.models import Invitation
from guestlist.models.invitation import Status
from guestlist.web.accept import joined
from guestlist.web.access import actor_of, personal_shell, signed_in_page
from guestlist.web.dates import last_day
from guestlist.web.decline import answer_fields, scope_of
from guestlist.web.link import has_joined

MOST_SHOWN = 100


@require_safe
@signed_in_page
def index(request: HttpRequest) -> HttpResponse:
    """What waits, and who may not invite."""
    actor = actor_of(request)
    waiting = list(acceptance.own_invitations(actor=actor)[: MOST_SHOWN + 1])
    context = {
        "invitations": [_row(row) for row in waiting[:MOST_SHOWN]],
        "more": len(waiting) > MOST_SHOWN,
        "suppressions": [
            {
                "email": row.key,
                "organization": row.organization and row.organization.name,
                "allow_url": reverse("guestlist:allow_invitations", args=[row.pk]),
            }
            for row in suppressions.own_suppressions(actor=actor)[:MOST_SHOWN]
        ],
        "shell": personal_shell(actor),
    }
    return render(request, "guestlist/my_invitations.html", context)


@require_POST
@signed_in_page
def accept(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Join."""
    actor = actor_of(request)
    invitation = acceptance.find_own_invitation(actor=actor, invitation_id=invitation_id)
    try:
        acceptance.accept_invitation(actor=actor, invitation=invitation)
    except errors.NotPending as error:
        if has_joined(request, invitation):
            return redirect("guestlist:organization", invitation.organization.slug)
        return _gone(request, error)
    return joined(request, invitation)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_page
def decline(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Ask, then decline."""
    actor = actor_of(request)
    invitation = acceptance.find_own_invitation(actor=actor, invitation_id=invitation_id)
    if invitation.status_now != Status.PENDING:
        return _gone(request, errors.NotPending(invitation.status_now))
    if request.method != "POST":
        context = answer_fields(request, invitation, None) | {
            "word": "",
            "longest_note": acceptance.LONGEST_NOTE,
            "accept_url": reverse("guestlist:my_invitations"),
        }
        return render(request, "guestlist/decline.html", context)
    try:
        acceptance.decline_invitation(
            actor=actor,
            invitation=invitation,
            note=request.POST.get("note", ""),
            suppress=scope_of(request),
        )
    except errors.NotPending as error:
        return _gone(request, error)
    text = _("You declined the invitation to %(name)s.")
    messages.success(request, text % {"name": invitation.organization.name})
    return redirect("guestlist:my_invitations")


@require_POST
@signed_in_page
def allow(request: HttpRequest, suppression_id: UUID) -> HttpResponse:
    """Let an address be invited again."""
    suppressions.allow_invitations(actor=actor_of(request), suppression_id=suppression_id)
    messages.success(request, _("You can be invited again."))
    return redirect("guestlist:my_invitations")


def _gone(request: HttpRequest, error: errors.NotPending) -> HttpResponse:
    messages.error(request, str(error))
    return redirect("guestlist:my_invitations")


def _row(row: Invitation) -> dict[str, Any]:
    return {
        "organization": row.organization.name,
        "email": row.email,
        "invited_by": row.invited_by_name if row.invited_by_type == "user" else None,
        "expires": last_day(row.expires_at),
        "accept_url": reverse("guestlist:accept_own_invitation", args=[row.pk]),
        "decline_url": reverse("guestlist:decline_own_invitation", args=[row.pk]),
    }
