"""What a role can allow. A permission is a code (`member.manage`) that people see as `Member: Manage`.

A project adds its own with `GUESTLIST["PERMISSIONS"]`; they appear among the roles by themselves.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext, gettext_lazy

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
SENTENCES: dict[str, Any] = {
    Permission.MEMBER_MANAGE: gettext_lazy("See members and invitations, invite, give roles, remove."),
    Permission.ROLE_READ: gettext_lazy("See the roles and what each of them allows."),
    Permission.ROLE_CREATE: gettext_lazy("Create roles with no more than one’s own permissions."),
    Permission.ROLE_UPDATE: gettext_lazy("Rename roles and change what they allow."),
    Permission.ROLE_DELETE: gettext_lazy("Delete roles and choose what their members get instead."),
    Permission.ORGANIZATION_UPDATE: gettext_lazy("Change the settings of the organization and its domains."),
    Permission.ORGANIZATION_DELETE: gettext_lazy("Delete the organization, and restore it within 30 days."),
    Permission.AUDIT_READ: gettext_lazy("Read and export the audit log."),
    Permission.WEBHOOK_MANAGE: gettext_lazy("Create, change and delete webhooks."),
    Permission.API_KEY_MANAGE: gettext_lazy("Create, rotate and revoke API keys."),
}

# What they are about, as headings.
NOUNS: dict[str, Any] = {
    "member": gettext_lazy("Members"),
    "role": gettext_lazy("Roles"),
    "organization": gettext_lazy("Organization"),
    "audit": gettext_lazy("Audit log"),
    "webhook": gettext_lazy("Webhooks"),
    "api_key": gettext_lazy("API keys"),
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


def permission_groups() -> Mapping[str, Sequence[str]]:
    """Noun → its permissions, as the page of a role lists them: Guestlist's first, then the project's."""
    groups: dict[str, list[str]] = {}
    for code in (*Permission, *conf().permissions):
        groups.setdefault(code.partition(".")[0], []).append(str(code))
    return groups


def noun_label(noun: str) -> str:
    """What a group of permissions is about, in the reader's language."""
    return str(NOUNS.get(noun) or gettext(noun.replace("_", " ").capitalize()))


def permission_sentence(code: str) -> str:
    """What a permission allows, in the reader's language."""
    return str(conf().permissions.get(code) or SENTENCES[code])
