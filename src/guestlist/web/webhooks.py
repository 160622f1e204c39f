"""Webhooks: other programs that are told what happens."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import webhooks
from guestlist.models import Webhook, WebhookDelivery
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.dates import clock, day, moment
from guestlist.web.toasts import done
from guestlist.web.webhook_words import standing, types_in_words

# There is room for fewer; a host may have made more.
MOST_SHOWN = 100

# How a receiver verifies a call.
EXAMPLE = """\
from standardwebhooks import Webhook

# The body as it came, byte for byte. Raises where the call is not genuine.
message = Webhook(SECRET).verify(body, headers)"""

webhooks_page = member_page(Permission.WEBHOOK_MANAGE)


@require_safe
@webhooks_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    rows = Webhook.objects.for_display().filter(organization=visit.organization).order_by("-pk")[:MOST_SHOWN]
    context = {
        "rows": [webhook_row(visit, row) for row in rows],
        "self_url": page_url(visit),
        "docs_url": _docs_url(),
        "shell": shell(visit),
        "current": "webhooks",
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, f"guestlist/{'_webhooks' if part else 'webhooks'}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def turn_off(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Ask, then turn off."""
    about: dict[str, Any] = {"organization": visit.organization, "webhook_id": webhook_id}
    if request.method == "POST":
        row = webhooks.turn_off_webhook(actor=visit.actor, **about)
        item = {"kind": "ok", "text": _("The webhook is off."), "detail": str(row)}
        return done(request, page_url(visit, "webhook", row.pk), item)
    row = webhooks.find_webhook(**about)
    told = [_("It is told nothing any more, not even later. You can turn it on again.")]
    if owed := WebhookDelivery.objects.owed().filter(webhook=row).count():
        waiting = ngettext(
            "%(total)s call that waits is canceled.", "%(total)s calls that wait are canceled.", owed
        )
        told.append(waiting % {"total": owed})
    title, button = _("Turn off %(name)s?") % {"name": row}, _("Turn Off")
    return _ask(request, visit, title, " ".join(told), button, page_url(visit, "webhook", row.pk))


@require_POST
@webhooks_page
def turn_on(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Tell it again what happens from now on."""
    row = webhooks.turn_on_webhook(actor=visit.actor, organization=visit.organization, webhook_id=webhook_id)
    item = {"kind": "ok", "text": _("The webhook is on again."), "detail": str(row)}
    return done(request, page_url(visit, "webhook", row.pk), item)


@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def delete(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Ask, then delete."""
    about: dict[str, Any] = {"organization": visit.organization, "webhook_id": webhook_id}
    if request.method == "POST":
        row = webhooks.delete_webhook(actor=visit.actor, **about)
        item = {"kind": "ok", "text": _("The webhook is deleted."), "detail": str(row)}
        return done(request, page_url(visit), item)
    row = webhooks.find_webhook(**about)
    body = _("It is told nothing any more, and the log of its calls is gone too. It can’t be brought back.")
    title = _("Delete %(name)s?") % {"name": row}
    return _ask(request, visit, title, body, _("Delete Webhook"), page_url(visit))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def rotate(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """Ask how long the old secret signs too, then show the new one, this once."""
    about: dict[str, Any] = {"organization": visit.organization, "webhook_id": webhook_id}
    if request.method != "POST":
        return _ask_for_overlap(request, visit, webhooks.find_webhook(**about))
    try:
        made = webhooks.rotate_secret(
            actor=visit.actor,
            **about,
            overlap=request.POST.get("overlap", ""),
            mark=request.POST.get("mark", ""),
        )
    except (errors.SecretReplaced, errors.OverlapInvalid) as error:
        return go_back(request, page_url(visit, "webhook", webhook_id), error)
    return show_once(request, visit, made)


def webhook_row(visit: Visit, row: Webhook) -> dict[str, Any]:
    """What the list and its own page show of a webhook."""
    arrived = row.delivered_at
    addresses = {
        "url": "webhook",
        "edit_url": "edit_webhook",
        "off_url": "turn_off_webhook",
        "on_url": "turn_on_webhook",
        "delete_url": "delete_webhook",
        "rotate_url": "rotate_webhook_secret",
        "test_url": "test_webhook",
        "redeliver_url": "redeliver_webhook_deliveries",
    }
    return {
        "id": str(row.pk),
        "name": str(row),
        "target": row.url,
        "description": row.description,
        "told": types_in_words(row.types),
        "on": not row.why_off,
        "arrived": clock(arrived) if arrived else "",
        "arrived_iso": arrived.isoformat() if arrived else "",
        "created": day(row.created_at),
        "created_iso": row.created_at.isoformat(),
        "created_by": row.created_by_name,
        **standing(row),
        **{name: page_url(visit, view, row.pk) for name, view in addresses.items()},
    }


def page_url(visit: Visit, name: str = "webhooks", *ids: UUID) -> str:
    """Where a page of webhooks is; the list unless told."""
    return reverse(f"guestlist:{name}", args=[visit.organization.slug, *ids])


def _docs_url() -> str | None:
    """Where the API describes itself; nothing where a project has not mounted it."""
    try:
        return reverse("guestlist-api:openapi-view")
    except NoReverseMatch:
        return None


def go_back(request: HttpRequest, url: str, error: errors.GuestlistError) -> HttpResponse:
    """The page, with why nothing was done: a form that is sent again must not end on a bare page."""
    messages.error(request, str(error))
    return redirect(url)


def _ask(
    request: HttpRequest, visit: Visit, title: str, body: str, button: str, cancel_url: str
) -> HttpResponse:
    context = {
        "title": title,
        "body": body,
        "action": request.path,
        "fields": [],
        "button": button,
        "cancel_url": cancel_url,
        "danger": True,
        "current": "webhooks",
    }
    return confirm(request, visit, context)


def _ask_for_overlap(request: HttpRequest, visit: Visit, row: Webhook) -> HttpResponse:
    context = {
        "shell": shell(visit),
        "name": str(row),
        "mark": webhooks.mark_of(row),
        "overlaps": [
            ("0", _("Not at all")),
            ("1h", _("For 1 hour")),
            ("24h", _("For 24 hours")),
            ("7d", _("For 7 days")),
        ],
        "usual": webhooks.OVERLAP,
        "cancel_url": page_url(visit, "webhook", row.pk),
    }
    return render(request, "guestlist/webhook_rotate.html", context)


def show_once(request: HttpRequest, visit: Visit, made: webhooks.Disclosed) -> HttpResponse:
    """The secret that was just made."""
    row = made.webhook
    context = {
        "shell": shell(visit),
        "name": str(row),
        "secret": made.secret,
        "example": EXAMPLE,
        "former_until": moment(row.former_until) if row.former_until else None,
        "docs_url": _docs_url(),
        "cancel_url": page_url(visit, "webhook", row.pk),
    }
    return render(request, "guestlist/webhook_secret.html", context)
