"""Audit log: every change, who made it, when and from where."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from guestlist import errors
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page


@require_safe
@member_page(Permission.AUDIT_READ)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list."""
    raise errors.NotFound
