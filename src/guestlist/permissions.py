"""What a role can allow. A permission is a code (`member.manage`) that people see as `Member: Manage`.

A project adds its own with `GUESTLIST["PERMISSIONS"]`; they appear among the roles by themselves.
"""

from enum import StrEnum

from django.utils.translation import gettext, gettext_noop

from guestlist.conf import conf


class Permission(StrEnum):
    """The permissions that Guestlist itself asks for."""

    MEMBER_MANAGE = "member.manage"
    ROLE_READ = "role.read"
    ROLE_CREATE = "role.create"
    ROLE_UPDATE = "role.update"
    ROLE_DELETE = "role.delete"
    ORGANIZATION_UPDATE = "organization.update"
    ORGANIZATION_DELETE = "organization.delete"
    AUDIT_READ = "audit.read"
    WEBHOOK_MANAGE = "webhook.manage"
    API_KEY_MANAGE = "api_key.manage"


# What each allows, as the page of a role says it.
SENTENCES: dict[str, str] = {
    Permission.MEMBER_MANAGE: gettext_noop("See members and invitations, invite, give roles, remove."),
    Permission.ROLE_READ: gettext_noop("See the roles and what each of them allows."),
    Permission.ROLE_CREATE: gettext_noop("Create roles with no more than one’s own permissions."),
    Permission.ROLE_UPDATE: gettext_noop("Rename roles and change what they allow."),
    Permission.ROLE_DELETE: gettext_noop("Delete roles and choose what their members get instead."),
    Permission.ORGANIZATION_UPDATE: gettext_noop("Change the settings of the organization and its domains."),
    Permission.ORGANIZATION_DELETE: gettext_noop("Delete the organization, and restore it within 30 days."),
    Permission.AUDIT_READ: gettext_noop("Read and export the audit log."),
    Permission.WEBHOOK_MANAGE: gettext_noop("Create, change and delete webhooks."),
    Permission.API_KEY_MANAGE: gettext_noop("Create and revoke API keys."),
}


def all_permissions() -> frozenset[str]:
    """Guestlist's own and the project's."""
    return frozenset(Permission) | conf().permissions.keys()


def admin_permissions() -> frozenset[str]:
    """What the role Admin starts with."""
    return all_permissions() - {Permission.ORGANIZATION_DELETE}


# Not held by any role: the operator's, or everybody's (GUESTLIST["CREATE_ORGANIZATIONS"]).
CREATE_ORGANIZATION = "organization.create"


def permission_label(code: str) -> str:
    """`api_key.manage` as people see it, `API key: Manage`, in their language."""
    return gettext(english_label(code))


def english_label(code: str) -> str:
    """The label that a catalogue translates."""
    noun, _, verb = code.partition(".")
    return f"{noun.replace('_', ' ').capitalize().replace('Api ', 'API ')}: {verb.capitalize()}"


def permission_sentence(code: str) -> str:
    """What a permission allows, in the reader's language."""
    given = conf().permissions.get(code)
    return str(given) if given is not None else gettext(SENTENCES[code])
