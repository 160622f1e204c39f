"""Webhooks in words: what they are told, how they stand, and what became of a call."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist.actions.webhook_ends import ORGANIZATION_DELETED, TURNED_OFF, why_off_sentence
from guestlist.actions.webhook_log import REPLACED
from guestlist.actions.webhooks import TAKEN_AWAY
from guestlist.models import Webhook
from guestlist.models.webhook import Silence, WhyOff
from guestlist.models.webhook_delivery import TEST, CallState
from guestlist.permissions import permission_label
from guestlist.web.audit_words import types as labels
from guestlist.web.dates import clock
from guestlist.webhook_messages import TYPES

TONES = {CallState.DEFERRED: "warn", CallState.DELIVERED: "ok", CallState.FAILED: "danger"}

# What actions write of a call, in the language of nobody in particular.
DETAILS = {text: text for text in (TURNED_OFF, TAKEN_AWAY, REPLACED, ORGANIZATION_DELETED)}


def in_words(detail: str) -> str:
    """Why a call was not made, in the reader's language; what a receiver or the network said stays."""
    return _(DETAILS[detail]) if detail in DETAILS else detail


def sentences() -> dict[str, str]:
    """When each type of event happens."""
    return {
        "invitation.sent": _("Somebody was invited, and the mail is on its way."),
        "invitation.resent": _("The mail was sent again."),
        "invitation.delivered": _("Their mail server took the mail."),
        "invitation.bounced": _("The mail came back."),
        "invitation.failed": _("The mail could not be sent."),
        "invitation.accepted": _("They accepted and are members now."),
        "invitation.declined": _("They said no."),
        "invitation.revoked": _("Somebody took the invitation back."),
        "invitation.expired": _("Its time was over before they answered."),
        "member.joined": _("Somebody became a member, by an invitation or otherwise."),
        "member.role_changed": _("A member got another role."),
        "member.removed": _("Somebody removed a member."),
        "member.left": _("A member left."),
        "role.created": _("There is a new role."),
        "role.updated": _("A role was renamed or allows something else."),
        "role.deleted": _("A role is gone."),
        "organization.updated": _("The name or a setting of the organization changed."),
    }


def type_boxes(readable: Collection[str], chosen: Collection[str]) -> list[dict[str, Any]]:
    """What the form offers, noun by noun, to somebody who may read only events of `readable` types."""
    told, groups = sentences(), []
    for heading, names in labels().items():
        boxes = [
            {
                "code": code,
                "id": code.replace(".", "-").replace("_", "-"),
                "label": label,
                "sentence": told[code],
                "chosen": code in chosen,
                "needs": None if code in readable else permission_label(str(TYPES[code])),
            }
            for code, label in names.items()
            if code in TYPES
        ]
        if boxes:
            groups.append({"label": heading, "types": boxes})
    return groups


def types_in_words(types: Collection[str]) -> str:
    """`All events`, one or two by name, how many otherwise."""
    if TYPES.keys() <= set(types):
        return _("All events")
    if len(types) in (1, 2):
        names = type_names()
        return ", ".join(names[code] for code in TYPES if code in types)
    return ngettext("%(total)s type", "%(total)s types", len(types)) % {"total": len(types)}


def type_names() -> dict[str, str]:
    """Each type as the audit log names it, and that of a test."""
    named = {code: label for names in labels().values() for code, label in names.items()}
    return {code: named[code] for code in TYPES} | {TEST: _("Test")}


def standing(row: Webhook) -> dict[str, str | None]:
    """Whether it is on, in a word and a tone, and where it is in trouble what that is and what to do. Load it
    with `for_display`.
    """
    if row.why_off == WhyOff.TURNED_OFF:
        return {"label": _("Off"), "tone": "", "trouble": None}
    if row.why_off:
        again = _("Look at what was answered, mend the receiver, and turn the webhook on.")
        label = _("Off: gone (410)") if row.why_off == WhyOff.GONE else _("Off: failed for a day")
        return {"label": label, "tone": "danger", "trouble": f"{why_off_sentence(row.why_off)} {again}"}
    if row.silence_now:
        return {"label": _("On, but told nothing"), "tone": "warn", "trouble": silence_sentence(row)}
    if row.failing_since is None:
        return {"label": _("On"), "tone": "ok", "trouble": None}
    since = clock(row.failing_since)
    trouble = _("No call has arrived since %(time)s. What is owed is kept and tried again.")
    label = _("Failing since %(time)s") % {"time": since}
    return {"label": label, "tone": "warn", "trouble": trouble % {"time": since}}


def silence_sentence(row: Webhook) -> str:
    """Why it may be told nothing any more, and what to do."""
    why = _("Whoever created it has left, or their account is switched off.")
    if row.silence_now == Silence.KEY_ENDED:
        why = _("The API key that created it has ended.")
    what = _("It may read nothing any more, so its calls are canceled. Create a new webhook instead.")
    return f"{why} {what}"


def call_states() -> dict[str, str]:
    """Every state, in the order of a call's life."""
    return {
        CallState.QUEUED: _("Queued"),
        CallState.DEFERRED: _("Deferred"),
        CallState.DELIVERED: _("Delivered"),
        CallState.FAILED: _("Failed"),
        CallState.CANCELED: _("Canceled"),
    }
