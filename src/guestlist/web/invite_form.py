"""The box for addresses, and what the server makes of it so far."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist.actions.batches import InvitationBatch, Outcome
from guestlist.addresses import REASONS, suggested_domain
from guestlist.conf import conf

CHIPS_SHOWN = 24
IGNORED_SHOWN = 12
# Problems first.
KINDS = {
    "invalid": "bad",
    "already_member": "member",
    "suppressed": "member",
    "duplicate": "dup",
    "already_invited": "again",
    "would_send": "ok",
    "sent": "ok",
}


def invite_form(slug: str, *, text: str = "", **shown: Any) -> dict[str, Any]:
    """The form's context. `shown` may hold error, note and preview."""
    lifetime = conf().invitation_lifetime
    return {
        "action": reverse("guestlist:new_invitations", args=[slug]),
        "preview_url": reverse("guestlist:preview_invitations", args=[slug]),
        "members_url": reverse("guestlist:members", args=[slug]),
        "cancel_url": reverse("guestlist:invitations", args=[slug]),
        "text": text,
        "error": None,
        "note": None,
        "preview": None,
        "resend": None,
        "lifetime": lifetime and _lifetime(lifetime.total_seconds()),
        **shown,
    }


def preview_of(batch: InvitationBatch) -> dict[str, Any]:
    """The tally and the chips under the box."""
    order = list(KINDS)
    outcomes = sorted(batch.outcomes, key=lambda o: order.index(o.outcome))
    return {
        "tally": list(_tally(batch)),
        "chips": [_chip(outcome) for outcome in outcomes[:CHIPS_SHOWN]],
        "more": max(0, len(outcomes) - CHIPS_SHOWN),
        "ignored": list(batch.ignored[:IGNORED_SHOWN]),
        "ignored_more": max(0, len(batch.ignored) - IGNORED_SHOWN),
    }


def _tally(batch: InvitationBatch) -> Iterable[dict[str, str]]:
    sent, bad, members = batch.sent, len(batch.invalid), batch.count("already_member")
    invited, listed = batch.count("already_invited"), batch.count("duplicate")
    if sent:
        yield _count("ok", "circle-check", ngettext("%d will be invited", "%d will be invited", sent), sent)
    if bad:
        yield _count("bad", "circle-alert", ngettext("%d to fix", "%d to fix", bad), bad)
    if members:
        text = ngettext("%d already a member, skipped", "%d already members, skipped", members)
        yield _count("skip-m", "user-check", text, members)
    if invited:
        text = ngettext("%d already invited, skipped", "%d already invited, skipped", invited)
        yield _count("", "mail", text, invited)
    if unwanted := batch.count("suppressed"):
        text = ngettext(
            "%d asked not to be invited, skipped", "%d asked not to be invited, skipped", unwanted
        )
        yield _count("skip-m", "mail-x", text, unwanted)
    if listed:
        yield _count("", "copy", ngettext("%d listed twice", "%d listed twice", listed), listed)


def _count(tone: str, icon: str, text: str, number: int) -> dict[str, str]:
    return {"tone": tone, "icon": icon, "text": text % number}


def _chip(outcome: Outcome) -> dict[str, Any]:
    address = outcome.item.address
    domain = suggested_domain(address.domain) if address and outcome.outcome == "would_send" else None
    return {
        "kind": KINDS[outcome.outcome],
        "token": outcome.item.token.encode("utf-8", "replace").decode(),
        "why": _("did you mean") if domain else _why(outcome),
        "fix": outcome.outcome == "invalid",
        "suggestion": address and domain and f"{address.email.partition('@')[0]}@{domain}",
        "suggested_domain": domain,
    }


def _why(outcome: Outcome) -> str | None:
    match outcome.outcome:
        case "invalid":
            return _(REASONS[outcome.item.reason or ""])
        case "already_member":
            return _("already a member")
        case "already_invited":
            return _("already invited")
        case "suppressed":
            return _("asked not to be invited")
        case "duplicate":
            return _("listed twice")
    idn = outcome.item.address and "idn_domain" in outcome.item.warnings
    return outcome.item.address.domain if idn and outcome.item.address else None


def _lifetime(seconds: float) -> str:
    days, hours, minutes = int(seconds // 86400), int(seconds // 3600), int(seconds // 60)
    if seconds % 86400 == 0:
        return ngettext("%d day", "%d days", days) % days
    if seconds % 3600 == 0:
        return ngettext("%d hour", "%d hours", hours) % hours
    return ngettext("%d minute", "%d minutes", minutes) % minutes
