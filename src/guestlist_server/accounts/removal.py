"""Asks before an address or a connected account is taken out of an account."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from allauth.account.views import email as manage_addresses
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.views import connections as manage_connections
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from guestlist_server.accounts.primary_address import confirmed_first

View = Callable[..., HttpResponse]
Question = Callable[[HttpRequest, QueryDict], Mapping[str, Any] | None]


def asking(question: Question, view: View) -> View:
    """`view`, but a POST for which `question` has one is answered with it, until it comes back confirmed."""

    @wraps(view)
    def page(request: HttpRequest) -> HttpResponse:
        asked = None
        if request.method == "POST" and "confirmed" not in request.POST:
            asked = question(request, request.POST)
        if asked is None:
            return view(request)
        context = {"action": request.path, "back_url": request.path, **asked}
        return render(request, "account/confirm_removal.html", context)

    return page


def _address(request: HttpRequest, posted: QueryDict) -> Mapping[str, Any] | None:
    if "action_remove" not in posted or not posted.get("email"):
        return None
    return {
        "title": _("Remove %(email)s?") % {"email": posted["email"]},
        "text": _("Invitations to it are no longer yours to accept, and you can’t sign in with it."),
        "label": _("Remove Address"),
        "values": {"email": posted["email"], "action_remove": "1"},
    }


def _connection(request: HttpRequest, posted: QueryDict) -> Mapping[str, Any] | None:
    try:
        chosen = int(posted.get("account", ""))
    except ValueError:
        return None
    account = SocialAccount.objects.filter(user=request.user.pk, pk=chosen).first()
    if account is None:
        return None
    return {
        "title": _("Disconnect %(account)s?") % {"account": account},
        "text": _("You can’t sign in with it any more."),
        "label": _("Disconnect Account"),
        "values": {"account": account.pk},
    }


addresses = login_required(asking(_address, confirmed_first(manage_addresses)))
connections = login_required(asking(_connection, manage_connections))
