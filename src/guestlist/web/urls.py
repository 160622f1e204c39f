"""Addresses of the pages."""

from django.urls import path

from guestlist.web import accept, home, invitations, members, organizations

app_name = "guestlist"
_ADMIN = "o/<slug:slug>/admin"

urlpatterns = [
    path("", home.root, name="root"),
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
    path("i/<str:token>", accept.show, name="invitation_link"),
    path("i/<str:token>/decline", accept.decline, name="decline_invitation"),
    path("i/<str:token>/switch", accept.switch_account, name="switch_account"),
]
