"""The form of a webhook: a new one, or one that is changed."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guestlist import errors
from guestlist.actions import webhooks
from guestlist.actions.webhook_calls import readable_types
from guestlist.delivery.targets import checked_url
from guestlist.models import Webhook
from guestlist.web.access import Visit, shell
from guestlist.web.once import form_id, own_id
from guestlist.web.webhook_words import type_boxes
from guestlist.web.webhooks import go_back, page_url, show_once, webhook_row, webhooks_page
from guestlist.webhook_messages import TYPES, readable

FIELDS = ("url", "description", "types")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; a POST makes the webhook and shows its secret, this once. What was typed stays."""
    if request.method != "POST":
        return _form(request, visit, {"scope": "all"}, ())
    url, chosen = request.POST.get("url", ""), request.POST.getlist("types")
    try:
        checked_url(url)
        made = webhooks.create_webhook(
            actor=visit.actor,
            organization=visit.organization,
            url=url,
            types=chosen if request.POST.get("scope") == "some" else None,
            description=request.POST.get("description", ""),
            webhook_id=own_id(visit, "webhooks", request.POST.get("once", "")),
        )
    except errors.WebhookMade as error:
        return go_back(request, page_url(visit), error)
    except errors.GuestlistError as error:
        return _again(request, visit, chosen, error)
    return show_once(request, visit, made)


@require_http_methods(["GET", "HEAD", "POST"])
@webhooks_page
def edit(request: HttpRequest, visit: Visit, webhook_id: UUID) -> HttpResponse:
    """The form with what holds now; a POST changes it. What was typed stays."""
    row = webhooks.find_webhook(organization=visit.organization, webhook_id=webhook_id)
    if request.method != "POST":
        scope = "all" if set(row.types) >= _all_for(visit, row) else "some"
        values = {"url": row.url, "description": row.description, "scope": scope}
        return _form(request, visit, values, row.types, row=row)
    url, chosen = request.POST.get("url", "").strip(), request.POST.getlist("types")
    try:
        if url != row.url:
            checked_url(url)
        webhooks.update_webhook(
            actor=visit.actor,
            organization=visit.organization,
            webhook_id=webhook_id,
            url=url,
            types=_wanted(visit, row, chosen, everything=request.POST.get("scope") != "some"),
            description=request.POST.get("description", ""),
        )
    except errors.GuestlistError as error:
        return _again(request, visit, chosen, error, row)
    messages.success(request, _("The webhook is changed."))
    return redirect(page_url(visit, "webhook", row.pk))


def _all_for(visit: Visit, row: Webhook) -> frozenset[str]:
    """Every type that the visitor can add to it."""
    return readable(visit.membership.permissions) & readable_types(row)


def _wanted(visit: Visit, row: Webhook, chosen: Collection[str], *, everything: bool) -> list[str]:
    """What the form says, and what it can't say: boxes of types above the visitor are not sent."""
    fixed = frozenset(row.types) - readable(visit.membership.permissions)
    if everything:
        return sorted(_all_for(visit, row) | frozenset(row.types))
    return [*chosen, *sorted(fixed)]


def _again(
    request: HttpRequest,
    visit: Visit,
    chosen: Collection[str],
    error: errors.GuestlistError,
    row: Webhook | None = None,
) -> HttpResponse:
    """The form with what was typed and why it was refused. What concerns no box of it is raised."""
    if error.field not in FIELDS and not isinstance(error, errors.TooManyWebhooks):
        raise error
    return _form(request, visit, request.POST, chosen, row=row, error=error)


def _form(
    request: HttpRequest,
    visit: Visit,
    typed: Mapping[str, str],
    chosen: Collection[str],
    *,
    row: Webhook | None = None,
    error: errors.GuestlistError | None = None,
) -> HttpResponse:
    may_read = readable(visit.membership.permissions)
    context = {
        "shell": shell(visit),
        "row": row and webhook_row(visit, row),
        "values": {name: typed.get(name, "") for name in ("url", "description")},
        "scope": "some" if typed.get("scope") == "some" else "all",
        "errors": {error.field or "all": str(error)} if error else {},
        "groups": type_boxes(may_read, chosen),
        "above": len(TYPES) - len(may_read),
        "once": "" if row else form_id(visit, "webhooks"),
        "cancel_url": page_url(visit, "webhook", row.pk) if row else page_url(visit),
    }
    return render(request, "guestlist/webhook_form.html", context, status=error.status if error else 200)
