"""Domains: people with an address there can join, or ask to."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import domains
from guestlist.models import Domain
from guestlist.models.domain import Mode
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import day
from guestlist.web.errors import with_retry_after
from guestlist.web.toasts import done

domains_page = member_page(Permission.ORGANIZATION_UPDATE)


@require_safe
@domains_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, which is short, or only its changing parts for htmx."""
    rows = Domain.objects.filter(organization=visit.organization).order_by("domain")
    context = {
        "rows": [_row(visit, row) for row in rows[: domains.MOST_DOMAINS]],
        "modes": _modes(),
        "new_role": visit.organization.new_member_role,
        "self_url": request.path,
        "shell": shell(visit),
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, f"guestlist/{'_domains' if part else 'domains'}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@domains_page
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; a POST adds the domain and mails its code. What was typed stays."""
    typed = {name: request.POST.get(name, "").strip() for name in ("domain", "email")}
    error: errors.GuestlistError | None = None
    if request.method == "POST":
        try:
            added = domains.add_domain(actor=visit.actor, organization=visit.organization, **typed)
        except errors.NotAllowed:
            raise
        except errors.GuestlistError as refusal:
            error = refusal
        else:
            messages.success(request, _("A code is on its way to %(email)s.") % {"email": added.email})
            return redirect("guestlist:verify_domain", visit.organization.slug, added.pk)
    context = {
        "shell": shell(visit),
        "values": typed,
        "errors": {_field(error): str(error)} if error else {},
    }
    answer = render(request, "guestlist/domain_new.html", context, status=error.status if error else 200)
    return with_retry_after(answer, error) if error else answer


@require_http_methods(["GET", "HEAD", "POST"])
@domains_page
def verify(request: HttpRequest, visit: Visit, domain_id: UUID) -> HttpResponse:
    """The box for the code; a POST tries it."""
    organization, error = visit.organization, None
    if request.method == "POST":
        code = request.POST.get("code", "")
        try:
            row = domains.verify_domain(
                actor=visit.actor, organization=organization, domain_id=domain_id, code=code
            )
            return _verified(request, visit, row)
        except (errors.CodeWrong, errors.CodeExpired, errors.CodeTriesOver) as refusal:
            error = refusal
    row = domains.find_domain(organization=organization, domain_id=domain_id)
    if row.verified_at is not None:
        return redirect("guestlist:domains", organization.slug)
    context = {
        "shell": shell(visit),
        "domain": row,
        "error": error and str(error),
        "code_url": reverse("guestlist:send_domain_code", args=[organization.slug, row.pk]),
    }
    return render(request, "guestlist/domain_verify.html", context, status=error.status if error else 200)


@require_POST
@domains_page
def send_code(request: HttpRequest, visit: Visit, domain_id: UUID) -> HttpResponse:
    """Mail a new code."""
    slug = visit.organization.slug
    try:
        row = domains.send_code(actor=visit.actor, organization=visit.organization, domain_id=domain_id)
        messages.success(request, _("A new code is on its way to %(email)s.") % {"email": row.email})
    except (errors.TooManyCodes, errors.Suppressed) as error:
        messages.error(request, str(error))
    return redirect("guestlist:verify_domain", slug, domain_id)


@require_POST
@domains_page
def change_mode(request: HttpRequest, visit: Visit, domain_id: UUID) -> HttpResponse:
    """What people with an address there may do from now on."""
    row = domains.change_domain_mode(
        actor=visit.actor,
        organization=visit.organization,
        domain_id=domain_id,
        mode=request.POST.get("mode", ""),
    )
    text = {
        Mode.OFF: _("People with an address at %(domain)s can’t join by it any more."),
        Mode.REQUEST: _("People with an address at %(domain)s can ask to join."),
        Mode.JOIN: _("People with an address at %(domain)s can join at once."),
    }[Mode(row.mode)]
    return done(request, _url(visit), {"kind": "ok", "text": text % {"domain": row.domain}})


@require_http_methods(["GET", "HEAD", "POST"])
@domains_page
def remove(request: HttpRequest, visit: Visit, domain_id: UUID) -> HttpResponse:
    """Ask, then remove."""
    organization = visit.organization
    if request.method == "POST":
        gone = domains.remove_domain(actor=visit.actor, organization=organization, domain_id=domain_id)
        text = _("%(domain)s was removed.") % {"domain": gone.domain}
        return done(request, _url(visit), {"kind": "ok", "text": text})
    row = domains.find_domain(organization=organization, domain_id=domain_id)
    body = _(
        "Nobody can join or ask to join by an address at %(domain)s any more. Requests from there that wait "
        "are dismissed, and invitations that people had sent themselves are revoked. Members stay."
    )
    context = {
        "title": _("Remove %(domain)s?") % {"domain": row.domain},
        "body": body % {"domain": row.domain},
        "action": request.path,
        "fields": [],
        "button": _("Remove"),
        "cancel_url": _url(visit),
        "danger": True,
        "current": "joining",
    }
    return confirm(request, visit, context)


def _verified(request: HttpRequest, visit: Visit, row: Domain) -> HttpResponse:
    text = _("%(domain)s is verified. Choose what people with an address there may do.")
    messages.success(request, text % {"domain": row.domain})
    return redirect("guestlist:domains", visit.organization.slug)


def _url(visit: Visit) -> str:
    return reverse("guestlist:domains", args=[visit.organization.slug])


def _field(error: errors.GuestlistError) -> str:
    """The box that the error stands under; the one of the domain for those that concern the list."""
    if isinstance(error, errors.Suppressed | errors.TooManyCodes):
        return "email"
    return "email" if error.field == "email" else "domain"


def _modes() -> dict[str, str]:
    return {Mode.OFF: _("Nothing"), Mode.REQUEST: _("Ask to join"), Mode.JOIN: _("Join at once")}


def _row(visit: Visit, row: Domain) -> dict[str, Any]:
    args = [visit.organization.slug, row.pk]
    return {
        "id": str(row.pk),
        "domain": row.domain,
        "email": row.email,
        "verified": row.verified_at and day(row.verified_at),
        "mode": row.mode,
        "added": day(row.created_at),
        "added_iso": row.created_at.isoformat(),
        "mode_url": reverse("guestlist:change_domain_mode", args=args),
        "verify_url": reverse("guestlist:verify_domain", args=args),
        "remove_url": reverse("guestlist:remove_domain", args=args),
    }
