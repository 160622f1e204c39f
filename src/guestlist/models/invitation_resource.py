"""An invitation as REST shows it. Lists make it by the hundred, so it is made of values as they are shown:
times and ids are text.
"""

from typing import Any

# What it is made of, as a list selects it, in the order that `invitation_resource` takes.
SELECTED = (
    "id",
    "email",
    "status_now",
    "invited_at",
    "last_sent_at",
    "sent_count",
    "expires_at",
    "invited_by_type",
    "invited_by_id",
    "invited_by_name",
    "ended_at",
    "delivery__state",
    "delivery__detail",
    "delivery__attempts",
    "delivery__at",
    "delivery__next_at",
)
NO_MAIL = (None,) * 5
NEVER = "9999-12-31T00:00:00Z"


def invitation_resource(
    pk: str,
    email: str,
    status: str,
    invited_at: str,
    last_sent_at: str,
    sent_count: int,
    expires_at: str,
    invited_by_type: str,
    invited_by_id: str | None,
    invited_by_name: str,
    ended_at: str | None,
    *mail: Any,
) -> dict[str, Any]:
    """The resource, with `mail` as `mail_resource` takes it, all None where there is none. One that time has
    ended, and that nobody has swept yet, ended when it expired.
    """
    return {
        "id": pk,
        "email": email,
        "status": status,
        "invited_at": invited_at,
        "last_sent_at": last_sent_at,
        "sent_count": sent_count,
        "expires_at": None if expires_at == NEVER else expires_at,
        "invited_by": {"type": invited_by_type, "id": invited_by_id, "name": invited_by_name},
        "ended_at": expires_at if ended_at is None and status == "expired" else ended_at,
        "delivery": mail_resource(*mail) if mail[0] else None,
    }


def mail_resource(
    state: str, detail: str, attempts: int, at: str | None, next_at: str | None
) -> dict[str, Any]:
    """What has become of its mail."""
    return {"state": state, "detail": detail or None, "attempts": attempts, "at": at, "next_at": next_at}
