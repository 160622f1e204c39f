"""Addresses of the pages."""

from django.urls import path

from guestlist.web import (
    accept,
    decline,
    delivery,
    hand_over,
    home,
    invitation_details,
    invitations,
    members,
    my_invitations,
    organizations,
    settings,
    unsubscribe,
)
from guestlist.web import help as help_page

app_name = "guestlist"
_ADMIN = "o/<slug:slug>/admin"

urlpatterns = [
    path("", home.root, name="root"),
    path("help/", help_page.show, name="help"),
    path("organizations", organizations.index, name="organizations"),
    path("organizations/new", organizations.new, name="new_organization"),
    path("o/<slug:slug>/", organizations.home, name="organization"),
    path("o/<slug:slug>/leave", organizations.leave, name="leave"),
    path(f"{_ADMIN}/members", members.index, name="members"),
    path(f"{_ADMIN}/members/<uuid:member_id>/role", members.change_role, name="change_role"),
    path(f"{_ADMIN}/members/<uuid:member_id>/remove", members.remove, name="remove_member"),
    path(f"{_ADMIN}/invitations", invitations.index, name="invitations"),
    path(f"{_ADMIN}/invitations/new", invitations.new, name="new_invitations"),
    path(f"{_ADMIN}/invitations/preview", invitations.preview, name="preview_invitations"),
    path(f"{_ADMIN}/invitations/revoke", invitations.revoke_selected, name="revoke_invitations"),
    path(f"{_ADMIN}/invitations/resend", invitations.resend_selected, name="resend_invitations"),
    path(f"{_ADMIN}/invitations/<uuid:invitation_id>/revoke", invitations.revoke, name="revoke_invitation"),
    path(f"{_ADMIN}/invitations/<uuid:invitation_id>/resend", invitations.resend, name="resend_invitation"),
    path(f"{_ADMIN}/invitations/<uuid:invitation_id>/dismiss", invitations.dismiss, name="dismiss_request"),
    path(f"{_ADMIN}/invitations/<uuid:invitation_id>/link", hand_over.create, name="hand_over_link"),
    path(f"{_ADMIN}/settings", settings.index, name="settings"),
    path(f"{_ADMIN}/settings/preview", settings.preview, name="settings_preview"),
    path(f"{_ADMIN}/settings/test", settings.mail_test, name="send_test"),
    path(f"{_ADMIN}/invitations/<uuid:invitation_id>", invitation_details.show, name="invitation"),
    path(f"{_ADMIN}/delivery", delivery.index, name="delivery"),
    path(f"{_ADMIN}/delivery/retry", delivery.retry_failed, name="retry_deliveries"),
    path(f"{_ADMIN}/delivery/try-again", delivery.try_again, name="try_again"),
    path(f"{_ADMIN}/delivery/<uuid:delivery_id>/retry", delivery.retry, name="retry_delivery"),
    path("invitations", my_invitations.index, name="my_invitations"),
    path("invitations/<uuid:invitation_id>/accept", my_invitations.accept, name="accept_own_invitation"),
    path("invitations/<uuid:invitation_id>/decline", my_invitations.decline, name="decline_own_invitation"),
    path("invitations/allow/<uuid:suppression_id>", my_invitations.allow, name="allow_invitations"),
    path("i/<str:token>", accept.show, name="invitation_link"),
    path("i/<str:token>/decline", decline.decline, name="decline_invitation"),
    path("i/<str:token>/ask", decline.ask, name="ask_for_invitation"),
    path("i/<str:token>/preferences", decline.preferences, name="invitation_preferences"),
    path("u/<str:token>", unsubscribe.show, name="unsubscribe"),
    path("i/<str:token>/switch", accept.switch_account, name="switch_account"),
]
