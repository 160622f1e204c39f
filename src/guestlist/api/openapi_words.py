"""What the description of the API says in more than one place: groups, parameters, headers, examples."""

from typing import Any

INTRODUCTION = """\
Invite people by e-mail, see who is in, and what they may do.

Send an API key with each call: `Authorization: Bearer glk_…`. A key belongs to one organization and has a
set of permissions; each call says which one it needs. A session cookie is never looked at.

Answers are JSON. A refusal is `application/problem+json`, with a `code` for programs; each call lists its
own. Fields and parameters that are not listed here are refused with `invalid_input`, and so is a body where
none is taken. `HEAD` is answered like `GET` without the body, `OPTIONS` with the methods in `Allow`.

Lists are read a page at a time: give `next_cursor` back as `cursor` until it is null. Whatever comes or goes
in between, nothing that was there all the time is missing or comes twice.
"""
# Groups in the order of the page, and what is in them.
TAGS = {
    "Organizations": "The organization that the key belongs to, and its settings.",
    "Invitations": "Offers to one address each: send, list, revoke, send again.",
    "Members": "Who is in, with which role.",
    "Roles": "Named sets of permissions.",
    "Permissions": "What can be allowed.",
    "Join links": "Links by which many can join.",
    "Domains": "Mail domains whose people can join by themselves.",
    "Join requests": "People who ask to be let in.",
    "Deliveries": "Messages that are owed or were sent, and what became of each.",
    "Events": "The audit log: what happened, who did it, what changed.",
    "Webhooks": "Where events are told to, and what became of each call.",
    "API keys": "Keys for this API.",
}
SLUG = "The organization’s short name. One that it had before is understood as well."
KEY = "An API key of the organization, made on its page or with `guestlist api-keys create`."
# Example values by the name of a field or parameter; what has its own example in its class needs none here.
VALUES: dict[str, Any] = {
    "slug": "northwind",
    "id": "019a3b5c-7d1e-7f20-8a4b-5c6d7e8f9a0b",
    "email": "jane@example.com",
    "to": "jane@example.com",
    "emails": ["jane@example.com", "omar@example.com"],
    "text": "Jane <jane@example.com>, omar@example.com",
    "name": "Jane Doe",
    "Organization.name": "Northwind",
    "Rename.name": "Northwind",
    "RoleReference.name": "Member",
    "sent_count": 1,
    "message_id": "<019a3b5c@guestlist.example.com>",
    "total": 1,
    "sent": 1,
    "next_cursor": None,
    "input": "jane@",
    "reason": "missing_domain",
    "detail": None,
    "warnings": None,
    "ended_at": None,
    "next_at": None,
    "language": "en",
    "lifetime": "7d",
    "permissions": ["member.manage"],
    "permission": "member.manage",
    "role": "019a3b5c-7d1e-7f20-8a4b-5c6d7e8f9a0b",
    "domain": "example.com",
    "domains": ["example.com"],
    "limit": 50,
    "ip": "192.0.2.1",
    "user_agent": "curl/8.5.0",
    "accent": "#4a47d6",
    "url": "https://hooks.example.com/guestlist",
    "seconds": 0.21,
    "attempt": 1,
    "attempts": 1,
    "reminder_days": [3, 5],
    "invitation_lifetime": "7d",
}
TIME = "2026-03-01T09:30:00.000000Z"
# What stands for the parts of a sentence that differ from call to call.
PARTS = {
    "permission": "Member: Manage",
    "value": "nope",
    "organization": "Northwind",
    "status": "revoked",
    "state": "sent",
    "email": "jane@example.com",
    "domain": "example.com",
    "domains": "example.com",
    "role": "Owner",
    "name": "Editor",
    "slug": "northwind",
    "language": "xx",
    "choices": "de, en, …",
    "count": "10,001",
    "limit": "10,000",
    "allowed": "1,000",
    "left": "12",
    "period": "24 hours",
    "when": "in 5 minutes",
}
# The members that a refusal can have besides the common ones.
EXTENSIONS: dict[str, dict[str, Any]] = {
    "invitation_status": {
        "type": ["string", "null"],
        "description": "How the invitation has ended.",
        "examples": ["revoked"],
    },
    "delivery_state": {"type": "string", "description": "What became of the message.", "examples": ["sent"]},
    "limit": {"type": "string", "description": "The name of the limit.", "examples": ["organization"]},
    "allowed": {"type": "integer", "description": "How many the limit allows.", "examples": [50000]},
    "left": {"type": "integer", "description": "How many are left now.", "examples": [12]},
    "retry_after": {"type": "integer", "description": "Seconds until it begins anew.", "examples": [3600]},
}
_POLICY = {
    "description": "The limits: how many (`q`) in how many seconds (`w`).",
    "schema": {"type": "string"},
    "example": '"inviter";q=20000;w=86400, "organization";q=50000;w=86400',
}
_LEFT = {
    "description": "What is left of the limits (`r`), and for how many seconds (`t`).",
    "schema": {"type": "string"},
    "example": '"inviter";r=19950;t=50400, "organization";r=49950;t=50400',
}
_RETRY = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 0}}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same call with the same key within 24 hours gets the same answer and does nothing: "
    "make one, such as a UUID, for each call, and try again with it after a fault of the network.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
REPLAYED_HEADER = {
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer of an earlier call with the same Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    }
}
LIMIT_HEADERS = {"RateLimit-Policy": _POLICY, "RateLimit": _LEFT}
HEADERS: dict[int, dict[str, Any]] = {
    401: {
        "WWW-Authenticate": {
            "description": "How to sign in.",
            "required": True,
            "schema": {"type": "string", "const": "Bearer"},
        }
    },
    429: {"Retry-After": {**_RETRY, "required": True}, "RateLimit": _LEFT},
    503: {"Retry-After": {**_RETRY, "required": True}},
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `code` says to programs what happened, `detail` to people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["about:blank"]},
        "title": {"type": "string", "description": "The same sentence as `detail`."},
        "status": {"type": "integer", "description": "The status of the answer.", "examples": [409]},
        "detail": {"type": "string", "description": "What happened, and what to do about it."},
        "code": {"type": "string", "pattern": "^[a-z_]+$", "examples": ["not_pending"]},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field; the first 100.",
            "items": {"$ref": "#/components/schemas/FieldError"},
        },
        **EXTENSIONS,
    },
}
FIELD_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong with one field or parameter.",
    "required": ["field", "code", "detail"],
    "properties": {
        "field": {"type": "string", "description": "Where: `emails[3]`.", "examples": ["emails[3]"]},
        "code": {"type": "string", "examples": ["string_type"]},
        "detail": {"type": "string", "examples": ["Input should be a valid string."]},
    },
    "additionalProperties": False,
}
