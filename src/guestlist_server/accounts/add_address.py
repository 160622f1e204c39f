"""`/accounts/add-address/<token>/`: take an invited address into the account one is signed in with.

The link alone adds nothing: it takes a fresh proof of who is there, and a code from the mailbox.
"""

from collections.abc import Callable
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guestlist import errors
from guestlist.actions.acceptance import find_invitation
from guestlist.addresses import mask
from guestlist.conf import conf
from guestlist.models import Invitation
from guestlist.models.invitation import Status
from guestlist_server.accounts import address_codes
from guestlist_server.accounts.models import User

View = Callable[[HttpRequest, str, str], HttpResponse]


def page_of_free_address(view: View) -> Callable[..., HttpResponse]:
    """A page for somebody who holds the mailed link of a pending invitation to an address that nobody owns;
    everybody else is led back to the invitation, which says what is the matter.
    """

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @login_required
    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        invitation = _free_invitation(token)
        if invitation is None:
            return redirect("guestlist:invitation_link", token)
        proved = reauthentication_required(view)
        response: HttpResponse = proved(request, token, invitation.key)
        return response

    return page


@page_of_free_address
def offer(request: HttpRequest, token: str, email: str) -> HttpResponse:
    """Warn, mail a code, take it back, and lead to the invitation again."""
    user = _user(request)
    if request.method != "POST":
        return _page(request, token, email)
    if "send" in request.POST:
        return _send(request, user, token, email)
    if not address_codes.is_right(user, email, request.POST.get("code", "")):
        waiting = address_codes.waiting_code(user, email)
        error = (
            _("That is not the code.") if waiting else _("That code doesn’t work any more. Send a new one.")
        )
        return _page(request, token, email, error=error, status=422)
    try:
        told = address_codes.add_verified_address(user, email)
    except errors.AccountExists:
        return redirect("guestlist:invitation_link", token)
    _tell(user, told, email)
    messages.success(request, _("%(email)s is yours now.") % {"email": email})
    return redirect("guestlist:invitation_link", token)


def _send(request: HttpRequest, user: User, token: str, email: str) -> HttpResponse:
    code = address_codes.new_code(user, email)
    if code is None:
        error = _("You asked for three codes within an hour. Try again later.")
        return _page(request, token, email, error=error, status=429)
    try:
        get_adapter().send_mail("account/email/add_address", email, {"code": code, "user": user})
    except errors.MailFailed as error:
        address_codes.take_back(user, email, code)
        return _page(request, token, email, error=str(error), status=error.status)
    return redirect(request.path)


def _page(
    request: HttpRequest, token: str, email: str, *, error: str | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "masked": mask(email),
        "mine": _user(request).email or _user(request).name,
        "waiting": address_codes.waiting_code(_user(request), email) is not None,
        "error": error,
        "token": token,
    }
    return render(request, "account/add_address.html", context, status=status)


def _tell(user: User, addresses: list[str], email: str) -> None:
    """Tell the addresses that the account had."""
    for address in addresses:
        get_adapter().send_notification_mail(
            "account/email/address_added", user, {"added_email": email}, email=address
        )


def _free_invitation(token: str) -> Invitation | None:
    try:
        invitation = find_invitation(token=token)
    except errors.NotFound:
        return None
    pending = invitation.status_now == Status.PENDING and conf().email_sending != "off"
    owned = conf().addresses.owners([invitation.key])
    return invitation if pending and invitation.proves_mailbox and not owned else None


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
