"""Saying no: decline, don't invite me again; and asking for a new invitation after all."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from guestlist import errors
from guestlist.actions import acceptance, asking, suppressions
from guestlist.actions.invitee import has_proved_mailbox, is_invited
from guestlist.actions.suppressions import SCOPES, Scope, chosen_scope
from guestlist.models import Invitation
from guestlist.web.access import actor_of
from guestlist.web.link import ended, link_page, pending_page

REFUSALS = (errors.AddressNotConfirmed, errors.MailboxNotProved)


@pending_page
def decline(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Ask, then decline: as the invited, or having typed the address."""
    error = None
    if request.method == "POST":
        try:
            acceptance.decline_invitation(
                actor=actor_of(request),
                invitation=invitation,
                typed_address=request.POST.get("email", ""),
                note=request.POST.get("note", ""),
                suppress=scope_of(request),
            )
            return ended(request, acceptance.find_invitation(token=token), token, status=200)
        except REFUSALS as refusal:
            error = refusal
    context = answer_fields(request, invitation, error) | {
        "word": request.POST.get("note", ""),
        "longest_note": acceptance.LONGEST_NOTE,
        "accept_url": reverse("guestlist:invitation_link", args=[token]),
    }
    return render(request, "guestlist/decline.html", context, status=422 if error else 200)


@link_page
def preferences(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Whether this address may be invited again: only the invited, signed in or typed, change it."""
    error, saved = None, False
    if request.method == "POST" and "again" in request.POST:
        try:
            suppressions.suppress_invitations(
                actor=actor_of(request),
                invitation=invitation,
                scope=scope_of(request),
                typed_address=request.POST.get("email", ""),
            )
            saved = True
        except REFUSALS as refusal:
            error = refusal
    context = answer_fields(request, invitation, error) | {"saved": saved}
    if request.method != "POST":
        # People come here to be left alone; what holds is shown to the owner of the address only.
        signed_in = context["state"] == "signed_in"
        context["again"] = (chosen_scope(invitation=invitation) or "") if signed_in else "organization"
    return render(request, "guestlist/preferences.html", context, status=422 if error else 200)


@link_page
def ask(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Ask for a new invitation. One that is neither expired nor declined says what it is."""
    if request.method != "POST":
        return redirect("guestlist:invitation_link", token)
    try:
        answer = asking.ask_for_invitation(actor=actor_of(request), invitation=invitation)
    except errors.NotPending:
        # Pending again, or ended in another way: its own page says so.
        return redirect("guestlist:invitation_link", token)
    return ended(request, acceptance.find_invitation(token=token), token, status=200, answer=answer)


def scope_of(request: HttpRequest) -> Scope | None:
    """Who may not invite again, as the form says it."""
    again = request.POST.get("again")
    return again if again in SCOPES else None


def answer_fields(
    request: HttpRequest, invitation: Invitation, error: errors.GuestlistError | None
) -> dict[str, Any]:
    """The context of `_decline_fields.html`."""
    return {
        "organization": invitation.organization,
        "state": "signed_in" if is_invited(actor_of(request), invitation) else "anonymous",
        "error": error and str(error),
        "email": request.POST.get("email", ""),
        "again": scope_of(request) or "",
        "can_choose": has_proved_mailbox(actor_of(request), invitation),
    }
