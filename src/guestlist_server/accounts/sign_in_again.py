"""`/accounts/sign-in-again/`: the proof of an account that has no password, passkey or code."""

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import password_set
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guestlist_server.accounts import proof
from guestlist_server.accounts.context import named


@never_cache
@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The ways on: the account's own providers, or a password set by mail."""
    back = get_next_redirect_url(request) or reverse("account_profile")
    if not needed(request):
        return redirect(back)
    context = {"next": back, "providers": lambda: own_providers(request)}
    return render(request, "account/sign_in_again.html", context)


def needed(request: HttpRequest) -> bool:
    """Whether nothing else proves who is there: also where the account has keys that browsers cannot use
    here, for which a sign-in by a provider is no proof.
    """
    if get_reauthentication_flows(request.user):
        methods = get_account_adapter().get_reauthentication_methods(request.user)
        return bool(methods[0]["id"] == "sign_in_again")
    return proof.is_missing(request)


def own_providers(request: HttpRequest) -> list[dict[str, str]]:
    """The identity providers that sign in to this account, where that is a proof."""
    if get_reauthentication_flows(request.user):
        return []
    own = set(SocialAccount.objects.filter(user=request.user.pk).values_list("provider", flat=True))
    return named(request, [found for found in get_adapter().list_providers(request) if found.sub_id in own])


def _has_no_password(request: HttpRequest) -> bool:
    return not request.user.has_usable_password()  # type: ignore[union-attr]  # who is signed in


# allauth lets whoever sits at the browser set a first password, which would then prove everything else.
set_password: Any = login_required(reauthentication_required(password_set, enabled=_has_no_password))
