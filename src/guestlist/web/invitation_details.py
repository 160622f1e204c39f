"""One invitation in detail: who sent it when, each of its messages, and what happened to each."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guestlist import errors
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import State
from guestlist.models.invitation import NEVER
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.dates import moment
from guestlist.web.invitation_list import invitation_rows
from guestlist.web.mail import TONES, mail_row, states, time_of


@require_safe
@member_page(Permission.MEMBER_MANAGE)
def show(request: HttpRequest, visit: Visit, invitation_id: UUID) -> HttpResponse:
    """A drawer for htmx, a page otherwise."""
    ours = Invitation.objects.for_display().filter(organization=visit.organization)
    invitation = ours.filter(pk=invitation_id).first()
    if invitation is None:
        raise errors.NotFound
    context = {
        "row": invitation_rows(visit, [invitation])[0],
        "facts": _facts(invitation),
        "messages": _messages(visit, invitation),
        "cancel_url": reverse("guestlist:invitations", args=[visit.organization.slug]),
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_invitation.html", context)
    return render(request, "guestlist/invitation.html", context | {"shell": shell(visit)})


def _facts(row: Invitation) -> list[tuple[str, str]]:
    facts = [
        (_("Invited by"), row.invited_by_name),
        (_("Invited"), moment(row.invited_at)),
        (_("Last sent"), moment(row.last_sent_at) if row.sent_count > 1 else ""),
        (_("Times sent"), str(row.sent_count)),
        (_("Expires"), _("Never") if row.expires_at == NEVER else moment(row.expires_at)),
        (_("Ended"), moment(row.ended_at) if row.ended_at else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _messages(visit: Visit, invitation: Invitation) -> list[dict[str, Any]]:
    """Newest first."""
    found = Delivery.objects.filter(organization=visit.organization, invitation=invitation)
    rows = found.select_related("invitation").defer("content").order_by("-pk")
    return [mail_row(visit, row) | {"history": _history(row)} for row in rows]


def _history(delivery: Delivery) -> list[dict[str, Any]]:
    """What happened, newest first; the making of the message is where it began."""
    made = {"label": _("Created"), "tone": "", "detail": "", "note": "", **time_of(delivery.created_at)}
    return [*(_entry(entry) for entry in reversed(delivery.history)), made]


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    state = entry["state"]
    at = parse_datetime(entry["at"])
    label = states().get(state, state)
    if entry.get("by"):
        label = _("Tried again by %(name)s") % {"name": entry["by"]}
    return {
        "label": label,
        "tone": TONES.get(State(state), "") if state in State.values else "",
        "detail": entry.get("detail", ""),
        "note": _note(entry),
        **(time_of(at) if at else {"at": "", "at_iso": "", "at_title": ""}),
    }


def _note(entry: dict[str, Any]) -> str:
    notes = []
    if entry.get("interrupted"):
        notes.append(_("The server was stopped meanwhile."))
    if entry.get("unclear"):
        notes.append(_("It may have been delivered."))
    if entry.get("seconds"):
        notes.append(_("Took %(seconds)s s.") % {"seconds": f"{entry['seconds']:.2f}"})
    return " ".join(notes)
