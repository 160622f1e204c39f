"""Which address may become the primary one: it stands in every organization's list of members."""

from collections.abc import Callable, Iterable
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from guestlist_server.accounts.models import User
from guestlist_server.accounts.sign_up import take_from_squatters

View = Callable[..., HttpResponse]


def confirmed_first(view: View) -> View:
    """`view`, but an address becomes primary only once it is confirmed."""

    @wraps(view)
    def page(request: HttpRequest) -> HttpResponse:
        chosen = _chosen(request)
        if chosen is None or _may_be_primary(chosen):
            return view(request)
        get_adapter().add_message(request, messages.ERROR, "account/messages/unverified_primary_email.txt")
        return redirect("account_email")

    return page


def _chosen(request: HttpRequest) -> EmailAddress | None:
    if request.method != "POST" or "action_primary" not in request.POST:
        return None
    typed = request.POST.get("email", "").lower()
    own: Iterable[EmailAddress] = EmailAddress.objects.filter(user=request.user.pk)
    return next((address for address in own if address.email == typed), None)


def _may_be_primary(address: EmailAddress) -> bool:
    if address.verified:
        # Whoever merely claims it gives way.
        take_from_squatters(address.email, owner=address.user)
        return True
    others = EmailAddress.objects.filter(user=address.user).exclude(pk=address.pk)
    claimed = User.objects.filter(email=address.email).exclude(pk=address.user_id)
    return not others.exists() and not claimed.exists()
