"""The box for addresses, and what the server makes of it so far."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist.actions.batches import REASONS, InvitationBatch, Outcome
from guestlist.actions.lifetimes import lifetime_of
from guestlist.actions.marks import Mark
from guestlist.addresses import suggested_domain
from guestlist.models import Organization
from guestlist.templating import format_duration
from guestlist.web.dates import day

CHIPS_SHOWN = 24
IGNORED_SHOWN = 12
WORDS_SHOWN = 200
DOMAINS_SHOWN = 5
# Problems first.
KINDS = {
    "invalid": "bad",
    "held": "member",
    "already_member": "member",
    "suppressed": "member",
    "duplicate": "dup",
    "already_invited": "again",
    "would_send": "ok",
    "sent": "ok",
}


def invite_form(organization: Organization, *, text: str = "", **shown: Any) -> dict[str, Any]:
    """The form's context. `shown` may hold error, note, file, preview and what is left of a limit."""
    slug, lifetime, allowed = organization.slug, lifetime_of(organization), organization.allowed_domains
    return {
        "action": reverse("guestlist:new_invitations", args=[slug]),
        "preview_url": reverse("guestlist:preview_invitations", args=[slug]),
        "members_url": reverse("guestlist:members", args=[slug]),
        "cancel_url": reverse("guestlist:invitations", args=[slug]),
        "text": text,
        "error": None,
        "note": None,
        "file": None,
        "file_error": None,
        "preview": None,
        "resend": None,
        "left": None,
        "lifetime": lifetime and format_duration(lifetime),
        "allowed_domains": allowed[:DOMAINS_SHOWN],
        "more_domains": max(0, len(allowed) - DOMAINS_SHOWN),
        "gets_role": organization.new_member_role_id is not None,
        **shown,
    }


def preview_of(batch: InvitationBatch) -> dict[str, Any]:
    """The tally and the chips under the box; `seen` are the keys of those whose mail came back, which the
    next press may send to.
    """
    order = list(KINDS)
    outcomes = sorted(batch.outcomes, key=lambda o: order.index("held" if o.is_marked else o.outcome))
    return {
        "tally": list(_tally(batch)),
        "chips": [_chip(outcome) for outcome in outcomes[:CHIPS_SHOWN]],
        "more": max(0, len(outcomes) - CHIPS_SHOWN),
        "seen": " ".join(o.item.address.key for o in batch.marked if o.item.address),
        "ignored": list(batch.ignored[:IGNORED_SHOWN]),
        "ignored_more": max(0, len(batch.ignored) - IGNORED_SHOWN),
    }


def _tally(batch: InvitationBatch) -> Iterable[dict[str, str]]:
    sent, bad, members = batch.sent, len(batch.invalid), batch.count("already_member")
    invited, listed = batch.count("already_invited"), batch.count("duplicate")
    if sent:
        yield _count("ok", "circle-check", ngettext("%d will be invited", "%d will be invited", sent), sent)
    if marked := len(batch.marked):
        held = ngettext("%d held back", "%d held back", marked)
        before = ngettext(
            "mail to %d of them came back or was unwanted before",
            "mail to %d of them came back or was unwanted before",
            marked,
        )
        yield _count("skip-m", "mail-x", held if batch.count("held") else before, marked)
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
    stays = outcome.outcome in ("would_send", "held")
    domain = suggested_domain(address.domain) if address and stays else None
    return {
        "kind": KINDS["held" if outcome.is_marked else outcome.outcome],
        "icon": "mail-x" if outcome.is_marked else None,
        "token": outcome.item.token.encode("utf-8", "replace").decode(),
        "why": _("did you mean") if domain and not outcome.mark else _why(outcome),
        "fix": outcome.outcome == "invalid",
        "suggestion": address and domain and f"{address.email.partition('@')[0]}@{domain}",
        "suggested_domain": domain,
    }


def _why(outcome: Outcome) -> str | None:
    if outcome.mark:
        return _earlier(outcome.mark)
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


def _earlier(mark: Mark) -> str:
    shown = {"day": day(mark.at), "words": mark.detail[:WORDS_SHOWN]}
    if mark.warning == "complained_before":
        return _("marked as spam on %(day)s") % shown
    return (_("bounced on %(day)s: %(words)s") if mark.detail else _("bounced on %(day)s")) % shown
