"""allauth's pages for whoever repeats a step, comes too late, or fails it: they lead on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import passthrough_next_redirect_url
from allauth.mfa.base.views import authenticate
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp.views import deactivate_totp
from allauth.mfa.webauthn import views as keys
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from guestlist_server.accounts.context import passkeys_work

View = Callable[..., HttpResponse]


def or_else(view: View, name: str) -> View:
    """`view`, but where what it is about is gone: to the page of that name."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        try:
            return view(request, *args, **values)
        except Http404:
            return redirect(name)

    return page


def second_step(request: HttpRequest) -> HttpResponse:
    """The second proof. allauth takes a form without a code for one with a key, also where there are none."""
    if request.method == "POST" and "code" not in request.POST and not passkeys_work():
        return redirect("mfa_authenticate")
    answer: HttpResponse = authenticate(request)
    return answer


class SignInWithKey(keys.LoginWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """A passkey that does not fit leads back to sign-in, which still knows where to go."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say what is wrong on the page that asks again."""
        super().form_invalid(form)
        return redirect(passthrough_next_redirect_url(self.request, reverse("account_login"), "next"))


class ProveWithKey(keys.ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """A key that does not fit proves nothing, and is asked for again."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say what is wrong on the page that asks again."""
        super().form_invalid(form)
        return redirect(passthrough_next_redirect_url(self.request, self.request.path, "next"))


remove_app = or_else(deactivate_totp, "mfa_index")
show_codes = or_else(recovery_codes.view_recovery_codes, "mfa_index")
download_codes = or_else(recovery_codes.download_recovery_codes, "mfa_index")
remove_key = or_else(keys.remove_webauthn, "mfa_list_webauthn")
edit_key = or_else(keys.edit_webauthn, "mfa_list_webauthn")
