"""The audit log: what the database refuses, how much of it is read, and the proof that it is whole."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from guestlist.actions import audit, audit_proof
from guestlist.actions.audit import Filters, Log
from guestlist.actions.audit_proof import broken_guards, verify
from guestlist.events import TYPES
from guestlist.models import Event, Membership
from tests.actions.test_send_invitations import send
from tests.conftest import join, make_user
from tests.web.test_audit_log_page import write

IN_2020 = datetime(2020, 1, 1, tzinfo=UTC)


def run(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def settle():
    """Check now what PostgreSQL would check at the end: until then it refuses for that reason."""
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")


def open_the_table():
    """What somebody would have to do first who owns the database."""
    if connection.vendor == "postgresql":
        run("DROP FUNCTION guestlist_event_is_append_only() CASCADE")
        run("DROP FUNCTION guestlist_event_is_not_truncated() CASCADE")
    else:
        for name in audit_proof.TRIGGERS["sqlite"]:
            run(f"DROP TRIGGER {name}")


def lose(organization, *numbers):
    for number in numbers:
        rows = Event.objects.filter(organization=organization, number=number)
        rows._raw_delete(rows.db)


STATEMENTS = [
    "UPDATE guestlist_event SET type = 'x'",
    "DELETE FROM guestlist_event",
    "TRUNCATE guestlist_event",
    "TRUNCATE guestlist_organization CASCADE",
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_nothing_that_was_written_goes(organization, sql):
    if sql.startswith("TRUNCATE") and connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    before = Event.objects.count()
    settle()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(sql)
    assert Event.objects.count() == before > 0


def test_the_triggers_are_there_after_all_migrations(organization):
    assert broken_guards() == []


def test_the_proof_leaves_the_log_as_it_was(organization, alice):
    send(organization, alice, "jane@example.com")
    before = [event.as_resource() for event in Event.objects.order_by("number")]
    broken_guards()
    open_the_table()
    broken_guards()
    assert [event.as_resource() for event in Event.objects.order_by("number")] == before


def test_missing_triggers_are_noticed(organization):
    open_the_table()
    found = broken_guards()
    for name in audit_proof.TRIGGERS[connection.vendor]:
        assert f"The trigger {name} is missing." in found
    assert found[-2:] == ["An event can be changed.", "An event can be deleted."]


def test_a_trigger_that_is_switched_off_is_noticed(organization):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no switch for triggers")
    settle()
    run("ALTER TABLE guestlist_event DISABLE TRIGGER guestlist_event_is_not_truncated")
    assert broken_guards() == ["The trigger guestlist_event_is_not_truncated is missing."]


def test_a_whole_log_is_whole(organization, alice, beta):
    send(organization, alice, "jane@example.com")
    for each in (organization, beta):
        verdict = verify(each)
        assert verdict.whole
        assert verdict.last == Event.objects.filter(organization=each).count()


def test_an_event_that_is_gone_is_noticed_the_first_the_newest_and_between(organization, beta):
    write(organization, 40)
    last = organization.event_number
    open_the_table()
    lose(organization, 1, 7, 8, 9, 20, last)
    assert verify(organization).missing == ((1, 1), (7, 9), (20, 20), (last, last))
    assert verify(beta).whole


def test_a_log_that_is_gone_whole_is_noticed(organization):
    organization.refresh_from_db()
    open_the_table()
    lose(organization, *range(1, organization.event_number + 1))
    assert verify(organization).missing == ((1, organization.event_number),)


def test_an_event_that_nobody_counted_is_noticed(organization):
    write(organization, 2)
    last = organization.event_number - 2
    type(organization).objects.filter(pk=organization.pk).update(event_number=last)
    verdict = verify(organization)
    assert (verdict.whole, verdict.missing, verdict.unknown) == (False, (), 2)


def test_only_so_many_ranges_are_named(organization, monkeypatch):
    monkeypatch.setattr(audit_proof, "RANGES", 3)
    write(organization, 20)
    open_the_table()
    lose(organization, *range(2, 20, 2))
    verdict = verify(organization)
    assert (len(verdict.missing), verdict.more) == (3, True)


def test_an_organization_that_is_gone_has_no_verdict(organization):
    organization.pk = uuid.uuid4()
    assert verify(organization) is None


def filters(**values):
    return Filters(**{"person": "Alice Archer", "type": "invitation.sent", "q": "p"} | values)


FILTERS = [
    Filters(),
    Filters(type="invitation.sent"),
    Filters(person="Alice Archer"),
    Filters(person="Operator"),
    Filters(since=IN_2020, until=IN_2020 + timedelta(days=36500)),
    Filters(type="member.joined", since=IN_2020),
    Filters(q="needle"),
    Filters(person="Guestlist", type="invitation.failed"),
    filters(since=IN_2020),
]


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("chosen", FILTERS)
def test_no_page_sorts_or_reads_the_whole_log(organization, alice, chosen, oldest_first):
    """Each statement on the table goes by an index, in its order."""
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's choice for a handful of rows is its own")
    send(organization, alice, "jane@example.com")
    write(organization, 50)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        Log(organization, chosen).events(40, oldest_first=oldest_first)
    statements = [q["sql"] for q in queries if '"guestlist_event"' in q["sql"]]
    assert statements
    for sql in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = [row[3] for row in cursor.fetchall()]
        assert not [line for line in plan if re.fullmatch(r"SCAN guestlist_event\b.*", line)], plan
        if " UNION " not in sql and " IN (" not in sql:
            assert not [line for line in plan if "TEMP B-TREE" in line], plan


def test_a_search_looks_at_so_many_rows_and_no_more(organization, monkeypatch):
    monkeypatch.setattr(audit, "SEARCHED", 30)
    write(organization, 1, subject_name="needle")
    write(organization, 100)
    last = organization.event_number
    log = Log(organization, Filters(q="needle"))
    found = log.events()
    assert (found.events, found.next, found.searched_to.number) == ([], last - 29, last - 29)
    found = log.events(last - 29)
    assert found.next == last - 59
    assert [event.subject_name for event in log.all()] == ["needle"]


def test_the_rows_to_look_at_are_shared_among_the_trails_of_a_person(organization, alice, monkeypatch):
    monkeypatch.setattr(audit, "SEARCHED", 60)
    user = {"actor_type": "user", "actor_id": str(alice.pk), "actor_name": "Alice Archer"}
    member = Membership.objects.get(user=alice)
    about = {"subject_type": "member", "subject_id": str(member.pk)}
    write(organization, 40, **user, type="role.created")
    write(organization, 40, **about, type="member.left")
    write(organization, 3, **user, **about, type="role.deleted")
    for wanted, number in (("role.created", 40), ("member.left", 40), ("role.deleted", 3)):
        log = Log(organization, Filters(person="alice archer", type=wanted))
        for oldest_first in (False, True):
            found = [event.number for event in log.all(oldest_first=oldest_first)]
            assert len(found) == number
            assert found == sorted(found, reverse=not oldest_first)
    assert Log(organization, Filters(person="alice archer", type="role.created")).events().next


def test_walking_finds_the_same_as_asking_at_once(organization, alice, bob, monkeypatch):
    monkeypatch.setattr(audit, "SEARCHED", 25)
    monkeypatch.setattr(audit, "BATCH", 7)
    user = {"actor_type": "user", "actor_id": str(alice.pk)}
    for kind in sorted(TYPES)[:6]:
        write(organization, 9, **user, type=kind, subject_name="even" if len(kind) % 2 else "odd")
        write(organization, 5, type=kind)
    everything = list(Event.objects.filter(organization=organization).order_by("number"))
    for kind in ("", *sorted(TYPES)[:3]):
        for person in ("", "Alice Archer"):
            for q in ("", "even"):
                chosen = Filters(type=kind, person=person, q=q)
                wanted = [
                    event.number
                    for event in everything
                    if (not kind or event.type == kind)
                    and (
                        not person or event.actor_id == str(alice.pk) or event.subject_name == "Alice Archer"
                    )
                    and q in event.subject_name
                ]
                log = Log(organization, chosen)
                assert [e.number for e in log.all(oldest_first=True)] == wanted, chosen
                assert [e.number for e in log.all()] == wanted[::-1], chosen


def test_days_are_counted_without_counting(organization):
    write(organization, 3, at=IN_2020 + timedelta(days=3652))
    write(organization, 4, at=IN_2020 + timedelta(days=3653))
    last = organization.event_number
    assert Log(organization).count() == last
    day = Filters(since=IN_2020 + timedelta(days=3652), until=IN_2020 + timedelta(days=3653))
    assert Log(organization, day).count() == 3
    assert Log(organization, Filters(until=IN_2020)).count() == 0
    assert Log(organization, Filters(since=IN_2020 + timedelta(days=9999))).count() == 0
    assert Log(organization, Filters(q="x")).count() is None


def test_people_of_one_name_are_found_together_and_no_more_than_twenty(organization, monkeypatch):
    monkeypatch.setattr(audit, "PEOPLE", 3)
    for i in range(5):
        join(organization, make_user(f"sam{i}@acme.test", "Sam Smith"), None)
    organization.refresh_from_db()
    found = list(Log(organization, Filters(person="sam smith")).all())
    assert len(found) == 3
