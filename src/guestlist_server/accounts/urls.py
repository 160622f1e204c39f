"""Account pages beside allauth's."""

from django.urls import include, path

from guestlist_server.accounts import add_address, profile, removal

urlpatterns = [
    path("profile/", profile.show, name="account_profile"),
    # allauth's pages, which take things away without asking.
    path("email/", removal.addresses),
    path("3rdparty/", removal.connections),
    # Also where passkeys are off now: an account may have one from before.
    path("2fa/webauthn/", include("allauth.mfa.webauthn.urls")),
    path("add-address/<str:token>/", add_address.offer, name="add_address"),
]
