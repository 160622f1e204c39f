"""Settings: how an organization is called, how its mail is, who gets in, and its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from django_htmx.http import HttpResponseClientRedirect

from guestlist import errors
from guestlist.actions.deletion import delete_organization, gone_at
from guestlist.actions.invitations import sample_invitation
from guestlist.actions.mail_settings import parse_accent, parse_language, parse_reminder_days
from guestlist.actions.organizations import send_test, update_mail_settings, update_organization
from guestlist.actions.slugs import check_slug
from guestlist.actions.two_factor import has_two_factor, require_two_factor
from guestlist.colours import ACCENT
from guestlist.conf import conf
from guestlist.delivery.emails import Draft, draft_of, draw
from guestlist.models import Organization
from guestlist.names import clean_name
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, require_permission, shell
from guestlist.web.dates import day
from guestlist.web.mail_frame import mail_frame
from guestlist.web.toasts import toasts

# As long as a real one, and made with no key.
_SAMPLE_TOKEN = f"gli_{'example-' * 8}"
settings_page = member_page(Permission.ORGANIZATION_UPDATE)


@dataclass(frozen=True, slots=True)
class _Form:
    """A page of settings: its fields with what reads each, and the action that saves them."""

    section: str
    page: str
    parsers: Mapping[str, Callable[[str], Any]]
    ticks: tuple[str, ...]
    save: Callable[[Visit, Mapping[str, str]], Organization]


def _save_general(visit: Visit, typed: Mapping[str, str]) -> Organization:
    return update_organization(actor=visit.actor, organization=visit.organization, **typed)


def _save_email(visit: Visit, typed: Mapping[str, str]) -> Organization:
    return update_mail_settings(
        actor=visit.actor,
        organization=visit.organization,
        language=typed["language"],
        reminder_days=typed["reminder_days"],
        digests=bool(typed["digests"]),
    )


_GENERAL = _Form(
    "general",
    "guestlist:settings",
    {"name": clean_name, "slug": check_slug, "accent": parse_accent},
    (),
    _save_general,
)
_EMAIL = _Form(
    "email",
    "guestlist:settings_email",
    {"language": parse_language, "reminder_days": parse_reminder_days},
    ("digests",),
    _save_email,
)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """General; whoever may do no more than delete the organization is led to that."""
    if visit.can(Permission.ORGANIZATION_DELETE) and not visit.can(Permission.ORGANIZATION_UPDATE):
        return redirect("guestlist:settings_danger", visit.organization.slug)
    require_permission(request, visit, Permission.ORGANIZATION_UPDATE)
    return _answer(request, visit, _GENERAL)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page
def email(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Language, reminders and summaries."""
    return _answer(request, visit, _EMAIL)


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page
def security(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Whether two-factor authentication is required."""
    required, error = visit.organization.require_two_factor, None
    if request.method == "POST":
        required = bool(request.POST.get("require_two_factor"))
        try:
            require_two_factor(actor=visit.actor, organization=visit.organization, required=required)
        except (errors.TwoFactorFirst, errors.TwoFactorUnknown) as refusal:
            error = refusal
        else:
            messages.success(request, _("Settings saved."))
            return redirect("guestlist:settings_security", visit.organization.slug)
    two_factor = conf().two_factor
    lacking = two_factor is not None and not has_two_factor(request.user)
    context = {
        "shell": shell(visit),
        "required": required,
        "error": error and str(error),
        "unknown": str(errors.TwoFactorUnknown()) if two_factor is None else None,
        "setup_url": f"{two_factor.setup_url()}?{urlencode({'next': request.path})}"
        if two_factor and lacking
        else None,
    }
    status = error.status if error else 200
    return render(request, "guestlist/settings_security.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.ORGANIZATION_DELETE)
def danger(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Delete the organization, once its name is typed."""
    typed, error = request.POST.get("name", ""), None
    if request.method == "POST":
        try:
            gone = delete_organization(actor=visit.actor, organization=visit.organization, name=typed)
        except errors.NameMismatch as refusal:
            error = refusal
        else:
            text = _("%(name)s is deleted. You can restore it until %(day)s.")
            messages.success(request, text % {"name": gone.name, "day": day(gone_at(gone))})
            return redirect("guestlist:organizations")
    context = {"shell": shell(visit), "name": typed, "error": error and str(error)}
    status = error.status if error else 200
    return render(request, "guestlist/settings_danger.html", context, status=status)


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
    url = reverse("guestlist:settings_email", args=[visit.organization.slug])
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


def _answer(request: HttpRequest, visit: Visit, form: _Form) -> HttpResponse:
    """The form and the preview; a POST saves, or shows the mail with what was typed."""
    saved = _saved(visit.organization, form)
    if request.method != "POST":
        return _page(request, visit, form, saved)
    typed = {name: request.POST.get(name, "") for name in (*form.parsers, *form.ticks)}
    if found := _errors(form, typed):
        return _page(request, visit, form, typed, errors=found, status=422)
    if "preview" in request.POST:
        return _page(request, visit, form, typed, unsaved=typed != saved)
    try:
        organization = form.save(visit, typed)
    except errors.SlugTaken as error:
        found = dict.fromkeys(form.parsers, "") | {"slug": str(error)}
        return _page(request, visit, form, typed, errors=found, status=error.status)
    return _done(request, visit, form, organization)


def _done(request: HttpRequest, visit: Visit, form: _Form, organization: Organization) -> HttpResponse:
    text, url = _("Settings saved."), reverse(form.page, args=[organization.slug])
    here = (visit.organization.name, visit.organization.slug) == (organization.name, organization.slug)
    if request.htmx and here:  # type: ignore[attr-defined]
        toast = {"kind": "ok", "text": text, "detail": "", "undo": None}
        return _page(request, visit, form, _saved(organization, form), toasts=[toast])
    messages.success(request, text)
    # The rest of the page says the name and leads by the short name.
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]


def _page(
    request: HttpRequest,
    visit: Visit,
    form: _Form,
    values: Mapping[str, str],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    shown = _saved(visit.organization, form) if status >= 400 else values
    context = {
        "shell": shell(visit),
        "slug": visit.organization.slug,
        "values": values,
        "errors": dict.fromkeys(form.parsers, ""),
        "unsaved": False,
        "languages": settings.LANGUAGES,
        "usual_language": dict(settings.LANGUAGES).get(settings.LANGUAGE_CODE, settings.LANGUAGE_CODE),
        "usual_accent": ACCENT,
        "preview": _preview(visit, shown),
        "toasts": [],
        **more,
    }
    template = f"{'_' if request.htmx else ''}settings_{form.section}"  # type: ignore[attr-defined]
    return render(request, f"guestlist/{template}.html", context, status=status)


def _delivery_link(visit: Visit) -> str:
    """Where to see what becomes of the mail, for those who may."""
    if not visit.can_manage_members:
        return ""
    url = reverse("guestlist:delivery", args=[visit.organization.slug])
    return format_html('<a href="{}">{}</a>', url, _("See what becomes of it"))


def _saved(organization: Organization, form: _Form) -> dict[str, str]:
    """The settings as somebody would type them; a language that the server no longer has is none."""
    values = {
        "name": organization.name,
        "slug": organization.slug,
        "accent": organization.accent,
        "language": organization.language if organization.language in dict(settings.LANGUAGES) else "",
        "reminder_days": ", ".join(str(each) for each in organization.reminder_days),
        "digests": "on" if organization.digests else "",
    }
    return {name: values[name] for name in (*form.parsers, *form.ticks)}


def _errors(form: _Form, typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, if anything is; the action refuses the same, one after the other."""
    found = dict.fromkeys(form.parsers, "")
    for name, parse in form.parsers.items():
        try:
            parse(typed[name])
        except errors.GuestlistError as error:
            found[name] = str(error)
    return found if any(found.values()) else {}


def _preview(visit: Visit, values: Mapping[str, str]) -> dict[str, Any]:
    values = _saved(visit.organization, _GENERAL) | _saved(visit.organization, _EMAIL) | dict(values)
    draft = _sample(visit, values)
    message = draw(draft)
    query = urlencode({name: values[name] for name in ("name", "accent", "language")})
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
        name=values.get("name") or visit.organization.name,
        accent=values.get("accent", ""),
        language=values.get("language", ""),
    )
    if invitation.delivery is None:
        raise TypeError("an invitation comes with its mail")
    draft = draft_of(invitation.delivery)
    link = f"{conf().url}/i/{_SAMPLE_TOKEN}"
    return replace(draft, personal={**draft.personal, "link": link, "decline_link": f"{link}/decline"})
