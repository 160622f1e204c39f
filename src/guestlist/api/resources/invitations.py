"""Invitations as REST shows them."""

from typing import Literal

from guestlist.api.resources import Actor, Resource
from guestlist.api.resources.deliveries import Delivery


class Invitation(Resource):
    """An offer to one address. `expires_at` is null when it never expires."""

    id: str
    email: str
    status: Literal["pending", "accepted", "declined", "revoked", "expired"]
    invited_at: str
    last_sent_at: str
    sent_count: int
    expires_at: str | None
    invited_by: Actor
    ended_at: str | None
    delivery: Delivery | None


class InvitationList(Resource):
    """`total` is null beyond 10,000."""

    items: list[Invitation]
    next_cursor: str | None
    total: int | None


class AddressResult(Resource):
    """One address, or text that is none or is not allowed (`input` and `reason` in place of `email`)."""

    email: str | None = None
    input: str | None = None
    reason: str | None = None
    invitation: Invitation | None = None
    warnings: list[str] | None = None


class Result(AddressResult):
    """What became of one address, or of text that is none or is not allowed (`input` and `reason` in place of
    `email`).
    """

    outcome: Literal[
        "sent", "would_send", "duplicate", "already_member", "already_invited", "suppressed", "invalid"
    ]


class Batch(Resource):
    """The four counts add up to the number of results."""

    sent: int
    skipped: int
    duplicates: int
    invalid: int
    ignored: list[str]
    results: list[Result]
    warnings: list[str] | None = None


class ReconcileResult(AddressResult):
    """What became of one thing in the set. `declined`: its person declined the newest invitation, so that
    none is sent.
    """

    outcome: Literal[
        "sent",
        "would_send",
        "duplicate",
        "already_member",
        "already_invited",
        "suppressed",
        "declined",
        "invalid",
    ]


class Revocation(Resource):
    """A pending invitation that the set does not name."""

    email: str
    outcome: Literal["revoked", "would_revoke"]
    invitation: Invitation


class Reconciled(Resource):
    """What was done or, in a dry run, would be. `sent`, `skipped`, `duplicates` and `invalid` add up to the
    number of `results`, and `revoked` is that of `revocations`.
    """

    dry_run: bool
    sent: int
    skipped: int
    duplicates: int
    invalid: int
    revoked: int
    ignored: list[str]
    results: list[ReconcileResult]
    revocations: list[Revocation]
    warnings: list[str] | None = None


class RevokeResult(Resource):
    """What became of one id. `duplicate`: it was given before."""

    id: str
    outcome: Literal["revoked", "not_pending", "not_found", "duplicate"]


class Revoked(Resource):
    """How many were revoked, and how many were not. With ids, both add up to the number of `results`."""

    revoked: int
    skipped: int
    results: list[RevokeResult]


class ResendResult(Resource):
    """What became of one id. `duplicate`: it was given before."""

    id: str
    outcome: Literal[
        "resent", "not_pending", "not_found", "suppressed", "too_soon", "domain_not_allowed", "duplicate"
    ]


class Resent(Resource):
    """How many were sent again, and how many were not. With ids, both add up to the number of `results`."""

    resent: int
    skipped: int
    results: list[ResendResult]
