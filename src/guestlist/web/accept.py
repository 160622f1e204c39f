"""An invitation's own pages. Reading them changes nothing and writes no session."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from guestlist import errors
from guestlist.actions import acceptance
from guestlist.actors import Actor
from guestlist.addresses import mask
from guestlist.conf import conf
from guestlist.models import Invitation
from guestlist.models.invitation import NEVER, Status
from guestlist.web.access import actor_of, origin
from guestlist.web.dates import day

ENDED = {
    Status.ACCEPTED: ("used", 410),
    Status.REVOKED: ("revoked", 410),
    Status.DECLINED: ("declined", 410),
    Status.EXPIRED: ("expired", 410),
}


def invitation_page(
    view: Callable[[HttpRequest, Invitation, str], HttpResponse],
) -> Callable[..., HttpResponse]:
    """A page of a pending invitation. Unknown links and ended invitations get their own pages, also when the
    invitation ends while `view` works.
    """

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        try:
            invitation = acceptance.find_invitation(token=token)
            if invitation.status_now != Status.PENDING:
                return _ended(request, invitation)
            return view(request, invitation, token)
        except errors.NotFound:
            return _unknown(request)
        except errors.NotPending:
            return _ended(request, acceptance.find_invitation(token=token))

    return page


@invitation_page
def show(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The offer; a POST accepts it."""
    if request.method != "POST":
        return _offer(request, invitation, token)
    try:
        return _accept(request, invitation, token)
    except errors.AccountExists:
        if not _has_account(invitation):
            raise
        # The same form was sent twice at once, and the other one made the account.
        return redirect(request.path)


@invitation_page
def decline(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Ask, then decline: as the owner of the address, or having typed it."""
    actor, error, typed = actor_of(request), None, request.POST.get("email", "")
    if request.method == "POST":
        try:
            acceptance.decline_invitation(actor=actor, token=token, typed_address=typed)
            return _ended(request, acceptance.find_invitation(token=token), status=200)
        except errors.AddressNotConfirmed as refusal:
            error = str(refusal)
    context = {
        "organization": invitation.organization,
        "state": "signed_in" if acceptance.owns_address(actor, invitation) else "anonymous",
        "error": error,
        "email": typed,
        "accept_url": reverse("guestlist:invitation_link", args=[token]),
    }
    return render(request, "guestlist/decline.html", context, status=422 if error else 200)


@require_POST
def switch_account(request: HttpRequest, token: str) -> HttpResponse:
    """Sign out, and look at the same invitation again."""
    auth.logout(request)
    return redirect("guestlist:invitation_link", token)


def _accept(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    if request.user.is_authenticated:
        if not acceptance.owns_address(actor_of(request), invitation):
            return _offer(request, invitation, token, status=403)
        acceptance.accept_invitation(actor=actor_of(request), token=token)
        return _joined(request, invitation)
    sign_up = conf().sign_up
    if sign_up is None or _has_account(invitation):
        return _offer(request, invitation, token, status=403)
    # One transaction: whoever loses a race against revoke has made no account either.
    with transaction.atomic():
        user = sign_up(request, invitation)
        if not isinstance(user, str):
            acceptance.accept_invitation(actor=Actor.user(user, origin=origin(request)), token=token)
    if isinstance(user, str):
        return _offer(request, invitation, token, signup_html=user, status=422)
    auth.login(request, user)
    return _joined(request, invitation)


def _joined(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.organization.name})
    return redirect("guestlist:organization", invitation.organization.slug)


def _offer(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    *,
    signup_html: str | None = None,
    status: int = 200,
) -> HttpResponse:
    by_user = invitation.invited_by_type == "user"
    context = {
        "organization": invitation.organization,
        "inviter_name": invitation.invited_by_name if by_user else None,
        "inviter_email": invitation.invited_by_email if by_user else None,
        "email": invitation.email,
        "sent": day(invitation.last_sent_at),
        "expires": None if invitation.expires_at == NEVER else day(invitation.expires_at),
        "decline_url": reverse("guestlist:decline_invitation", args=[token]),
        **_visitor(request, invitation, token, signup_html),
    }
    return render(request, "guestlist/accept.html", context, status=status)


def _visitor(
    request: HttpRequest, invitation: Invitation, token: str, signup_html: str | None
) -> dict[str, Any]:
    if request.user.is_authenticated:
        return _signed_in(request, invitation, token)
    sign_up = conf().sign_up
    if sign_up is None or (signup_html is None and _has_account(invitation)):
        return {"state": "sign_in", "sign_in_url": _sign_in_url(request)}
    return {"state": "new", "signup_html": signup_html or sign_up(request, invitation)}


def _signed_in(request: HttpRequest, invitation: Invitation, token: str) -> dict[str, Any]:
    actor = actor_of(request)
    if acceptance.owns_address(actor, invitation):
        return {"state": "member_ready", "signed_in_name": actor.name, "signed_in_email": actor.email}
    return {
        "state": "wrong",
        "masked": mask(invitation.email),
        "signed_in_email": actor.email,
        "switch_url": reverse("guestlist:switch_account", args=[token]),
        "next": request.path,
    }


def _ended(request: HttpRequest, invitation: Invitation, *, status: int | None = None) -> HttpResponse:
    state, code = ENDED[Status(invitation.status_now)]
    signed_in = request.user.is_authenticated
    if state == "used" and signed_in and acceptance.owns_address(actor_of(request), invitation):
        return redirect("guestlist:organization", invitation.organization.slug)
    context = {
        "state": state,
        "organization": invitation.organization,
        "sent": day(invitation.last_sent_at),
        "sign_in_url": None if signed_in else _sign_in_url(request, to="/"),
        "home_url": "/" if signed_in else None,
    }
    return render(request, "guestlist/ended.html", context, status=status or code)


def _unknown(request: HttpRequest) -> HttpResponse:
    signed_in = request.user.is_authenticated
    context = {
        "state": "unknown",
        "organization": None,
        "sign_in_url": None if signed_in else _sign_in_url(request, to="/"),
        "home_url": "/" if signed_in else None,
    }
    return render(request, "guestlist/ended.html", context, status=404)


def _has_account(invitation: Invitation) -> bool:
    return bool(conf().addresses.owners([invitation.key]))


def _sign_in_url(request: HttpRequest, to: str | None = None) -> str:
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': to or request.path})}"
