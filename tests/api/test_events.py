"""The audit log over REST."""

import csv
import io
from datetime import timedelta

import pytest

from guestlist.actions import audit
from guestlist.api.resources import events as resources
from guestlist.models import ApiKey, Event
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/events"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def auditor(organization, make_key) -> ApiClient:
    """A key of Northwind that may read the log, and manage members."""
    return ApiClient(make_key(organization, permissions=["audit.read", "member.manage"]))


@pytest.fixture
def types(auditor):
    """The types of the events that a query answers with."""

    def ask(query: str = "") -> list[str]:
        response = auditor("GET", f"{URL}?{query}")
        assert response.status_code == 200, response.content
        return [event["type"] for event in response.data["items"]]

    return ask


def rows_of(response) -> list[dict[str, str]]:
    """A download as a spreadsheet reads it."""
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("path", ["", ".csv", f"/{ANY}"])
def test_whoever_may_not_read_the_log_sees_none_of_it(manager, path):
    response = manager("GET", f"{URL}{path}")
    assert_problem(response, 403, "not_allowed")
    assert "Audit: Read" in response.data["detail"]


def test_the_log_of_another_organization_is_not_there(auditor, beta):
    theirs = Event.objects.filter(organization=beta).first()
    for event_id in (theirs.pk, ANY, "nope"):
        assert_problem(auditor("GET", f"{URL}/{event_id}"), 404, "not_found")
    assert str(theirs.pk) not in auditor("GET", URL).content.decode()


def test_events_are_shown_as_they_were_written(auditor, organization, bob):
    page = auditor("GET", URL).data
    resources.EventList.model_validate(page)
    numbers = [event["number"] for event in page["items"]]
    assert numbers == list(range(len(numbers), 0, -1))
    assert (page["next_cursor"], page["total"]) == (None, len(numbers))
    event = Event.objects.filter(organization=organization).latest("number")
    assert page["items"][0] == event.as_resource()
    one = auditor("GET", f"{URL}/{event.pk}").data
    resources.Event.model_validate(one)
    assert one == event.as_resource()


def test_pages_follow_one_another_in_both_orders(auditor, bob, charlie):
    for sort in ("at", "-at"):
        whole = [event["id"] for event in auditor("GET", f"{URL}?sort={sort}").data["items"]]
        seen, cursor = [], ""
        while cursor is not None:
            page = auditor("GET", f"{URL}?limit=2&sort={sort}&cursor={cursor}").data
            assert len(page["items"]) <= 2
            seen += [event["id"] for event in page["items"]]
            cursor = page["next_cursor"]
        assert seen == whole
        assert len(seen) > 4


def test_what_happens_meanwhile_moves_no_page(auditor, bob, charlie):
    first = auditor("GET", f"{URL}?limit=2").data
    auditor("POST", "northwind/invitations", {"emails": ["jane@example.com"]})
    second = auditor("GET", f"{URL}?limit=2&cursor={first['next_cursor']}").data
    numbers = [event["number"] for event in first["items"] + second["items"]]
    assert numbers == list(range(numbers[0], numbers[0] - 4, -1))


def test_events_are_chosen_by_type(auditor, types, bob):
    assert set(types("type=member.joined")) == {"member.joined"}
    assert types("type=invitation.sent") == []
    refused = auditor("GET", f"{URL}?type=invitation.vanished")
    assert_problem(refused, 422, "invalid_filter")
    assert "invitation.sent" in refused.data["detail"]


def test_events_are_chosen_by_who_did_them(auditor, types, bob, as_user):
    auditor("POST", "northwind/invitations", {"emails": ["jane@example.com"]})
    as_user(bob).post("/o/northwind/admin/invitations/new", {"emails": "john@example.com"})
    key = ApiKey.objects.get()
    by_key = auditor("GET", f"{URL}?actor={key.pk}").data["items"]
    assert [(e["type"], e["subject"]["name"]) for e in by_key] == [("invitation.sent", "jane@example.com")]
    by_bob = auditor("GET", f"{URL}?actor={bob.pk}").data["items"]
    assert [(e["type"], e["subject"]["name"]) for e in by_bob] == [("invitation.sent", "john@example.com")]
    assert "organization.created" in types("actor=operator")
    assert "invitation.sent" not in types("actor=operator")
    assert types(f"actor={ANY}") == types("actor=nobody") == types("actor=system") == []


def test_filters_go_together(auditor, types, bob, as_user):
    auditor("POST", "northwind/invitations", {"emails": ["jane@example.com", "john@example.com"]})
    key = ApiKey.objects.get()
    assert types(f"actor={key.pk}&type=invitation.sent&q=JANE") == ["invitation.sent"]
    assert types(f"actor={key.pk}&type=member.joined") == []
    assert types(f"actor={key.pk}&person=jane@example.com") == ["invitation.sent"]
    assert types("actor=operator&person=jane@example.com") == []
    assert types("person=Bob+Baker") == ["member.joined"]


def test_events_are_chosen_by_time(auditor, types, bob):
    newest = Event.objects.latest("number")
    at = newest.at.isoformat().replace("+00:00", "Z")
    after = (newest.at + timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
    assert types(f"since={at}")[0] == newest.type
    assert types(f"since={after}") == []
    assert types(f"until={at}") == types()[1:]
    assert types(f"until={after}") == types()
    day = newest.at.date().isoformat()
    assert newest.type in types(f"since={day}")
    assert types("until=2001-01-01T00:00:00") == []


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "1e9", "0001-01-01", "9999-12-31", "2026-02-30T"]
)
@pytest.mark.parametrize("name", ["since", "until"])
def test_what_is_no_time_is_refused(auditor, name, text):
    response = auditor("GET", f"{URL}?{name}={text}")
    assert_problem(response, 422, "invalid_input")
    assert [(e["field"], e["code"]) for e in response.data["errors"]] == [(name, "invalid_time")]


@pytest.mark.parametrize("cursor", ["nope", "-1", "1e3", "9" * 30, "٣"])
def test_a_cursor_that_is_none_is_refused(auditor, cursor):
    assert_problem(auditor("GET", f"{URL}?cursor={cursor}"), 422, "invalid_cursor")


def test_a_sort_that_is_none_is_refused(auditor):
    for path in (URL, f"{URL}.csv"):
        assert_problem(auditor("GET", f"{path}?sort=type"), 422, "invalid_filter")


def test_a_search_that_comes_to_its_end_says_where_to_go_on(auditor, types, bob, monkeypatch):
    monkeypatch.setattr(audit, "SEARCHED", 2)
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = auditor("GET", f"{URL}?q=Northwind&cursor={cursor}").data
        seen += [event["type"] for event in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        assert page["total"] is None
    assert seen == ["organization.created"]
    assert pages > 2


def test_a_download_holds_the_same_rows_as_the_list(auditor, bob, charlie):
    response = auditor("GET", f"{URL}.csv?type=member.joined&sort=at")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="northwind-audit-log.csv"'
    rows = rows_of(response)
    assert tuple(rows[0]) == Event.HEADER
    listed = auditor("GET", f"{URL}?type=member.joined&sort=at").data["items"]
    assert [row["id"] for row in rows] == [event["id"] for event in listed]
    assert len(rows) == 3


def test_a_page_of_40_takes_as_many_queries_as_one_of_1(auditor, statements):
    auditor("POST", "northwind/invitations", {"emails": [f"p{n}@example.com" for n in range(40)]})
    counts = set()
    for limit in (1, 40):
        assert len(auditor("GET", f"{URL}?limit={limit}").data["items"]) == limit
        counts.add(statements(auditor, "GET", f"{URL}?limit={limit}"))
    assert len(counts) == 1


def test_what_one_index_knows_is_counted(auditor, bob, charlie):
    auditor("POST", "northwind/invitations", {"emails": [f"p{n}@example.com" for n in range(7)]})
    key, newest = ApiKey.objects.get(), Event.objects.latest("number")

    def total(query: str) -> int | None:
        return auditor("GET", f"{URL}?limit=1&{query}").data["total"]

    assert total("") == newest.number
    assert total("type=invitation.sent") == total(f"actor={key.pk}") == 7
    assert total(f"type=invitation.sent&until={newest.at.isoformat().replace('+00:00', 'Z')}") == 0
    assert total(f"actor={ANY}") == 0
    for searched in ("q=p1", "person=Bob+Baker", f"actor={key.pk}&type=invitation.sent"):
        assert total(searched) is None
