"""The audit log in words: what happened, to what, and each value before and after."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from guestlist.conf import parse_lifetime
from guestlist.models.domain import Mode
from guestlist.models.invitation import NEVER, Status
from guestlist.models.membership import Membership
from guestlist.models.webhook import WhyOff
from guestlist.permissions import permission_label
from guestlist.templating import format_duration
from guestlist.web.dates import moment
from guestlist.web.mail import states

NOTHING = "–"


def types() -> dict[str, dict[str, str]]:
    """Every type of event in words, grouped by what it happens to."""
    return {
        _("Organization"): {
            "organization.created": _("Organization created"),
            "organization.updated": _("Settings changed"),
            "organization.deleted": _("Organization deleted"),
            "organization.restored": _("Organization restored"),
            "setup_link.created": _("Set-up link created"),
        },
        _("Invitations"): {
            "invitation.sent": _("Invitation sent"),
            "invitation.resent": _("Invitation sent again"),
            "invitation.accepted": _("Invitation accepted"),
            "invitation.declined": _("Invitation declined"),
            "invitation.revoked": _("Invitation revoked"),
            "invitation.expired": _("Invitation expired"),
            "invitation.failed": _("Email failed"),
            "invitation.delivered": _("Email delivered"),
            "invitation.bounced": _("Email bounced"),
            "invitation.complained": _("Email marked as spam"),
            "invitation.reminded": _("Reminder queued"),
            "invitation.retried": _("Email tried again"),
            "invitation.asked": _("New invitation asked for"),
            "invitation.request_dismissed": _("Request for a new invitation dismissed"),
            "invitation.suppressed": _("Invitations no longer wanted"),
            "invitation.allowed": _("Invitations wanted again"),
            "invitation.link_created": _("Link to hand over created"),
        },
        _("Members"): {
            "member.joined": _("Member joined"),
            "member.role_changed": _("Role of a member changed"),
            "member.removed": _("Member removed"),
            "member.left": _("Member left"),
        },
        _("Roles"): {
            "role.created": _("Role created"),
            "role.updated": _("Role changed"),
            "role.deleted": _("Role deleted"),
        },
        _("Join links"): {
            "join_link.created": _("Join link created"),
            "join_link.updated": _("Join link changed"),
        },
        _("Domains"): {
            "domain.added": _("Domain added"),
            "domain.verified": _("Domain verified"),
            "domain.updated": _("Domain changed"),
            "domain.removed": _("Domain removed"),
        },
        _("Requests to join"): {
            "join_request.created": _("Request to join made"),
            "join_request.granted": _("Request to join granted"),
            "join_request.dismissed": _("Request to join dismissed"),
        },
        _("API keys"): {
            "api_key.created": _("API key created"),
            "api_key.rotated": _("API key rotated"),
            "api_key.revoked": _("API key revoked"),
        },
        _("Webhooks"): {
            "webhook.created": _("Webhook created"),
            "webhook.updated": _("Webhook changed"),
            "webhook.secret_rotated": _("Webhook’s secret rotated"),
            "webhook.disabled": _("Webhook turned off by itself"),
            "webhook.deleted": _("Webhook deleted"),
        },
    }


def actor_kinds() -> dict[str, str]:
    """What somebody is who acts and is no user."""
    return {
        "api_key": _("API key"),
        "operator": _("Whoever runs the server"),
        "system": _("By itself"),
        "invitee": _("Invited person"),
    }


def doors() -> dict[str, str]:
    """Where something was done."""
    return {"web": _("Website"), "api": _("API"), "cli": _("Command line"), "worker": _("In the background")}


def changes_in_words(changes: Mapping[str, Any]) -> list[dict[str, str]]:
    """What changed, before and after."""
    labels = _labels()
    return [
        {
            "label": labels.get(name) or name.replace("_", " ").capitalize(),
            "before": _value(name, before),
            "after": _value(name, after),
        }
        for name, (before, after) in changes.items()
    ]


def _labels() -> dict[str, str]:
    return {
        "name": _("Name"),
        "slug": _("Short name"),
        "accent": _("Accent colour"),
        "language": _("Language"),
        "reminder_days": _("Remind people after (days)"),
        "digests": _("Daily summary"),
        "invitation_lifetime": _("Lifetime of invitations"),
        "allowed_domains": _("Allowed domains"),
        "denied_domains": _("Denied domains"),
        "new_member_role": _("Role for new members"),
        "require_two_factor": _("Two-factor authentication required"),
        "deleted_at": _("Deleted"),
        "permissions": _("Permissions"),
        "role": _("Role"),
        "via": _("How they came in"),
        "join_link": _("Join link"),
        "status": _("Status"),
        "delivery": _("Email"),
        "detail": _("What the mail server said"),
        "email": _("Email"),
        "scope": _("For"),
        "enabled": _("On"),
        "expires_at": _("Expires"),
        "max_uses": _("Maximum uses"),
        "uses": _("Uses"),
        "domains": _("Domains"),
        "domain": _("Domain"),
        "mode": _("What people there may do"),
        "verified_at": _("Verified"),
        "state": _("Status"),
        "lifetime": _("Lifetime"),
        "url": _("Address"),
        "types": _("Events"),
        "description": _("Description"),
        "disabled_reason": _("Why it was turned off"),
        "former_until": _("The former secret works until"),
    }


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, list):
        name_of = _NAMERS.get(name, lambda: _plain)()
        return ", ".join(name_of(str(one)) for one in value)
    if isinstance(value, dict):
        return str(value.get("name") or value)
    speak = _SPEAKERS.get(name, _plain)
    return speak(str(value))


def _plain(text: str) -> str:
    return text


def _time(text: str) -> str:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        return text
    return _("Never") if at == NEVER else moment(at)


def _lifetime(text: str) -> str:
    try:
        span = parse_lifetime(text)
    except ValueError:
        return text
    return format_duration(span) if span else _("Never")


def _language(text: str) -> str:
    try:
        return str(get_language_info(text)["name_local"])
    except KeyError:
        return text


def _one_of(words: Callable[[], Mapping[str, str]]) -> Callable[[str], str]:
    return lambda text: words().get(text, text)


def _statuses() -> dict[str, str]:
    return {
        Status.PENDING: _("Pending"),
        Status.ACCEPTED: _("Accepted"),
        Status.DECLINED: _("Declined"),
        Status.REVOKED: _("Revoked"),
        Status.EXPIRED: _("Expired"),
        "granted": _("Granted"),
        "dismissed": _("Dismissed"),
    }


def _ways_in() -> dict[str, str]:
    return {
        Membership.Via.FOUNDED: _("Created the organization"),
        Membership.Via.SET_UP: _("Set-up link"),
        Membership.Via.INVITATION: _("Invitation"),
        Membership.Via.HAND_OVER: _("Link that was handed over"),
        Membership.Via.JOIN_LINK: _("Join link"),
        Membership.Via.DOMAIN: _("Domain"),
    }


def _modes() -> dict[str, str]:
    return {Mode.OFF: _("Nothing"), Mode.REQUEST: _("Ask to join"), Mode.JOIN: _("Join at once")}


def _reasons_to_turn_off() -> dict[str, str]:
    return {WhyOff.GONE: _("Its address is gone"), WhyOff.FAILING: _("Every call failed for a day")}


def _type_namer() -> Callable[[str], str]:
    words = {code: label for group in types().values() for code, label in group.items()}
    return lambda code: words.get(code, code)


def _scopes() -> dict[str, str]:
    return {"organization": _("This organization"), "server": _("Everybody on this server")}


# What the items of a list are called.
_NAMERS: Mapping[str, Callable[[], Callable[[str], str]]] = {
    "permissions": lambda: permission_label,
    "types": _type_namer,
}
_SPEAKERS: Mapping[str, Callable[[str], str]] = {
    "language": _language,
    "invitation_lifetime": _lifetime,
    "lifetime": _lifetime,
    "deleted_at": _time,
    "expires_at": _time,
    "verified_at": _time,
    "former_until": _time,
    "disabled_reason": _one_of(_reasons_to_turn_off),
    "status": _one_of(_statuses),
    "state": _one_of(_statuses),
    "delivery": _one_of(states),
    "via": _one_of(_ways_in),
    "mode": _one_of(_modes),
    "scope": _one_of(_scopes),
}
