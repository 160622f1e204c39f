"""Requests: people who ask to be let in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from guestlist.actions import join_requests
from guestlist.models import JoinRequest
from guestlist.models.listing import Listing, capped_counts
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.dates import day, moment
from guestlist.web.tables import Address, columns, shown
from guestlist.web.toasts import done

requests_page = member_page(Permission.MEMBER_MANAGE)


@require_safe
@requests_page
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The queue, or only its changing parts for htmx."""
    context = _list(request, visit) | {"shell": shell(visit)}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_join_requests_answer.html", context)
    return render(request, "guestlist/join_requests.html", context)


@require_POST
@requests_page
def grant(request: HttpRequest, visit: Visit, request_id: UUID | None = None) -> HttpResponse:
    """Invite whoever asked: one, or those that were selected."""
    result = join_requests.grant_requests(
        actor=visit.actor, organization=visit.organization, request_ids=_ids(request, request_id)
    )
    text = _("An invitation is on its way.") if request_id else ""
    return done(request, _url(visit), {"kind": "ok", "text": str(result), "detail": text})


@require_POST
@requests_page
def dismiss(request: HttpRequest, visit: Visit, request_id: UUID | None = None) -> HttpResponse:
    """Take requests off the list."""
    gone = join_requests.dismiss_requests(
        actor=visit.actor, organization=visit.organization, request_ids=_ids(request, request_id)
    )
    text = ngettext("%d request dismissed.", "%d requests dismissed.", len(gone)) % len(gone)
    return done(request, _url(visit), {"kind": "ok", "text": text})


def _ids(request: HttpRequest, request_id: UUID | None) -> Sequence[str]:
    return [str(request_id)] if request_id else request.POST.getlist("ids")


def _url(visit: Visit) -> str:
    return reverse("guestlist:join_requests", args=[visit.organization.slug])


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    address = Address.of(request, _url(visit), ("q", "sort", "page", "after", "before"))
    q, sort = request.GET.get("q", ""), request.GET.get("sort", "") or "asked"
    waiting = JoinRequest.objects.pending().filter(organization=visit.organization).matching(q)
    (total,) = capped_counts([waiting])
    rows = waiting.select_related("domain")
    page = shown(request, Listing.of(rows, JoinRequest.COLUMNS, sort), address, total)
    labels = {"email": _("Email"), "asked": _("Asked")}
    return {
        "columns": columns(address, sort, labels, ()),
        "rows": [_row(visit, row) for row in page.rows],
        "pager": page.pager,
        "q": q,
        "sort": sort,
        "match_total": total,
        "search_url": address.path,
        "self_url": address(),
        "state": "rows" if page.rows else "no_match" if q else "empty",
    }


def _row(visit: Visit, row: JoinRequest) -> dict[str, Any]:
    args = [visit.organization.slug, row.pk]
    return {
        "id": str(row.pk),
        "email": row.email,
        "name": row.name,
        "domain": row.domain and row.domain.domain,
        "asked": day(row.created_at),
        "asked_iso": row.created_at.isoformat(),
        "asked_title": moment(row.created_at),
        "grant_url": reverse("guestlist:grant_request", args=args),
        "dismiss_url": reverse("guestlist:dismiss_join_request", args=args),
    }
