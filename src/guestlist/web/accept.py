"""An invitation's own page. Reading it changes nothing and writes no session."""

from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guestlist import errors
from guestlist.actions import acceptance
from guestlist.actions.invitee import claims_address, is_invited
from guestlist.actors import Actor
from guestlist.addresses import mask
from guestlist.conf import conf
from guestlist.models import Invitation, Membership
from guestlist.web.access import actor_of, origin
from guestlist.web.dates import day, last_day
from guestlist.web.link import pending_page, sign_in_url


@pending_page
def show(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The offer; a POST accepts it."""
    if request.method != "POST":
        return _offer(request, invitation, token)
    try:
        return _accept(request, invitation, token)
    except errors.AccountExists:
        if _has_account(invitation):
            # The same form was sent twice at once, and the other one made the account.
            return redirect(request.path)
        # An account holds the address without having proved it, and a link that was handed over does not.
        return _offer(request, invitation, token, has_account=True, status=409)


@require_POST
def switch_account(request: HttpRequest, token: str) -> HttpResponse:
    """Sign out, and look at the same invitation again."""
    auth.logout(request)
    return redirect("guestlist:invitation_link", token)


def joined(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Into the organization, with a word of welcome."""
    messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.organization.name})
    return redirect("guestlist:organization", invitation.organization.slug)


def _accept(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    if request.user.is_authenticated:
        if not is_invited(actor_of(request), invitation):
            return _offer(request, invitation, token, status=403)
        acceptance.accept_invitation(actor=actor_of(request), invitation=invitation)
        return joined(request, invitation)
    sign_up = conf().sign_up
    if sign_up is None or _has_account(invitation):
        return _offer(request, invitation, token, status=403)
    # One transaction: whoever loses a race against revoke has made no account either.
    with transaction.atomic():
        user = sign_up(request, invitation)
        if not isinstance(user, str):
            actor = Actor.user(user, origin=origin(request))
            acceptance.accept_invitation(actor=actor, invitation=invitation)
    if isinstance(user, str):
        return _offer(request, invitation, token, signup_html=user, status=422)
    # A project may have several ways to sign in; a new account came by none of them.
    auth.login(request, user, backend=getattr(user, "backend", settings.AUTHENTICATION_BACKENDS[0]))
    return joined(request, invitation)


def _offer(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    *,
    signup_html: str | None = None,
    has_account: bool | None = None,
    status: int = 200,
) -> HttpResponse:
    by_user = invitation.invited_by_type == "user"
    context = {
        "organization": invitation.organization,
        "inviter_name": invitation.invited_by_name if by_user else None,
        "inviter_email": invitation.invited_by_email if by_user else None,
        "email": invitation.email,
        "sent": day(invitation.last_sent_at),
        "expires": last_day(invitation.expires_at),
        "decline_url": reverse("guestlist:decline_invitation", args=[token]),
        "handed_over": not invitation.proves_mailbox,
        **_visitor(request, invitation, token, signup_html, has_account),
    }
    return render(request, "guestlist/accept.html", context, status=status)


def _visitor(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    signup_html: str | None,
    has_account: bool | None,
) -> dict[str, Any]:
    if request.user.is_authenticated:
        return _signed_in(request, invitation, token)
    sign_up = conf().sign_up
    if sign_up is None or has_account or (signup_html is None and _has_account(invitation)):
        return {"state": "sign_in", "sign_in_url": sign_in_url(request)}
    return {
        "state": "new",
        "signup_html": signup_html or sign_up(request, invitation),
        "sign_in_url": sign_in_url(request),
    }


def _signed_in(request: HttpRequest, invitation: Invitation, token: str) -> dict[str, Any]:
    actor = actor_of(request)
    own = Membership.objects.active().filter(organization=invitation.organization, user=actor.subject)
    visitor = {
        "signed_in_name": actor.name,
        "signed_in_email": actor.email,
        "already_member": own.exists(),
    }
    if is_invited(actor, invitation):
        return visitor | {"state": "ready"}
    return visitor | {
        "state": "wrong",
        "masked": mask(invitation.email),
        "unverified": claims_address(actor, invitation),
        "switch_url": reverse("guestlist:switch_account", args=[token]),
        "organization_url": reverse("guestlist:organization", args=[invitation.organization.slug]),
        "address_is_free": invitation.proves_mailbox and not _has_account(invitation),
        "token": token,
    }


def _has_account(invitation: Invitation) -> bool:
    return bool(conf().addresses.owners([invitation.key]))
