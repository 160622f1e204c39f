"""Every page in every state: the one list that the screenshots and the accessibility tests share.

A page that is added here is tested for accessibility, at 320 px and with twice the text, and photographed.
"""

from dataclasses import dataclass

from tests.browser.states import (
    TYPED,
    Act,
    choose_file,
    fail_to_act,
    fail_to_load,
    filling,
    follow_to_the_form,
    give_password,
    in_dialog,
    lose_the_token,
    open_details,
    open_drawer,
    open_first_event,
    open_menu,
    press_question_mark,
    pressing,
    pressing_for_three,
    save_preferences,
    select_page,
    select_three,
)

NORTHWIND = "/o/northwind/admin"
INVITATIONS = f"{NORTHWIND}/invitations"
ACME = "/o/acme/admin/invitations"
AUDIT_LOG = f"{NORTHWIND}/audit-log"


@dataclass(frozen=True)
class Place:
    """A page and how to bring it into a state. `path` may name a link of the demo, {setup} or {new}."""

    name: str
    path: str
    who: str | None = None
    act: Act | None = None
    server: str = "full"


SIGNED_OUT = [
    Place("sign-in", "/accounts/login/"),
    Place(
        "sign-in-error",
        "/accounts/login/",
        act=filling(
            {"Email": "maya@northwind.test", "Password": "wrong"}, "Sign In", "[role=alert] p, .error"
        ),
    ),
    Place("sign-in-second-proof", "/accounts/login/", act=give_password),
    Place("sign-up-closed", "/accounts/signup/"),
    Place("reset", "/accounts/password/reset/"),
    Place(
        "reset-sent",
        "/accounts/password/reset/",
        act=filling({"Email": "sofia@northwind.test"}, "Send", "h1"),
    ),
    Place("reset-form", "{reset}", act=follow_to_the_form),
    Place("reset-dead", "/accounts/password/reset/key/1-abc/"),
    Place("reset-done", "/accounts/password/reset/key/done/"),
    Place("setup-dead", "/setup/nothing"),
    Place("setup-organization", "{Litware}"),
    Place("setup-wrong-account", "{Wingtip}", "maya"),
    Place("setup-own-account", "{Wingtip}", "vera"),
    Place("outbox", "/outbox"),
    Place("help", "/help/"),
]
NEW = [
    Place("first-run", "{setup}", server="new"),
    Place("first-run-error", "{setup}", server="new", act=pressing("Create Organization")),
    Place("not-set-up", "/", server="new"),
    Place("sign-in-open", "/accounts/login/", server="new"),
    Place("sign-up", "/accounts/signup/", server="new"),
    Place("sign-up-error", "/accounts/signup/", server="new", act=pressing("Sign Up")),
    Place("outbox-empty", "/outbox", server="new"),
]
ACCEPT = [
    Place("accept-new", "{new}"),
    Place("accept-new-error", "{new}", act=pressing("Accept Invitation")),
    Place(
        "accept-passkey",
        "{new}",
        act=filling({"Full name": "Jane Doe"}, "Use a Passkey Instead", "text=Create Passkey"),
    ),
    Place("accept-handed-over", "{handed_over}"),
    Place("accept-sign-in", "{vera}"),
    Place("accept-ready", "{vera}", "vera"),
    Place("accept-ready-member", "{second}", "maya"),
    Place("accept-wrong", "{new}", "vera"),
    Place("accept-wrong-member", "{new}", "maya"),
    Place("accept-unverified", "{omar}", "omar"),
    Place("accept-expired", "{expired}"),
    Place("accept-expired-asked", "{asked}"),
    Place("accept-expired-newer", "{newer}"),
    Place("accept-expired-suppressed", "{suppressed}"),
    Place("accept-revoked", "{revoked}"),
    Place("accept-declined", "{declined}"),
    Place("accept-used", "{used}"),
    Place("accept-unknown", "/i/gli_nothing"),
    Place("accept-unknown-signed-in", "/i/gli_nothing", "vera"),
    Place("decline", "{decline}/decline"),
    Place("decline-signed-in", "{vera}/decline", "vera"),
    Place(
        "decline-error",
        "{declining}/decline",
        act=filling({"Your email address": "me@else.test"}, "Decline Invitation"),
    ),
    Place("preferences", "{preferences}/preferences"),
    Place("preferences-saved", "{saved}/preferences", act=save_preferences),
    Place("unsubscribe", "{unsubscribe}"),
    Place(
        "unsubscribe-stopped", "{unsubscribe}", act=pressing("Stop email from Harbor", shows="[role=status]")
    ),
    Place("add-address", "/accounts/add-address/{new_token}/", "vera"),
]
LISTS = [
    Place("invitations", INVITATIONS, "maya"),
    Place("invitations-empty", "/o/fabrikam/admin/invitations", "maya"),
    Place("invitations-no-match", f"{INVITATIONS}?q=nobody-has-this", "maya"),
    Place("invitations-expired", f"{INVITATIONS}?status=expired", "maya"),
    Place("invitations-declined", f"{INVITATIONS}?status=declined", "maya"),
    Place("invitations-asked", f"{INVITATIONS}?status=asked", "maya"),
    Place("invitations-empty-tab", "/o/acme/admin/invitations?status=revoked", "maya"),
    Place("invitations-pager", "/o/contoso/admin/invitations?page=2", "maya"),
    Place("invitations-load-error", INVITATIONS, "maya", fail_to_load),
    Place("invitations-action-error", INVITATIONS, "maya", fail_to_act),
    Place("invitations-bulk", INVITATIONS, "maya", select_three),
    Place("invitations-bulk-all", "/o/contoso/admin/invitations", "maya", select_page),
    Place("invite", INVITATIONS, "maya", in_dialog("")),
    Place("invite-preview", INVITATIONS, "maya", in_dialog(TYPED)),
    Place("invite-partly-sent", ACME, "maya", in_dialog("dora@acme.test, jane@, @nobody", send=True)),
    Place(
        "invite-file",
        INVITATIONS,
        "maya",
        choose_file(
            "Name;Email\nJane Doe;jane.doe@acme.test\nBob;bob@\nSue;sue@acme.test\nTom;tom at acme.test\n"
        ),
    ),
    Place("invite-file-error", INVITATIONS, "maya", choose_file("%PDF-1.7")),
    Place("invite-page", f"{INVITATIONS}/new", "maya"),
    Place(
        "invite-page-error",
        f"{INVITATIONS}/new",
        "maya",
        pressing("Send Invitations", shows="main .error, main .note"),
    ),
    Place(
        "revoke",
        INVITATIONS,
        "maya",
        pressing("Revoke invitation to jane@example.com", shows="[role=alertdialog]"),
    ),
    Place("toast", ACME, "maya", pressing("Resend invitation to ada@acme.test", shows=".toast")),
    Place("members", f"{NORTHWIND}/members", "maya"),
    Place("members-as-admin", f"{NORTHWIND}/members", "liam"),
    Place("members-no-match", f"{NORTHWIND}/members?q=nobody-has-this", "maya"),
    Place(
        "members-remove",
        f"{NORTHWIND}/members",
        "maya",
        pressing("Remove Kenji Watanabe", shows="[role=alertdialog]"),
    ),
    Place(
        "members-remove-stops",
        f"{NORTHWIND}/members",
        "maya",
        pressing("Remove Amara Okafor", shows="[role=alertdialog]"),
    ),
    Place("members-bulk", f"{NORTHWIND}/members", "maya", select_three),
    Place(
        "members-bulk-remove",
        f"{NORTHWIND}/members",
        "maya",
        pressing_for_three("Remove", "[role=alertdialog][open]"),
    ),
    Place(
        "members-bulk-role",
        f"{NORTHWIND}/members",
        "maya",
        pressing_for_three("Change Role…", "#choose-role[open]"),
    ),
    Place("member", "{member}", "maya"),
    Place("member-drawer", f"{NORTHWIND}/members", "maya", open_details("Sofia Rossi")),
    Place("member-transfer", "{member}/transfer", "maya"),
    Place("roles", f"{NORTHWIND}/roles", "maya"),
    Place("roles-as-admin", f"{NORTHWIND}/roles", "liam"),
    Place(
        "roles-delete",
        f"{NORTHWIND}/roles",
        "maya",
        pressing("Delete Member", shows="[role=alertdialog]"),
    ),
    Place("role-new", f"{NORTHWIND}/roles/new", "liam"),
    Place("role-new-error", f"{NORTHWIND}/roles/new", "maya", filling({"Name": "admin"}, "Create Role")),
    Place("role-fixed", "{role_owner}", "maya"),
    Place("role", "{role_admin}", "liam"),
    Place("settings", f"{NORTHWIND}/settings", "maya"),
    Place("settings-email", f"{NORTHWIND}/settings/email", "maya"),
    Place(
        "settings-email-error",
        f"{NORTHWIND}/settings/email",
        "maya",
        filling({"Remind people after (days)": "soon"}, "Save Settings"),
    ),
    Place("settings-security", f"{NORTHWIND}/settings/security", "maya"),
    Place("settings-danger", f"{NORTHWIND}/settings/danger", "maya"),
    Place(
        "settings-danger-error",
        f"{NORTHWIND}/settings/danger",
        "maya",
        filling({"Type its name, Northwind": "South"}, "Delete Organization"),
    ),
    Place("two-factor-required", "/o/adatum/", "noah"),
    Place("organizations-deleted", "/organizations", "liam"),
    Place(
        "settings-error", f"{NORTHWIND}/settings", "maya", filling({"Accent colour": "red"}, "Save Settings")
    ),
    Place("settings-invitations", f"{NORTHWIND}/settings/invitations", "maya"),
    Place(
        "settings-invitations-error",
        f"{NORTHWIND}/settings/invitations",
        "maya",
        filling({"Invitations last": "0", "Never invite addresses at": "everywhere"}, "Save Settings"),
    ),
    Place("audit-log", AUDIT_LOG, "maya"),
    Place("audit-log-details", AUDIT_LOG, "maya", open_first_event),
    Place("audit-log-filtered", f"{AUDIT_LOG}?type=invitation.sent&person=Liam+Chen&from=2026-01-01", "maya"),
    Place("audit-log-no-match", f"{AUDIT_LOG}?q=nobody-has-this", "maya"),
    Place("forbidden", INVITATIONS, "noah"),
    Place("home", "/o/northwind/", "maya"),
    Place("home-no-role", "/o/northwind/", "kenji"),
    Place("leave", "/o/northwind/leave", "noah"),
    Place("organizations", "/organizations", "maya"),
    Place("organizations-empty", "/organizations", "vera"),
    Place("organizations-new", "/organizations/new", "maya"),
    Place(
        "organizations-new-error",
        "/organizations/new",
        "maya",
        filling({"Organization name": "Northwind"}, "Create Organization"),
    ),
    Place("no-organization", "/", "vera"),
    Place("my-invitations", "/invitations", "vera"),
    Place("my-invitations-empty", "/invitations", "noah"),
    Place("drawer", INVITATIONS, "maya", open_drawer),
    Place("menu-organizations", INVITATIONS, "maya", open_menu("Switch organization:")),
    Place("menu-account", INVITATIONS, "maya", open_menu("Account menu:")),
    Place("shortcuts", INVITATIONS, "maya", press_question_mark),
]
JOIN_LINKS = [
    Place("join-links", f"{NORTHWIND}/join-links", "maya"),
    Place("join-links-empty", "/o/fabrikam/admin/join-links", "maya"),
    Place(
        "join-links-off",
        f"{NORTHWIND}/join-links",
        "maya",
        pressing("Turn off Summer interns", shows="[role=alertdialog]"),
    ),
    Place("join-links-new", f"{NORTHWIND}/join-links/new", "maya"),
    Place(
        "join-links-new-error",
        f"{NORTHWIND}/join-links/new",
        "maya",
        filling({"Name": "Team", "Maximum uses": "many"}, "Create Join Link"),
    ),
    Place("join-links-one", "{join_link}", "maya"),
    Place("join-links-edit", "{join_link}/edit", "maya"),
    Place("join-links-page", "{join_team}"),
    Place(
        "join-links-page-error",
        "{join_team}",
        act=filling({"Your email address": "me"}, "Send Me an Invitation"),
    ),
    Place(
        "join-links-page-sent",
        "{join_team}",
        act=filling({"Your email address": "me@else.test"}, "Send Me an Invitation", "[role=status]"),
    ),
    Place("join-links-page-ready", "{join_team}", "vera"),
    Place("join-links-page-elsewhere", "{join_domains}", "vera"),
    Place("join-links-page-off", "{join_off}"),
    Place("join-links-page-used", "{join_used}", "vera"),
    Place("join-links-page-expired", "{join_over}"),
    Place("join-links-page-mail-off", "{join_team}", server="off"),
]
DOMAINS = [
    Place("domains", f"{NORTHWIND}/domains", "maya"),
    Place("domains-empty", "/o/contoso/admin/domains", "maya"),
    Place(
        "domains-remove",
        f"{NORTHWIND}/domains",
        "maya",
        pressing("Remove nw.test", shows="[role=alertdialog]"),
    ),
    Place("domains-new", f"{NORTHWIND}/domains/new", "maya"),
    Place(
        "domains-new-error", f"{NORTHWIND}/domains/new", "maya", filling({"Domain": "gmail.com"}, "Send Code")
    ),
    Place("domains-verify", "{verify}", "maya"),
    Place("domains-verify-error", "{verify}", "maya", filling({"Code of 8 digits": "123"}, "Verify Domain")),
    Place("requests", f"{NORTHWIND}/requests", "maya"),
    Place("requests-no-match", f"{NORTHWIND}/requests?q=nobody-has-this", "maya"),
    Place("requests-empty", "/o/fabrikam/admin/requests", "maya"),
    Place("find", "/join"),
    Place("find-error", "/join", act=filling({"Your email address": "me"}, "Find Organization")),
    Place(
        "find-sent",
        "/join",
        act=filling({"Your email address": "me@else.test"}, "Find Organization", "[role=status]"),
    ),
    Place("find-own", "/join", "vera"),
    Place("find-own-empty", "/join", "noah"),
]
API_KEYS = f"{NORTHWIND}/api-keys"
KEYS = [
    Place("api-keys", API_KEYS, "maya"),
    Place("api-keys-as-admin", API_KEYS, "liam"),
    Place("api-keys-revoked", f"{API_KEYS}?status=revoked", "maya"),
    Place("api-keys-empty-tab", f"{API_KEYS}?status=creator_gone", "maya"),
    Place("api-keys-empty", "/o/fabrikam/admin/api-keys", "maya"),
    Place(
        "api-keys-rotate", API_KEYS, "maya", pressing("Rotate Monitoring", shows="[role=alertdialog][open]")
    ),
    Place("api-keys-revoke", API_KEYS, "maya", pressing("Revoke Backend", shows="[role=alertdialog][open]")),
    Place("api-keys-new", f"{API_KEYS}/new", "liam"),
    Place(
        "api-keys-new-error",
        f"{API_KEYS}/new",
        "maya",
        filling({"Name": "see evil.test"}, "Create API Key"),
    ),
    Place(
        "api-keys-shown",
        "/o/acme/admin/api-keys/new",
        "maya",
        filling({"Name": "CI"}, "Create API Key", "#api-key"),
    ),
]
WEBHOOKS = f"{NORTHWIND}/webhooks"
HOOKS = [
    Place("webhooks", WEBHOOKS, "maya"),
    Place("webhooks-empty", "/o/fabrikam/admin/webhooks", "maya"),
    Place("webhooks-off", WEBHOOKS, "maya", pressing("Turn off CRM", shows="[role=alertdialog][open]")),
    Place("webhooks-delete", WEBHOOKS, "maya", pressing("Delete CRM", shows="[role=alertdialog][open]")),
    Place("webhooks-new", f"{WEBHOOKS}/new", "liam"),
    Place(
        "webhooks-new-error",
        f"{WEBHOOKS}/new",
        "maya",
        filling({"Address": "http://10.0.0.1/"}, "Create Webhook"),
    ),
    Place(
        "webhooks-secret",
        "/o/acme/admin/webhooks/new",
        "maya",
        filling({"Address": "http://127.0.0.1:9/hooks"}, "Create Webhook", "#webhook-secret"),
    ),
    Place("webhook", "{webhook}", "maya"),
    Place("webhook-failing", "{webhook_failing}", "maya"),
    Place("webhook-gone", "{webhook_gone}", "maya"),
    Place("webhook-no-match", "{webhook}?q=nobody-has-this", "maya"),
    Place("webhook-empty-tab", "{webhook_failing}?state=canceled", "maya"),
    Place("webhook-edit", "{webhook}/edit", "maya"),
    Place("webhook-rotate", "{webhook}/rotate", "maya"),
    Place("webhook-delete", "{webhook}/delete", "maya"),
    Place(
        "webhook-redeliver",
        "{webhook}",
        "maya",
        filling({"Since": "2020-01-01T00:00"}, "Redeliver All", "[role=alertdialog][open]"),
    ),
    Place("webhook-call", "{webhook_call}", "maya"),
]
FAILED = f"{NORTHWIND}/delivery?state=failed"
DELIVERY = [
    Place("delivery", f"{NORTHWIND}/delivery", "maya"),
    Place("delivery-failed", FAILED, "maya"),
    Place("delivery-no-match", f"{NORTHWIND}/delivery?q=nobody-has-this", "maya"),
    Place("delivery-empty", "/o/fabrikam/admin/delivery", "maya"),
    Place("delivery-empty-tab", "/o/acme/admin/delivery?state=bounced", "maya"),
    Place(
        "delivery-retry-all", FAILED, "maya", pressing("Retry All Failed", shows="[role=alertdialog][open]")
    ),
    Place("delivery-failing", f"{NORTHWIND}/delivery", "maya", server="failing"),
    Place("invitations-failing", INVITATIONS, "maya", server="failing"),
    Place("members-failing", f"{NORTHWIND}/members", "maya", server="failing"),
    Place("invitation", "{deferred}", "maya"),
    Place("invitation-drawer", INVITATIONS, "maya", open_details("dana+events@example.com")),
    Place("invitation-drawer-sent", INVITATIONS, "maya", open_details("ravi@lakeside.test")),
]
MAIL_OFF = [
    Place("mail-off", INVITATIONS, "maya", server="off"),
    Place(
        "mail-off-hand-over",
        INVITATIONS,
        "maya",
        pressing("Create a link for jane@example.com", shows="dialog[open] #hand-over-link"),
        "off",
    ),
    Place("mail-off-accept-wrong", "{new}", "vera", server="off"),
]
ACCOUNT = [
    Place("profile", "/accounts/profile/", "maya"),
    Place(
        "profile-error", "/accounts/profile/", "maya", filling({"Full name": "see evil.test"}, "Save Profile")
    ),
    Place("email-addresses", "/accounts/email/", "maya"),
    Place(
        "email-code",
        "/accounts/email/",
        "noah",
        filling({"Email": "noah@home.test"}, "Add Address", "input[name=code]"),
    ),
    Place("sign-in-again", "/accounts/sign-in-again/", "otto later"),
    Place("password-change", "/accounts/password/change/", "maya"),
    Place("two-factor", "/accounts/2fa/", "maya"),
    Place("two-factor-off", "/accounts/2fa/", "noah"),
    Place("two-factor-app", "/accounts/2fa/totp/activate/", "noah"),
    Place(
        "two-factor-app-error",
        "/accounts/2fa/totp/activate/",
        "noah",
        filling({"Authenticator code": "1"}, "Turn On App"),
    ),
    Place("two-factor-app-remove", "/accounts/2fa/totp/deactivate/", "maya"),
    Place("recovery-codes", "/accounts/2fa/recovery-codes/", "maya"),
    Place("recovery-codes-new", "/accounts/2fa/recovery-codes/generate/", "maya"),
    Place("passkeys", "/accounts/2fa/webauthn/", "maya"),
    Place("passkeys-add", "/accounts/2fa/webauthn/add/", "noah"),
    Place("sessions", "/accounts/sessions/", "maya"),
    Place("connections", "/accounts/3rdparty/", "maya"),
    Place("reauthenticate", "/accounts/2fa/totp/deactivate/", "maya later"),
    Place("sign-out", "/accounts/logout/", "maya"),
]
ERRORS = [
    Place("error-403-csrf", "/accounts/login/", act=lose_the_token),
    Place("error-404", "/nothing-here"),
    Place("error-404-signed-in", "/o/nothing/", "maya"),
    Place("error-429", "/error/429"),
    Place("error-500", "/error/500"),
]
PLACES = [
    *SIGNED_OUT,
    *NEW,
    *ACCEPT,
    *LISTS,
    *JOIN_LINKS,
    *DOMAINS,
    *DELIVERY,
    *KEYS,
    *HOOKS,
    *MAIL_OFF,
    *ACCOUNT,
    *ERRORS,
]
