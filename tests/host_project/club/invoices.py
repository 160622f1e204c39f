"""What only those may do whose role allows it."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from guestlist.actions.roles import may


def approve(request, slug):
    """Approve the invoices of an organization."""
    if not may(user=request.user, slug=slug, permission="invoice.approve"):
        raise PermissionDenied
    return HttpResponse("The invoices are approved.")
