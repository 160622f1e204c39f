"""API keys: what lets programs in."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from guestlist import errors
from guestlist.actions import api_keys
from guestlist.models import ApiKey
from guestlist.permissions import Permission
from guestlist.web import expiry_fields
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.api_key_list import api_key_list, example
from guestlist.web.confirm import confirm
from guestlist.web.dates import clock, moment
from guestlist.web.once import form_id, own_id
from guestlist.web.permission_boxes import boxes, labels
from guestlist.web.toasts import done

# What the form suggests.
USUAL = "90d"
REFUSALS = (
    errors.NameEmpty,
    errors.NameHasLink,
    errors.UnknownPermission,
    errors.AboveOwnRole,
    errors.ExpiryInvalid,
)
ENDED = (errors.KeyMade, errors.KeyEnded, errors.KeyReplaced)

keys_page = member_page(Permission.API_KEY_MANAGE)


@require_safe
@keys_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = api_key_list(request, visit) | {"shell": shell(visit), "current": "api_keys"}
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, f"guestlist/{'_api_keys_answer' if part else 'api_keys'}.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keys_page
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; a POST makes the key and shows it, this once. What was typed stays."""
    if request.method != "POST":
        return _form(request, visit, {"choice": USUAL}, ())
    permissions = request.POST.getlist("permissions")
    try:
        made = api_keys.create_api_key(
            actor=visit.actor,
            organization=visit.organization,
            name=request.POST.get("name", ""),
            permissions=permissions,
            expires=expiry_fields.chosen(request),
            api_key_id=own_id(visit, "api_keys", request.POST.get("once", "")),
        )
    except REFUSALS as error:
        return _form(request, visit, request.POST, permissions, error)
    except ENDED as error:
        return _back(request, visit, error)
    return _show_once(request, visit, made)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keys_page
def rotate(request: HttpRequest, visit: Visit, api_key_id: UUID) -> HttpResponse:
    """Ask how long the old key goes on, then show the new one, this once."""
    if request.method != "POST":
        return _question(request, visit, api_key_id)
    try:
        made = api_keys.rotate_api_key(
            actor=visit.actor,
            organization=visit.organization,
            api_key_id=api_key_id,
            overlap=request.POST.get("overlap", ""),
        )
    except (*ENDED, errors.AboveOwnRole, errors.OverlapInvalid) as error:
        return _back(request, visit, error)
    return _show_once(request, visit, made)


@require_http_methods(["GET", "HEAD", "POST"])
@keys_page
def revoke(request: HttpRequest, visit: Visit, api_key_id: UUID) -> HttpResponse:
    """Ask, then end the key."""
    about: dict[str, Any] = {"organization": visit.organization, "api_key_id": api_key_id}
    if request.method == "POST":
        row = api_keys.revoke_api_key(actor=visit.actor, **about)
        text = _("The API key %(name)s was revoked.") % {"name": row.name}
        return done(request, _url(visit), {"kind": "ok", "text": text})
    row = api_keys.find_api_key(**about)
    used = row.last_used_at
    context = {
        "title": _("Revoke the API key %(name)s?") % {"name": row.name},
        "body": " ".join(
            [
                _("Whatever uses it stops with its next request. It can’t be brought back."),
                _("It was last used %(when)s.") % {"when": clock(used)} if used else _("It was never used."),
            ]
        ),
        "action": request.path,
        "fields": [],
        "button": _("Revoke"),
        "cancel_url": _url(visit),
        "danger": True,
        "current": "api_keys",
    }
    return confirm(request, visit, context)


def _url(visit: Visit, name: str = "api_keys", *ids: UUID) -> str:
    return reverse(f"guestlist:{name}", args=[visit.organization.slug, *ids])


def _back(request: HttpRequest, visit: Visit, error: errors.GuestlistError) -> HttpResponse:
    """The list, with why nothing was made: a form that is sent again must not end on a bare page."""
    messages.error(request, str(error))
    return redirect(_url(visit))


def _form(
    request: HttpRequest,
    visit: Visit,
    typed: Mapping[str, str],
    chosen: Collection[str],
    error: errors.GuestlistError | None = None,
) -> HttpResponse:
    context = {
        "shell": shell(visit),
        "values": {name: typed.get(name, "") for name in ("name", *expiry_fields.FIELDS)},
        "errors": {error.field or "all": str(error)} if error else {},
        "groups": boxes(visit.membership.permissions, chosen),
        "choices": expiry_fields.choices(api_keys.DAYS),
        "once": form_id(visit, "api_keys"),
        "cancel_url": _url(visit),
    }
    return render(request, "guestlist/api_key_new.html", context, status=error.status if error else 200)


def _show_once(request: HttpRequest, visit: Visit, made: api_keys.NewApiKey) -> HttpResponse:
    key = made.key
    context = {
        "shell": shell(visit),
        "name": key.name,
        "secret": made.secret,
        "replaced": _end_of_old(key),
        "permissions": labels(key.permission_set),
        "expires": moment(key.expires_at) if key.expires_at else _("Never"),
        "cancel_url": _url(visit),
        **example(visit),
    }
    return render(request, "guestlist/api_key_shown.html", context)


def _end_of_old(key: ApiKey) -> str | None:
    """What becomes of the key that this one replaces."""
    ends = key.replaces and key.replaces.expires_at
    if ends is None:
        return None
    if ends <= key.created_at:
        return _("The key that it replaces has ended.")
    return _("The key that it replaces goes on until %(time)s.") % {"time": moment(ends)}


def _question(request: HttpRequest, visit: Visit, api_key_id: UUID) -> HttpResponse:
    row = api_keys.check_rotatable(actor=visit.actor, organization=visit.organization, api_key_id=api_key_id)
    context = {
        "title": _("Rotate the API key %(name)s?") % {"name": row.name},
        "action": request.path,
        "overlaps": [
            ("0", _("At once")),
            ("1h", _("For 1 hour")),
            ("24h", _("For 24 hours")),
            ("7d", _("For 7 days")),
            ("30d", _("For 30 days")),
        ],
        "usual": api_keys.OVERLAP,
        "changes_hands": row.created_by_id != visit.membership.user_id,
        "cancel_url": _url(visit),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "guestlist/_api_key_rotate.html", context)
    return render(request, "guestlist/api_key_rotate.html", context | {"shell": shell(visit)})
