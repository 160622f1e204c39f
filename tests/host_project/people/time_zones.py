"""Middleware that shows times in the viewer's time zone, which Guestlist's pages put into a cookie."""

from zoneinfo import available_timezones

from django.utils import timezone


class ViewersTimeZone:
    """The cookie's zone, or the project's own."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.zones = available_timezones()

    def __call__(self, request):
        zone = request.COOKIES.get("timezone")
        with timezone.override(zone if zone in self.zones else None):
            return self.get_response(request)
