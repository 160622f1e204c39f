"""Settings: how an organization's mail looks and when it goes out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions.invitations import sample_invitation
from guestlist.actions.mail_settings import parse_accent, parse_language, parse_reminder_days
from guestlist.actions.organizations import send_test, update_organization
from guestlist.colours import ACCENT
from guestlist.conf import conf
from guestlist.delivery.emails import Draft, draft_of, draw
from guestlist.models import Organization
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.mail_frame import mail_frame
from guestlist.web.toasts import toasts

_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "accent": parse_accent,
    "language": parse_language,
    "reminder_days": parse_reminder_days,
}
# As long as a real one, and made with no key.
_SAMPLE_TOKEN = f"gli_{'example-' * 8}"
settings_page = member_page(Permission.ORGANIZATION_UPDATE)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form and the preview; a POST saves, or shows the mail with what was typed."""
    if request.method != "POST":
        return _page(request, visit, _saved(visit.organization))
    typed = {name: request.POST.get(name, "") for name in (*_PARSERS, "digests")}
    found = _errors(typed)
    if found:
        return _page(request, visit, typed, errors=found, status=422)
    if "preview" in request.POST:
        return _page(request, visit, typed, unsaved=typed != _saved(visit.organization))
    organization = update_organization(
        actor=visit.actor,
        organization=visit.organization,
        **{name: typed[name] for name in _PARSERS},
        digests=bool(typed["digests"]),
    )
    text = _("Settings saved.")
    if request.htmx:  # type: ignore[attr-defined]
        toast = {"kind": "ok", "text": text, "detail": "", "undo": None}
        return _page(request, visit, _saved(organization), toasts=[toast])
    messages.success(request, text)
    return redirect("guestlist:settings", visit.organization.slug)


@xframe_options_sameorigin
@require_safe
@settings_page
def preview(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The invitation's HTML, for the frame on the page."""
    return mail_frame(str(draw(_sample(visit, request.GET)).alternatives[0][0]))


@require_POST
@settings_page
def mail_test(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Send the member a test."""
    url = reverse("guestlist:settings", args=[visit.organization.slug])
    try:
        mail = send_test(actor=visit.actor, organization=visit.organization)
    except (errors.EmailOff, errors.NoVerifiedAddress, errors.TooManyTests) as error:
        if request.htmx:  # type: ignore[attr-defined]
            raise
        messages.error(request, str(error))
        return redirect(url)
    text, link = _("A test is on its way to %(email)s.") % {"email": mail.recipient}, _delivery_link(visit)
    if request.htmx:  # type: ignore[attr-defined]
        return toasts(request, {"kind": "ok", "text": text, "detail": link})
    messages.success(request, format_html("{} {}", text, link))
    return redirect(url)


def _page(
    request: HttpRequest,
    visit: Visit,
    values: Mapping[str, str],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    shown = _saved(visit.organization) if status == 422 else values
    context = {
        "shell": shell(visit),
        "values": values,
        "errors": dict.fromkeys(_PARSERS, ""),
        "unsaved": False,
        "languages": settings.LANGUAGES,
        "usual_language": dict(settings.LANGUAGES).get(settings.LANGUAGE_CODE, settings.LANGUAGE_CODE),
        "usual_accent": ACCENT,
        "preview": _preview(visit, shown),
        "toasts": [],
        **more,
    }
    template = "_settings" if request.htmx else "settings"  # type: ignore[attr-defined]
    return render(request, f"guestlist/{template}.html", context, status=status)


def _delivery_link(visit: Visit) -> str:
    """Where to see what becomes of the mail, for those who may."""
    if not visit.can_manage_members:
        return ""
    url = reverse("guestlist:delivery", args=[visit.organization.slug])
    return format_html('<a href="{}">{}</a>', url, _("See what becomes of it"))


def _saved(organization: Organization) -> dict[str, str]:
    """The settings as somebody would type them; a language that the server no longer has is none."""
    return {
        "accent": organization.accent,
        "language": organization.language if organization.language in dict(settings.LANGUAGES) else "",
        "reminder_days": ", ".join(str(day) for day in organization.reminder_days),
        "digests": "on" if organization.digests else "",
    }


def _errors(typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, if anything is; the action refuses the same, one after the other."""
    found = dict.fromkeys(_PARSERS, "")
    for name, parse in _PARSERS.items():
        try:
            parse(typed[name])
        except errors.GuestlistError as error:
            found[name] = str(error)
    return found if any(found.values()) else {}


def _preview(visit: Visit, values: Mapping[str, str]) -> dict[str, Any]:
    draft = _sample(visit, values)
    message = draw(draft)
    query = urlencode({name: values[name] for name in ("accent", "language")})
    return {
        "subject": message.subject,
        "from": message.from_email,
        "reply_to": ", ".join(message.reply_to),
        "text": message.body,
        "language": draft.language,
        "url": f"{reverse('guestlist:settings_preview', args=[visit.organization.slug])}?{query}",
    }


def _sample(visit: Visit, values: Mapping[str, str]) -> Draft:
    """The mail that would go out with these values; its links open nothing."""
    invitation = sample_invitation(
        actor=visit.actor,
        organization=visit.organization,
        accent=values.get("accent", ""),
        language=values.get("language", ""),
    )
    if invitation.delivery is None:
        raise TypeError("an invitation comes with its mail")
    draft = draft_of(invitation.delivery)
    link = f"{conf().url}/i/{_SAMPLE_TOKEN}"
    return replace(draft, personal={**draft.personal, "link": link, "decline_link": f"{link}/decline"})
