"""Domains: people with an address there can join."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from guestlist import errors
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page


@require_safe
@member_page(Permission.ORGANIZATION_UPDATE)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list."""
    raise errors.NotFound
