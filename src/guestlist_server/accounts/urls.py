"""Account pages beside allauth's."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path

from guestlist_server.accounts import (
    add_address,
    confirmation,
    profile,
    removal,
    repeated,
    sign_in_again,
    two_factor,
)

urlpatterns = [
    path("profile/", profile.show, name="account_profile"),
    path("sign-in-again/", sign_in_again.show, name="sign_in_again"),
    path("password/set/", sign_in_again.set_password),
    path("confirm-email/", confirmation.enter_code),
    path("confirm-email/<path:key>", confirmation.no_link),
    # allauth's pages, which take things away without asking.
    path("email/", removal.addresses),
    path("3rdparty/", removal.connections),
    path("2fa/", two_factor.index),
    path("2fa/authenticate/", repeated.second_step),
    path("2fa/totp/deactivate/", repeated.remove_app),
    path("2fa/recovery-codes/", repeated.show_codes),
    path("2fa/recovery-codes/download/", repeated.download_codes),
    path("2fa/webauthn/login/", repeated.SignInWithKey.as_view()),
    path("2fa/webauthn/reauthenticate/", login_required(repeated.ProveWithKey.as_view())),
    path("2fa/webauthn/keys/<int:pk>/remove/", repeated.remove_key),
    path("2fa/webauthn/keys/<int:pk>/edit/", repeated.edit_key),
    # Also where passkeys are off now: an account may have one from before.
    path("2fa/webauthn/", include("allauth.mfa.webauthn.urls")),
    path("add-address/<str:token>/", add_address.offer, name="add_address"),
]
