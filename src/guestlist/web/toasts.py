"""Short messages in the corner: out of band for htmx, through Django's messages otherwise."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render


def toasts(request: HttpRequest, *items: dict[str, Any], events: tuple[str, ...] = ()) -> HttpResponse:
    """An htmx answer of toasts only. An item has `kind`, `text`, and optionally `detail` and `undo`.

    `events` are told to the page (`guestlist:changed` makes its list load again).
    """
    blank = {"detail": "", "undo": None}
    response = render(request, "guestlist/_toasts.html", {"toasts": [blank | item for item in items]})
    return announce(response, *events)


def announce(response: HttpResponse, *events: str) -> HttpResponse:
    """Add events for the page to an htmx answer."""
    if events:
        response["HX-Trigger"] = json.dumps({event: {} for event in events})
    return response


def done(
    request: HttpRequest, url: str, item: dict[str, Any], event: str = "guestlist:changed"
) -> HttpResponse:
    """What a successful POST answers: a toast and a fresh list by htmx, else the page at `url` with it.

    With the event `guestlist:later` the list is loaded when a message has had the time to leave.
    """
    if request.htmx:  # type: ignore[attr-defined]
        return toasts(request, item, events=(event,))
    text = " ".join(filter(None, [item["text"], item.get("detail")]))
    (messages.success if item["kind"] == "ok" else messages.error)(request, text)
    return HttpResponseRedirect(url)
