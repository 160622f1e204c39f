"""The Audit log page and its exports, through the door."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from guestlist import events
from guestlist.actions import audit
from guestlist.actions.members import change_role
from guestlist.actors import Actor, Origin
from guestlist.events import Happening
from guestlist.models import Event, Membership, Organization, Role
from guestlist.models.fields import insert_all, new_id
from guestlist.web.audit_words import changes_in_words, types
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

URL = "/o/northwind/admin/audit-log"
PATHS = ["", "/export.csv", "/export.jsonl"]
HTMX = {"HX-Request": "true"}
each_path = pytest.mark.parametrize("path", PATHS)


def body_of(response):
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body_of(response)))


def numbers_of(response):
    return [int(found) for found in re.findall(r"<dt>Number</dt><dd>(\d+)</dd>", body_of(response))]


def write(organization, rows, **values):
    """Append so many events at once, each `values` with `{}` in texts replaced by its number."""
    organization.refresh_from_db(fields=["event_number"])
    first = organization.event_number + 1
    blank = {
        "type": "invitation.sent",
        "at": timezone.now(),
        "actor_type": "system",
        "actor_name": "Guestlist",
        "door": "worker",
        "subject_type": "invitation",
        "subject_id": "none",
        "subject_name": "p{}@acme.test",
        "changes": {},
    }
    made = []
    for number in range(first, first + rows):
        filled = {k: v.format(number) if isinstance(v, str) else v for k, v in (blank | values).items()}
        made.append(Event(id=new_id(), organization=organization, number=number, **filled))
    insert_all(made)
    organization.event_number += rows
    organization.save(update_fields=["event_number"])


@each_path
def test_signed_out_people_sign_in_first(organization, client, path):
    assert client.get(URL + path).status_code == 302


@each_path
def test_an_outsider_is_answered_as_if_there_were_no_organization(
    organization, dora, beta, mallory, as_user, path
):
    for user in (mallory, dora):
        answer = as_user(user).get(URL + path)
        unknown = as_user(user).get(f"/o/nothing/admin/audit-log{path}")
        assert (answer.status_code, unknown.status_code) == (404, 404)
        assert "Alice" not in body_of(answer)


@each_path
def test_a_member_without_the_permission_gets_403_that_names_it(organization, charlie, as_user, path):
    response = as_user(charlie).get(URL + path)
    assert response.status_code == 403
    assert "Audit: Read" in text_of(response)
    assert f'href="{URL}"' not in response.content.decode()


@each_path
def test_the_permission_is_asked_at_each_request(organization, bob, as_user, path):
    client = as_user(bob)
    assert client.get(URL + path).status_code == 200
    Membership.objects.filter(user=bob).update(
        role=Role.objects.get(organization=organization, name="Member")
    )
    assert client.get(URL + path).status_code == 403


@each_path
def test_only_reading_is_possible(organization, alice, as_user, path):
    assert as_user(alice).post(URL + path).status_code == 405


def test_it_says_who_did_what_when_and_from_where(organization, alice, charlie, as_user):
    member = Membership.objects.get(user=charlie)
    admin = Role.objects.get(organization=organization, name="Admin")
    change_role(actor=actor_of(alice), organization=organization, member_id=member.pk, role_id=admin.pk)
    page = text_of(as_user(alice).get(URL))
    event = Event.objects.get(type="member.role_changed")
    for words in (
        "Alice Archer",
        "Role of a member changed",
        "Charlie Cook",
        "Role Member → then Admin",
        "Website 192.0.2.1",
        "Browser or program tests",
        f"Number {event.number} ",
        f"Id {event.pk}",
        "Operator Whoever runs the server",
        "Organization created Northwind",
    ):
        assert words in page


def test_another_organizations_events_are_not_there(organization, beta, dora, alice, as_user):
    send(organization, alice, "jane@example.com")
    client = as_user(dora)
    assert "jane@" not in text_of(client.get("/o/beta/admin/audit-log"))
    assert "jane@" not in text_of(client.get("/o/beta/admin/audit-log?person=alice@northwind.test"))
    assert "jane@" not in body_of(client.get("/o/beta/admin/audit-log/export.jsonl"))


def test_no_link_is_in_it(organization, alice, as_user):
    send(organization, alice, "jane@example.com")
    client = as_user(alice)
    assert not [path for path in PATHS if re.search(r"gl[ihuj]_", body_of(client.get(URL + path)))]


def test_names_are_text(organization, alice, as_user):
    write(organization, 1, subject_name="<script>x</script>", actor_name="<b>Eve</b>")
    html = as_user(alice).get(URL).content.decode()
    assert "<script>x" not in html
    assert "<b>Eve" not in html


def test_every_type_has_words():
    found = [code for group in types().values() for code in group]
    assert sorted(found) == sorted(events.TYPES)


@pytest.mark.parametrize(
    ("name", "pair", "words"),
    [
        ("role", (None, "Admin"), ("Role", "–", "Admin")),
        ("permissions", (["member.manage"], []), ("Permissions", "Member: Manage", "–")),
        ("invitation_lifetime", ("7d", "never"), ("Lifetime of invitations", "7 days", "Never")),
        ("allowed_domains", ([], ["acme.com", "*.b.test"]), ("Allowed domains", "–", "acme.com, *.b.test")),
        ("require_two_factor", (False, True), ("Two-factor authentication required", "No", "Yes")),
        ("reminder_days", ([3, 6], [1]), ("Remind people after (days)", "3, 6", "1")),
        ("language", ("", "de"), ("Language", "–", "Deutsch")),
        ("via", (None, "join_link"), ("How they came in", "–", "Join link")),
        ("delivery", ("sent", "bounced"), ("Email", "Sent", "Bounced")),
        ("expires_at", (None, "9999-12-31T00:00:00Z"), ("Expires", "–", "Never")),
        ("types", ([], ["member.left", "no.such"]), ("Events", "–", "Member left, no.such")),
        ("disabled_reason", (None, "gone"), ("Why it was turned off", "–", "Its address is gone")),
        ("new_thing", ("a", 0), ("New thing", "a", "0")),
    ],
)
def test_values_are_words(name, pair, words):
    (found,) = changes_in_words({name: list(pair)})
    assert tuple(found.values()) == words


@pytest.mark.parametrize("rows", [1, 40])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, rows, django_assert_num_queries
):
    for i in range(rows):
        join(organization, make_user(f"m{i}@acme.test", f"M {i}"), None)
    client = as_user(alice)
    client.get(URL)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200
    with django_assert_num_queries(7):
        assert client.get(URL, headers=HTMX).status_code == 200


@pytest.mark.parametrize("rows", [1, 40])
def test_filters_take_no_more_queries_for_many(
    organization, alice, as_user, rows, django_assert_max_num_queries
):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(rows)))
    query = {"person": "alice@northwind.test", "type": "invitation.sent", "q": "acme", "from": "2026-01-01"}
    client = as_user(alice)
    with django_assert_max_num_queries(19):
        assert client.get(URL, query, headers=HTMX).status_code == 200


def test_newest_first_and_the_other_way_round_a_page_at_a_time(organization, alice, as_user):
    write(organization, 120)
    last = organization.event_number
    client = as_user(alice)
    for sort, everything in (("-when", [*range(last, 0, -1)]), ("when", [*range(1, last + 1)])):
        url, walked, pages = f"{URL}?sort={sort}", [], []
        while url:
            response = client.get(url)
            pages.append(numbers_of(response))
            walked += pages[-1]
            before = re.search(r'id="page-previous" href="([^"]+)"', response.content.decode())
            found = re.search(r'id="page-next" href="([^"]+)"', response.content.decode())
            url = found and found[1].replace("&amp;", "&")
        assert walked == everything
        back = client.get(before[1].replace("&amp;", "&"))
        assert numbers_of(back) == pages[-2]
        again = re.search(r'id="page-next" href="([^"]+)"', back.content.decode())[1].replace("&amp;", "&")
        assert numbers_of(client.get(again)) == pages[-1]


def test_filter_by_type(organization, alice, as_user):
    send(organization, alice, "jane@example.com")
    client = as_user(alice)
    page = text_of(client.get(f"{URL}?type=invitation.sent"))
    assert "jane@example.com" in page
    assert "Organization created Northwind" not in page
    assert "No events match" in text_of(client.get(f"{URL}?type=invitation.bounced"))


def test_filter_by_day_in_the_viewers_zone(organization, alice, as_user):

    write(organization, 1, at=datetime(2030, 3, 1, 22, 30, tzinfo=UTC), subject_name="evening")
    write(organization, 1, at=datetime(2030, 3, 2, 22, 30, tzinfo=UTC), subject_name="later")
    client = as_user(alice)
    for zone, day, names in (
        ("UTC", "2030-03-01", ["evening"]),
        ("Asia/Tokyo", "2030-03-01", []),
        ("Asia/Tokyo", "2030-03-02", ["evening"]),
        ("Asia/Tokyo", "2030-03-03", ["later"]),
    ):
        client.cookies["timezone"] = zone
        page = text_of(client.get(f"{URL}?from={day}&to={day}"))
        assert [name for name in ("evening", "later") if f" {name} " in page] == names
    page = text_of(client.get(f"{URL}?from=2030-03-01"))
    assert "evening" in page
    assert "2 events" in page


@pytest.mark.parametrize("person", ["Alice Archer", "alice archer", "ALICE@northwind.test"])
def test_filter_by_person_finds_what_they_did_and_what_happened_to_them(
    organization, alice, bob, as_user, person
):
    send(organization, alice, "jane@example.com")
    send(organization, bob, "bob.guest@example.com")
    page = text_of(as_user(alice).get(URL, {"person": person}))
    assert "jane@example.com" in page
    assert "Member joined Alice Archer" in page
    assert "bob.guest" not in page


def test_filter_by_the_address_of_an_invitation_and_by_a_former_name(organization, alice, charlie, as_user):
    send(organization, alice, "jane@example.com\njohn@example.com")
    client = as_user(alice)
    page = text_of(client.get(URL, {"person": "JANE@example.com"}))
    assert "jane@example.com" in page
    assert "john@example.com" not in page
    Membership.objects.filter(user=charlie).update(state="removed", ended_at=timezone.now())
    assert "Member joined Charlie Cook" in text_of(client.get(URL, {"person": "charlie cook"}))
    assert "No events match" in text_of(client.get(URL, {"person": "Nobody Atall"}))


def test_operator_and_guestlist_are_persons_too(organization, alice, as_user):
    write(organization, 1, subject_name="by the clock")
    client = as_user(alice)
    assert "by the clock" in text_of(client.get(URL, {"person": "guestlist"}))
    page = text_of(client.get(URL, {"person": "Operator"}))
    assert "Organization created" in page
    assert "by the clock" not in page


def test_filter_by_the_name_of_a_key(organization, alice, as_user, make_key):
    make_key(organization)
    page = text_of(as_user(alice).get(URL, {"person": "test key"}))
    assert "API key created Test key" in page
    assert "Member joined Alice" not in page


def test_names_in_rows_lead_to_that_person_under_their_present_name(organization, alice, as_user):
    send(organization, alice, "jane@example.com")
    Membership.objects.filter(user=alice).update(name="Alice Baxter")
    html = as_user(alice).get(f"{URL}?type=invitation.sent").content.decode()
    assert f'href="{URL}?person=Alice+Baxter"><bdi>Alice Archer</bdi>' in html
    assert "jane@example.com" in text_of(as_user(alice).get(f"{URL}?person=Alice+Baxter"))


@pytest.mark.parametrize("q", ["JANE", "example.com", "sent", "192.0.2", "archer"])
def test_search_looks_anywhere(organization, alice, as_user, q):
    send(organization, alice, "jane@example.com")
    assert "jane@example.com" in text_of(as_user(alice).get(URL, {"q": q}))


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", "%%%", "0x\x00"])
def test_search_takes_every_sign_as_itself(organization, alice, as_user, q):
    send(organization, alice, "jane@example.com")
    page = text_of(as_user(alice).get(URL, {"q": q}))
    assert "jane@example.com" not in page


def test_all_filters_hold_together_and_stay_in_the_address(organization, alice, as_user):
    send(organization, alice, "jane@example.com\njohn@example.com")
    query = {"person": "Alice Archer", "type": "invitation.sent", "q": "john", "from": "2000-01-01"}
    response = as_user(alice).get(URL, query)
    assert "john@example.com" in text_of(response)
    assert "jane@example.com" not in text_of(response)
    html = response.content.decode()
    assert 'value="invitation.sent" selected' in html
    assert 'name="person" value="Alice Archer"' in html
    assert 'name="from" value="2000-01-01"' in html
    assert "export.csv?type=invitation.sent&amp;person=Alice+Archer&amp;from=2000-01-01&amp;q=john" in html
    assert "sort=when" in re.search(r'id="sort-when" href="([^"]+)"', html)[1]


@pytest.mark.parametrize("sort", ["-when", "when"])
def test_a_long_search_says_how_far_it_came_and_goes_on(organization, alice, as_user, monkeypatch, sort):
    monkeypatch.setattr(audit, "SEARCHED", 30)
    write(organization, 1, subject_name="needle one")
    write(organization, 100)
    write(organization, 1, subject_name="needle two")
    client, url, found, steps = as_user(alice), f"{URL}?q=needle&sort={sort}", [], 0
    while url:
        response = client.get(url)
        page, steps = text_of(response), steps + 1
        found += [name for name in ("needle one", "needle two") if f" {name} " in page]
        go_on = re.search(r'href="([^"]+)"[^>]*>Search (Older|Newer) Events', response.content.decode())
        assert bool(go_on) == bool(re.search("Searched (back|up) to ", page))
        if not found:
            assert "Nothing found yet" in page
        url = go_on and go_on[1].replace("&amp;", "&")
    assert steps > 3
    assert found == (["needle two", "needle one"] if sort == "-when" else ["needle one", "needle two"])


@pytest.mark.parametrize(
    "query",
    [
        "sort=nope",
        "after=x",
        "after=-1",
        "before=%00",
        "before=999999999999999999",
        "after=99999999999999999999999",
        "after=0",
        "q=%00%ff",
        "type=%00",
        "type=nope",
        "person=%00",
        "person=%ff@%ff",
        "from=2026-13-45",
        "from=0001-01-01&to=9999-12-31",
        "to=nonsense",
        "from=2030-01-01&to=2020-01-01",
        "after=3&before=3",
        "sort=&q=&person=",
    ],
)
@each_path
def test_no_query_breaks_it(organization, alice, as_user, query, path):
    response = as_user(alice).get(f"{URL}{path}?{query}")
    assert response.status_code in (200, 422)
    body_of(response)


def test_htmx_gets_the_list_and_the_exports_alone(organization, alice, as_user):
    html = as_user(alice).get(f"{URL}?q=alice", headers=HTMX).content.decode()
    assert "<!doctype" not in html
    assert html.count('id="results"') == html.count('id="exports"') == 1
    assert "export.csv?q=alice" in html


def test_the_csv_holds_everything_and_no_formula(organization, alice, as_user):
    write(organization, 2500, subject_name="=cmd|' /C calc'!A0", actor_name="+{}")
    response = as_user(alice).get(f"{URL}/export.csv")
    assert response["Content-Disposition"] == 'attachment; filename="northwind-audit-log.csv"'
    lines = list(csv.DictReader(io.StringIO(body_of(response).removeprefix("\ufeff"))))
    assert [int(line["number"]) for line in lines] == [*range(organization.event_number, 0, -1)]
    assert lines[0]["subject_name"] == "'=cmd|' /C calc'!A0"
    assert lines[0]["actor_name"].startswith("'+")
    assert json.loads(lines[-1]["changes"]) == {}


def test_json_lines_are_what_rest_answers(organization, alice, as_user):
    write(organization, 1200)
    response = as_user(alice).get(f"{URL}/export.jsonl?sort=when")
    lines = [json.loads(line) for line in body_of(response).splitlines()]
    assert [line["number"] for line in lines] == [*range(1, organization.event_number + 1)]
    assert lines[0] == Event.objects.get(organization=organization, number=1).as_resource()


@each_path
def test_exports_have_the_same_filters(organization, alice, as_user, monkeypatch, path):
    monkeypatch.setattr(audit, "SEARCHED", 20)
    write(organization, 100)
    send(organization, alice, "jane@example.com")
    query = "type=invitation.sent&person=alice%20archer&q=jane"
    body = body_of(as_user(alice).get(f"{URL}{path}?{query}"))
    assert "jane@example.com" in body
    assert "@acme.test" not in body


def test_an_export_is_read_a_batch_at_a_time(organization, alice, as_user, django_assert_max_num_queries):
    write(organization, 3000)
    response = as_user(alice).get(f"{URL}/export.jsonl")
    lines = iter(response.streaming_content)
    with django_assert_max_num_queries(1):
        assert sum(1 for _, _line in zip(range(900), lines, strict=False)) == 900
    with django_assert_max_num_queries(4):
        assert sum(1 for _line in lines) > 2000


def test_it_speaks_the_viewers_language_and_zone(organization, alice, as_user):
    with translation.override("de"):
        assert types()
    client = as_user(alice)
    client.cookies["timezone"] = "Asia/Tokyo"
    assert "(Asia/Tokyo)" in text_of(client.get(URL))


@pytest.mark.parametrize(
    "page", ["audit-log", "audit-log/export.csv", "members", "members/export.csv", "invitations", "requests"]
)
def test_a_search_for_very_long_text_finds_nothing(organization, alice, as_user, page):
    response = as_user(alice).get(f"/o/northwind/admin/{page}", {"q": "alice" * 12_000})
    assert response.status_code == 200
    assert "alice@" not in (body_of(response) if response.streaming else "")


def test_a_name_of_somebody_elsewhere_opens_nothing(organization, beta, dora, alice, as_user):
    send(beta, dora, "jane@example.com")
    page = text_of(as_user(alice).get(URL, {"person": "dora@beta.test"}))
    assert "No events match" in page


def test_numbers_rise_without_gaps_from_every_door(organization, alice):
    send(organization, alice, "a@x.test\nb@x.test")
    with_lock = Organization.objects.get(pk=organization.pk)
    actor = Actor.user(alice, origin=Origin("api", None, ""))
    from django.db import transaction

    with transaction.atomic():
        locked = Organization.objects.lock(with_lock.pk)
        events.record(actor, locked, Happening("organization.updated", locked, {"name": ("a", "b")}))
    numbers = list(Event.objects.filter(organization=organization).values_list("number", flat=True))
    assert sorted(numbers) == [*range(1, len(numbers) + 1)]
    assert timedelta(0) <= timezone.now() - Event.objects.latest("number").at
