"""A question before something that cannot be undone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guestlist.web.access import Visit, shell


def confirm(request: HttpRequest, visit: Visit, context: dict[str, Any]) -> HttpResponse:
    """A dialog for htmx, a page otherwise. `context` is that of `_confirm_body.html`."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "guestlist/_confirm.html", context)
    return render(request, "guestlist/confirm.html", context | {"shell": shell(visit)})
