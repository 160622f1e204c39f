"""Times as people read them: their zone, their language, and which zone it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from guestlist.web.dates import Reader, day, moment
from tests.actions.test_send_invitations import send

LATE = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "Mar 1, 2026, 23:30 (UTC)"),
        ("Asia/Kolkata", "Mar 2, 2026, 05:00 (Asia/Kolkata)"),
        ("America/New_York", "Mar 1, 2026, 18:30 (America/New York)"),
    ],
)
def test_a_moment_names_the_zone_it_is_told_in(zone, shown):
    with timezone.override(zone):
        assert moment(LATE) == shown


def test_a_day_is_the_viewers_day():
    with timezone.override("Asia/Kolkata"):
        assert day(LATE) == "Mar 2, 2026"


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_lists_and_tooltips_write_a_day_the_same_way(language):
    with translation.override(language):
        assert moment(LATE).startswith(day(LATE))


def test_days_are_counted_by_the_viewers_calendar():
    with timezone.override("America/New_York"):
        now = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 11 in the evening of the day before
        reader = replace(Reader.here(), now=now)
        assert reader.until(now + timedelta(minutes=30)) == "today"
        assert reader.until(now + timedelta(hours=2)) == "tomorrow"
        assert reader.until(now + timedelta(days=3)) == "in 3 days"


def test_the_page_shows_the_zone_that_the_browser_told(organization, alice, as_user):
    send(organization, alice, "jane@acme.test")
    client = as_user(alice)
    client.cookies["timezone"] = "Asia/Kolkata"
    assert "(Asia/Kolkata)" in client.get("/o/northwind/admin/invitations").content.decode()
