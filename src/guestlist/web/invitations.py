"""Invitations: the page this product exists for."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import invitations
from guestlist.actions.asking import dismiss_request
from guestlist.actions.batches import InvitationBatch, Selection
from guestlist.addresses import InputTooLarge, ParsedAddresses, parse_addresses
from guestlist.models import Invitation
from guestlist.models.invitation import Status
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import last_day
from guestlist.web.errors import with_retry_after
from guestlist.web.invitation_list import invitation_list
from guestlist.web.invite_file import has_file, with_file
from guestlist.web.invite_form import invite_form, preview_of
from guestlist.web.limits import what_is_left
from guestlist.web.toasts import announce, done, toasts

RESEND_OFFERED = 1_000
manager_page = member_page(Permission.MEMBER_MANAGE)


@require_safe
@manager_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = invitation_list(request, visit) | {"shell": shell(visit)}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_invitations_answer.html", context)
    context["invite"] = invite_form(visit.organization, left=what_is_left(visit))
    return render(request, "guestlist/invitations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form as a page; a POST sends, or puts a file into the box. What was typed stays till it is sent."""
    if request.method != "POST":
        return _form(request, visit, status=200)
    if has_file(request):
        shown, status = with_file(request, visit)
        return _form(request, visit, status=status, **shown)
    text, seen = request.POST.get("emails", ""), request.POST.get("bounced_seen", "").split()
    try:
        parsed = _parse(text)
        batch = invitations.send_invitations(
            actor=visit.actor, organization=visit.organization, parsed=parsed, seen=seen
        )
    except (errors.NoAddresses, errors.TooManyAddresses, errors.InputTooLarge, errors.LimitReached) as error:
        answer = _form(request, visit, status=error.status, text=text, error=str(error))
        return with_retry_after(answer, error)
    return _sent(request, visit, batch, text)


@require_POST
@manager_page
def preview(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What sending would do with the box as it is."""
    try:
        parsed = _parse(request.POST.get("emails", ""))
        batch = invitations.preview_invitations(
            actor=visit.actor, organization=visit.organization, parsed=parsed
        )
        shown_preview = preview_of(batch)
    except errors.NoAddresses:
        shown_preview = None
    except (errors.TooManyAddresses, errors.InputTooLarge) as error:
        tally = {"tone": "bad", "icon": "circle-alert", "text": str(error)}
        shown_preview = preview_of(InvitationBatch((), (), ())) | {"tally": [tally]}
    return render(request, "guestlist/_preview.html", {"preview": shown_preview})


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page
def revoke(request: HttpRequest, visit: Visit, invitation_id: UUID) -> HttpResponse:
    """Ask, then revoke. If it was accepted meanwhile, say so."""
    if request.method == "POST":
        gone = invitations.revoke_invitation(
            actor=visit.actor, organization=visit.organization, invitation_id=invitation_id
        )
        return done(
            request, _url(visit), {"kind": "ok", "text": _("Invitation revoked."), "detail": gone.email}
        )
    rows = Invitation.objects.for_display().filter(organization=visit.organization, pk=invitation_id)
    invitation = rows.first()
    if invitation is None:
        raise errors.NotFound
    if invitation.status_now != Status.PENDING:
        raise errors.NotPending(invitation.status_now)
    body = _(
        "The link sent to %(email)s stops working at once, and nobody can join with it. "
        "You can invite them again later."
    )
    return _ask_to_revoke(
        request, visit, _("Revoke invitation?"), body % {"email": invitation.email}, _("Revoke"), []
    )


@require_POST
@manager_page
def resend(request: HttpRequest, visit: Visit, invitation_id: UUID) -> HttpResponse:
    """Send again; the lifetime starts anew."""
    again = invitations.resend_invitation(
        actor=visit.actor, organization=visit.organization, invitation_id=invitation_id
    )
    until = last_day(again.expires_at)
    detail = (
        _("%(email)s has until %(day)s.") % {"email": again.email, "day": until} if until else again.email
    )
    return done(request, _url(visit), {"kind": "ok", "text": _("Invitation sent again."), "detail": detail})


@require_POST
@manager_page
def dismiss(request: HttpRequest, visit: Visit, invitation_id: UUID) -> HttpResponse:
    """Take a request for a new invitation off the list."""
    row = dismiss_request(actor=visit.actor, organization=visit.organization, invitation_id=invitation_id)
    return done(request, _url(visit), {"kind": "ok", "text": _("Request dismissed."), "detail": row.email})


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page
def revoke_selected(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask, then revoke what was selected."""
    selection = _selection(request)
    if request.method == "POST":
        result = invitations.revoke_invitations(
            actor=visit.actor, organization=visit.organization, selection=selection
        )
        return done(request, _url(visit), {"kind": "ok", "text": str(result)})
    number = selection.rows(visit.organization).pending().count()
    title = ngettext("Revoke %d invitation?", "Revoke %d invitations?", number) % number
    body = _("These links stop working at once. You can invite the same people again later.")
    button = ngettext("Revoke %d", "Revoke %d", number) % number
    return _ask_to_revoke(request, visit, title, body, button, _fields(selection))


@require_POST
@manager_page
def resend_selected(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Send again what was selected."""
    result = invitations.resend_invitations(
        actor=visit.actor, organization=visit.organization, selection=_selection(request)
    )
    return done(request, _url(visit), {"kind": "ok", "text": str(result)})


def _url(visit: Visit) -> str:
    return reverse("guestlist:invitations", args=[visit.organization.slug])


def _parse(text: str) -> ParsedAddresses:
    try:
        return parse_addresses(text)
    except InputTooLarge as error:
        raise errors.InputTooLarge from error


def _form(request: HttpRequest, visit: Visit, *, status: int, **shown_form: Any) -> HttpResponse:
    shown_form["left"] = what_is_left(visit)
    context = {"invite": invite_form(visit.organization, **shown_form), "shell": shell(visit)}
    template = "_invite_form" if request.htmx else "new_invitations"  # type: ignore[attr-defined]
    return render(request, f"guestlist/{template}.html", context, status=status)


def _sent(request: HttpRequest, visit: Visit, batch: InvitationBatch, text: str) -> HttpResponse:
    bad = batch.invalid
    if not batch.sent:
        error = (
            _("None of these addresses can be invited. Check the ones marked below.")
            if len(bad) == len(batch.outcomes)
            else " ".join((str(batch), *_held_back(batch)))
        )
        offer = _resend_offer(visit, batch)
        return _form(
            request, visit, status=422, text=text, error=error, preview=preview_of(batch), resend=offer
        )
    if bad or batch.count("held"):
        return announce(_part_sent(request, visit, batch), "guestlist:changed")
    toast = {"kind": "ok", "text": str(batch), "undo": _resend_offer(visit, batch)}
    if request.htmx:  # type: ignore[attr-defined]
        answer = toasts(request, toast, events=("guestlist:sent", "guestlist:changed"))
        answer["HX-Reswap"] = "none"
        answer.write(render_to_string("guestlist/_left.html", {"left": what_is_left(visit), "swap": True}))
        return answer
    return done(request, _url(visit), toast)


def _part_sent(request: HttpRequest, visit: Visit, batch: InvitationBatch) -> HttpResponse:
    """Good ones are out; what is left in the box is only what has to be fixed, or looked at once more."""
    kept = [outcome for outcome in batch.outcomes if outcome.outcome in ("invalid", "held")]
    number = len(batch.invalid)
    bad = ngettext(
        "%d address couldn’t be sent. Fix or remove it and send again.",
        "%d addresses couldn’t be sent. Fix or remove them and send again.",
        number,
    )
    rest = InvitationBatch(kept, (), ())
    left = "\n".join(outcome.item.token for outcome in kept)
    return _form(
        request,
        visit,
        status=200,
        text=left,
        note=str(batch),
        error=" ".join((*([bad % number] if number else []), *_held_back(batch))),
        preview=preview_of(rest),
        resend=_resend_offer(visit, batch),
    )


def _held_back(batch: InvitationBatch) -> list[str]:
    """What to do about those whose mail came back, which nobody had been told."""
    number = batch.count("held")
    text = ngettext(
        "Mail to %d address came back or was unwanted before. Send again to invite it anyway, or remove it.",
        "Mail to %d addresses came back or was unwanted before. Send again to invite them anyway, or remove "
        "them.",
        number,
    )
    return [text % number] if number else []


def _resend_offer(visit: Visit, batch: InvitationBatch) -> dict[str, Any] | None:
    ids = [str(o.invitation.pk) for o in batch.outcomes if o.outcome == "already_invited" and o.invitation]
    if not ids or len(ids) > RESEND_OFFERED:
        return None
    url = reverse("guestlist:resend_invitations", args=[visit.organization.slug])
    label = ngettext("Resend %d", "Resend %d", len(ids)) % len(ids)
    return {"label": label, "action": url, "fields": [("ids", pk) for pk in ids]}


def _selection(request: HttpRequest) -> Selection:
    """What was selected. Raises NoInvitationsChosen."""
    given = request.POST if request.method == "POST" else request.GET
    if given.get("all"):
        return Selection(status=given.get("status") or Status.PENDING, q=given.get("q", ""))
    if not given.getlist("ids"):
        raise errors.NoInvitationsChosen
    return Selection(ids=given.getlist("ids"))


def _fields(selection: Selection) -> list[tuple[str, str]]:
    if selection.ids is not None:
        return [("ids", pk) for pk in selection.ids]
    return [("all", "1"), ("status", selection.status or ""), ("q", selection.q or "")]


def _ask_to_revoke(
    request: HttpRequest, visit: Visit, title: str, body: str, button: str, fields: list[tuple[str, str]]
) -> HttpResponse:
    context = {
        "title": title,
        "body": body,
        "action": request.path,
        "fields": fields,
        "button": button,
        "cancel_url": _url(visit),
        "danger": True,
        "current": "invitations",
    }
    return confirm(request, visit, context)
