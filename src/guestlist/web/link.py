"""What the pages of an invitation's link share: finding it, and what is shown once it has ended."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guestlist import errors
from guestlist.actions import acceptance
from guestlist.actions.asking import ASKABLE, Answer, what_asking_brings
from guestlist.actions.guesses import count_guess
from guestlist.actions.invitee import is_invited
from guestlist.actions.mail import concerned
from guestlist.addresses import mask
from guestlist.conf import conf
from guestlist.models import Invitation, Membership
from guestlist.models.invitation import Status
from guestlist.web.access import actor_of, origin
from guestlist.web.dates import day, moment

STATES = {
    Status.ACCEPTED: "used",
    Status.REVOKED: "revoked",
    Status.DECLINED: "declined",
    Status.EXPIRED: "expired",
}
# Of an invitation, or of a join link.
View = Callable[[HttpRequest, Any, str], HttpResponse]


class Find(Protocol):
    """Raises NotFound."""

    def __call__(self, *, token: str) -> Any:
        """What a link opens: an invitation or a join link."""


def link_page(view: View, find: Find = acceptance.find_invitation) -> Callable[..., HttpResponse]:
    """A page of an invitation in whatever state. Unknown and malformed links share one page."""

    @login_not_required
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        try:
            return view(request, find(token=token), token)
        except errors.OrganizationGone as error:
            return _dead(request, "gone", error)
        except errors.NotFound:
            return _unknown(request)

    return page


def pending_page(view: View) -> Callable[..., HttpResponse]:
    """A page of a pending invitation. One that has ended says so, also when it ends while `view` works."""

    @link_page
    @wraps(view)
    def page(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
        try:
            if invitation.status_now == Status.PENDING:
                return view(request, invitation, token)
        except errors.NotPending:
            invitation = acceptance.find_invitation(token=token)
        return ended(request, invitation, token)

    return page


def ended(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    *,
    status: int = 410,
    answer: Answer | None = None,
) -> HttpResponse:
    """What became of the invitation, and a way on. `answer` is what came of asking for a new one."""
    state, start = STATES[Status(invitation.status_now)], reverse("guestlist:root")
    organization = invitation.organization
    if state == "used" and has_joined(request, invitation):
        return redirect("guestlist:organization", organization.slug)
    context = {
        "state": state,
        "organization": organization,
        "inviter_name": invitation.invited_by_name if invitation.invited_by_type == "user" else None,
        "sent": day(invitation.last_sent_at),
        "sign_in_url": None if request.user.is_authenticated else sign_in_url(request, to=start),
        "home_url": start if request.user.is_authenticated else None,
        "preferences_url": reverse("guestlist:invitation_preferences", args=[token]),
        **_asking(invitation, token, answer),
    }
    return render(request, "guestlist/ended.html", context, status=status)


def sign_in_url(request: HttpRequest, to: str | None = None) -> str:
    """The project's sign-in, which leads back here or to `to`."""
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': to or request.path})}"


def _asking(invitation: Invitation, token: str, answer: Answer | None) -> dict[str, Any]:
    """Whether to offer asking for a new one, who would be told, or why it is not offered."""
    context: dict[str, Any] = {"answer": answer, "ask_url": None, "asked": None, "told": None}
    context |= {"masked": mask(invitation.email), "by_mail": conf().email_sending != "off"}
    if invitation.status_now not in ASKABLE:
        return context
    outlook = what_asking_brings(invitation=invitation)
    if outlook == Answer.TOLD:
        told = concerned(invitation.organization, invitation)
        inviter = [member for member in told if str(member.user_id) == invitation.invited_by_id]
        who = "inviter" if inviter else "owners" if told else None
        return context | {"ask_url": reverse("guestlist:ask_for_invitation", args=[token]), "told": who}
    asked = invitation.asked_at and moment(invitation.asked_at)
    return context | {"answer": answer or outlook, "asked": asked}


def has_joined(request: HttpRequest, invitation: Invitation) -> bool:
    """Whether the signed-in person is the invited one and a member now."""
    actor = actor_of(request)
    if not is_invited(actor, invitation):
        return False
    own = Membership.objects.active().filter(organization=invitation.organization, user=actor.subject)
    return own.exists()


def _unknown(request: HttpRequest) -> HttpResponse:
    count_guess(ip=origin(request).ip)
    return _dead(request, "unknown", errors.NotFound())


def _dead(request: HttpRequest, state: str, error: errors.NotFound) -> HttpResponse:
    """A link of nothing, or of an organization that is deleted."""
    signed_in = request.user.is_authenticated
    context = {
        "state": state,
        "refusal": str(error),
        "organization": None,
        "answer": None,
        "ask_url": None,
        "preferences_url": None,
        "sign_in_url": None if signed_in else sign_in_url(request, to=reverse("guestlist:root")),
        "home_url": reverse("guestlist:root") if signed_in else None,
    }
    return render(request, "guestlist/ended.html", context, status=410 if state == "gone" else 404)
