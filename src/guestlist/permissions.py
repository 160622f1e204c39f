"""What a role can allow. A permission is a code (`member.manage`) that people see as `Member: Manage`."""

from enum import StrEnum

from django.utils.translation import gettext


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


ALL_PERMISSIONS: frozenset[str] = frozenset(Permission)
ADMIN_PERMISSIONS: frozenset[str] = ALL_PERMISSIONS - {Permission.ORGANIZATION_DELETE}


# Not held by any role: the operator's, or everybody's (GUESTLIST["CREATE_ORGANIZATIONS"]).
CREATE_ORGANIZATION = "organization.create"


def permission_label(code: str) -> str:
    """`api_key.manage` as people see it, `API key: Manage`, in their language."""
    return gettext(english_label(code))


def english_label(code: str) -> str:
    """The label that a catalogue translates."""
    noun, _, verb = code.partition(".")
    return f"{noun.replace('_', ' ').capitalize().replace('Api ', 'API ')}: {verb.capitalize()}"
