"""Long lists: no page, sort, filter or search of one reads all of it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist.actions.members import remove_member, update_profile
from guestlist.models import Delivery, Invitation, Membership, Organization, Role
from guestlist.models.fields import insert_all, new_id
from guestlist.models.headcount import Headcounts
from guestlist.models.listing import Listing
from guestlist.models.membership import NEEDS_ROLE
from guestlist_server.accounts.models import User
from tests.conftest import actor_of, join, make_user
from tests.headcounts import assert_headcounts_hold

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
SORTS = ("name", "-name", "email", "role", "-role", "joined", "-joined")


def crowd(organization: Organization, many: int, name: str = "Person") -> None:
    """So many members, the last tenth without a role."""
    role = Role.objects.get(organization=organization, name="Member")
    users = [
        User(id=new_id(), email=f"{n}@{organization.slug}.test", name=f"{name} {n}") for n in range(many)
    ]
    User.objects.bulk_create(users)
    insert_all(
        [
            Membership(
                organization=organization,
                user=user,
                name=user.name,
                email=user.email,
                email_key=user.email,
                role=role if n < many * 0.9 else None,
                joined_at=NEW_YEAR + timedelta(minutes=n),
            )
            for n, user in enumerate(users)
        ]
    )


def invite(organization: Organization, many: int) -> None:
    """So many invitations, each with its message."""
    template = {"invited_by_type": "user", "invited_by_name": "Alice", "expires_at": LATER}
    rows = [
        Invitation(
            organization=organization,
            email=f"{n}@acme.test",
            key=f"{n}@acme.test",
            nonce=f"{organization.slug}{n}",
            invited_at=NEW_YEAR + timedelta(minutes=n),
            last_sent_at=NEW_YEAR + timedelta(minutes=n),
            **template,
        )
        for n in range(many)
    ]
    insert_all(rows)
    insert_all(
        [
            Delivery(
                organization=organization,
                invitation=row,
                key=row.key,
                state="sent",
                message_id=row.nonce,
                created_at=row.invited_at,
                next_at=None,
            )
            for row in rows
        ]
    )


def cost(act: Callable[[], Any]) -> int:
    """What the database looked at: rows of scans on PostgreSQL, on SQLite a tenth of its machine's steps."""
    if connection.vendor == "postgresql":
        return _rows_of_scans(act)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.connection.set_progress_handler(count, 10)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def _rows_of_scans(act: Callable[[], Any]) -> int:
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        act()
    total = 0
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            total += _looked_at(cursor.fetchone()[0][0]["Plan"])
    return total


def _looked_at(node: dict[str, Any]) -> int:
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    own = (
        sum(node.get(name, 0) for name in names) * node["Actual Loops"] if "Scan" in node["Node Type"] else 0
    )
    return int(own) + sum(_looked_at(child) for child in node.get("Plans", ()))


def analyze() -> None:
    """What PostgreSQL does by itself when a table has grown; a few thousand rows it would read whole.

    Earlier tests, rolled back, leave indexes large, and thereby dearer than reading every row: they are built
    anew.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in ("membership", "invitation", "delivery"):
                cursor.execute(f"REINDEX TABLE guestlist_{table}")
            cursor.execute("ANALYZE")
            cursor.execute("SET LOCAL enable_seqscan = off")


def active(organization: Organization) -> Any:
    return Membership.objects.active().filter(organization=organization)


@pytest.fixture
def short_and_long(organization: Organization, beta: Organization) -> tuple[Organization, Organization]:
    """Beta with 300 members, Northwind with ten times as many."""
    crowd(beta, 300)
    crowd(organization, 3000)
    analyze()
    return beta, organization


def test_a_page_of_members_reads_a_long_list_no_further_than_a_short_one(short_and_long):
    for sort in SORTS:
        for role in ("", NEEDS_ROLE, "Member"):
            short, long = (
                cost(lambda org=org, role=role, sort=sort: _page(org, role, sort)) for org in short_and_long
            )
            assert long < 1.5 * short + 60, (sort, role, short, long)


def _page(organization: Organization, role: str, sort: str) -> list[Membership]:
    if role == "Member":
        role = str(Role.objects.get(organization=organization, name=role).pk)
    rows = active(organization).with_role(role)
    return list(Listing.of(rows, Membership.columns(role), sort).numbered(1, 25).items)


def test_a_page_far_behind_costs_what_the_first_one_does(short_and_long):
    _, organization = short_and_long
    # On SQLite an index of an expression, as is that of roles, does not lead past equal ones.
    for sort in SORTS if connection.vendor == "postgresql" else set(SORTS) - {"role", "-role"}:
        listing: Listing[Membership] = Listing.of(active(organization), Membership.COLUMNS, sort)
        cursor = listing.numbered(80, 25).next_cursor
        first, far = (
            cost(lambda li=listing: li.numbered(1, 25)),
            cost(lambda li=listing, c=cursor: li.after(c, 25)),
        )
        assert far < 1.5 * first + 60, (sort, first, far)


# Short ones: each run of three characters is looked up, and reading 3,000 rows costs as much as 30 of those.
@pytest.mark.parametrize("text", ["person 2718", "2718@north", "nobody"])
def test_searching_for_a_few_reads_a_few(short_and_long, text):
    _, organization = short_and_long
    rows = active(organization).matching(text)
    assert len(rows) == (0 if text.startswith("nobody") else 1)
    everyone = cost(lambda: list(active(organization).values_list("pk")))
    for sort in SORTS:
        page = cost(lambda sort=sort: Listing.of(rows, Membership.COLUMNS, sort).numbered(1, 25))
        assert page < everyone / 4, (sort, page, everyone)
    assert cost(lambda: active(organization).count_matching(text)) < everyone / 2


@pytest.mark.parametrize("model", [Invitation, Delivery])
def test_invitations_and_messages_are_sorted_and_searched_alike(organization, model):
    invite(organization, 3000)
    analyze()
    ours = model.objects.filter(organization=organization)
    assert ours.count_matching("2718@acme") == 1
    assert ours.count_matching("@acme") == ours.count_matching("ac") == 3000
    everyone = cost(lambda: list(ours.values_list("pk")))
    rows = ours.matching("2718@acme")
    assert [row.key for row in rows] == ["2718@acme.test"]
    sorts = ("email", "status", "-invited", "expires") if model is Invitation else ("to", "state", "-created")
    for sort in sorts:
        assert cost(lambda s=sort: Listing.of(rows, model.COLUMNS, s).numbered(1, 25)) < everyone / 4, sort
    pending = ours.with_status("pending") if model is Invitation else ours.in_state("sent")
    columns = Invitation.columns("pending") if model is Invitation else Delivery.COLUMNS
    for sort in sorts:
        assert cost(lambda s=sort: Listing.of(pending, columns, s).numbered(1, 25)) < everyone / 4, sort


@pytest.mark.parametrize(
    "page",
    [
        "members",
        "members?q=acme&sort=-joined",
        "members?q=7&role=none",
        "invitations",
        "invitations?q=acme&sort=email",
        "delivery",
        "delivery?q=acme&sort=to",
        "delivery?state=sent&sort=-created",
        "audit-log",
        "audit-log?q=acme",
        "audit-log?type=member.joined&person=alice",
        "roles",
    ],
)
def test_pages_take_the_same_queries_for_few_and_for_many(organization, beta, alice, dora, as_user, page):
    for each, many in ((organization, 120), (beta, 3)):
        crowd(each, many, "Acme")
        invite(each, many)
    counts = []
    for client, slug in ((as_user(alice), "northwind"), (as_user(dora), "beta")):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(f"/o/{slug}/admin/{page}")
        counts.append((answer.status_code, len(captured)))
    assert counts[0] == counts[1]
    assert counts[0][0] == 200


# How many there are.


def test_counting_reads_a_long_list_no_further_than_a_short_one(short_and_long):
    for organization, many in zip(short_and_long, (300, 3000), strict=True):
        invite(organization, many)
    analyze()
    short, long = (cost(lambda org=org: Headcounts.of(org)) for org in short_and_long)
    assert long < 1.5 * short + 20, (short, long)
    assert [Headcounts.of(org).invitations["pending"] for org in short_and_long] == [300, 3000]
    assert_headcounts_hold()


def test_few_among_many_are_found_by_an_index(organization):
    invite(organization, 3000)
    ours = Invitation.objects.filter(organization=organization)
    ids = list(ours.order_by("pk").values_list("pk", flat=True)[1000:1010])
    past = NEW_YEAR + timedelta(days=20)
    ours.filter(pk__in=ids).update(status="expired", expires_at=past, ended_at=past, asking=True)
    analyze()
    everyone = cost(lambda: list(ours.values_list("pk")))
    for sort in (f"{sign}{name}" for name in Invitation.COLUMNS for sign in ("", "-")):
        for status in ("expired", "asked", ""):
            rows = ours.with_status(status, swept=True) if status else ours
            listing = Listing.of(rows, Invitation.columns(status, swept=True), sort)
            read = cost(lambda li=listing: li.numbered(1, 25))
            assert read < everyone / 4, (sort, status, read, everyone)


def test_what_has_lapsed_counts_as_expired(organization, monkeypatch):
    invite(organization, 5)
    ours = Invitation.objects.filter(organization=organization)
    ours.filter(key__in=("1@acme.test", "2@acme.test")).update(expires_at=NEW_YEAR + timedelta(days=1))
    counts = Headcounts.of(organization)
    assert (counts.invitations["pending"], counts.invitations["expired"], counts.swept) == (3, 2, False)
    # More than are counted have lapsed: then those that have not are.
    monkeypatch.setattr("guestlist.models.headcount.COUNT_LIMIT", 1)
    assert Headcounts.of(organization).invitations["pending"] == 2
    assert Headcounts.of(organization).invitations["expired"] == 2


def test_headcounts_follow_what_is_removed(organization, charlie):
    invite(organization, 3)
    Invitation.objects.filter(key="1@acme.test").delete()
    Membership.objects.filter(user=charlie).delete()
    Membership.objects.filter(organization=organization).update(role=None)
    assert_headcounts_hold()
    assert Headcounts.of(organization).members == {"none": 1, "": 1} | dict.fromkeys(
        Headcounts.of(organization).members.keys() - {"none", ""}, 0
    )


# What is found.


def found(organization: Organization, text: str) -> set[str]:
    return set(active(organization).matching(text).values_list("name", flat=True))


def named(organization: Organization, *names: str) -> None:
    for number, name in enumerate(names):
        join(organization, make_user(f"n{number}-{random.random()}@names.test", name), None)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ARCHER", {"Alice Archer"}),
        ("ce arch", {"Alice Archer"}),
        ("ce  arch", set()),
        ("  alice ", {"Alice Archer"}),
        ("northwind.t", {"Alice Archer"}),
        ("50% off", {"50% Off"}),
        ("50_", set()),
        ('"quoted"', {'The "Quoted" One'}),
        ("a*b", {"a*b-c"}),
        ("NEAR(", set()),
        ("name:alice", set()),
        ("Алиса", {"Алиса Иванова"}),
        ("田太郎", {"山田太郎"}),
        ("山", {"山田太郎"}),
        ("er", {"Alice Archer"}),
        ("%", {"50% Off"}),
        ('"', {'The "Quoted" One'}),
        ("o'b", {"O'Brien"}),
        ("bri\x00en", {"O'Brien"}),
        ("zzz", set()),
    ],
)
def test_text_is_found_anywhere(organization, text, names):
    named(organization, "50% Off", 'The "Quoted" One', "a*b-c", "Алиса Иванова", "山田太郎", "O'Brien")
    assert found(organization, text) == names


def test_nobody_of_another_organization_is_found(organization, beta):
    named(beta, "Alice Archer of Beta")
    assert found(organization, "alice archer") == {"Alice Archer"}
    assert found(organization, "of beta") == set()


def test_who_was_removed_is_not_found(organization, alice, bob):
    member = Membership.objects.get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    assert found(organization, "bob baker") == set()
    assert [each.pk for each in Membership.objects.matching("bob baker")] == [member.pk]


def test_a_changed_name_is_found_and_the_former_one_is_not(organization, bob):
    bob.name = "Roberta Butcher"
    bob.save()
    update_profile(user=bob)
    assert found(organization, "roberta") == {"Roberta Butcher"}
    assert found(organization, "bob bak") == set()


def test_many_rows_changed_at_once_are_found(organization, bob, charlie):
    active(organization).update(name="Same Name")
    assert active(organization).matching("same name").count() == 3
    assert found(organization, "charlie cook") == set()
    active(organization).filter(user=bob).update(email="other@place.test")
    assert active(organization).matching("other@pl").get().user == bob


def test_rows_that_are_gone_are_forgotten(organization, bob, charlie):
    Membership.objects.filter(user=bob).delete()
    assert found(organization, "bob baker") == set()
    named(organization, "Newcomer Nora")
    assert found(organization, "newcomer") == {"Newcomer Nora"}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM guestlist_membership_text_row")
            assert cursor.fetchone()[0] == Membership.objects.count()
            # Says so by an error where the index and the rows disagree in itself.
            cursor.execute(
                "INSERT INTO guestlist_membership_text(guestlist_membership_text) VALUES('integrity-check')"
            )


def test_a_list_beyond_ten_thousand_is_searched_by_the_beginning_of_words(organization, alice):
    crowd(organization, 10_100, "Guest")
    named(organization, "Chen Li", "Linda Quist", "Alina Ek")
    assert found(organization, "li") == {"Chen Li", "Linda Quist"}
    assert found(organization, "q") == {"Linda Quist"}
    assert found(organization, "qj") == set()
    assert found(organization, "lin") == {"Linda Quist", "Alina Ek"}
    # More than 10,000 match: they are found by walking along the list.
    assert active(organization).matching("guest").count() == 10_100
    assert active(organization).matching("g").count() == 10_100
    listing: Listing[Membership] = Listing.of(
        active(organization).matching("guest"), Membership.COLUMNS, "-joined"
    )
    assert listing.numbered(1, 3).items[0].name == "Guest 10099"


def test_what_others_have_does_not_slow_a_search_of_a_short_list(organization, beta):
    crowd(beta, 300, "Guest")
    analyze()
    alone = cost(lambda: active(beta).count_matching("guest"))
    crowd(organization, 10_100, "Guest")
    analyze()
    assert active(beta).count_matching("guest") == 300
    # SQLite asks its index how many there are of all organizations, up to 20,002.
    assert cost(lambda: active(beta).count_matching("guest")) < 2 * alone + 20_000


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_what_keeps_the_search_true_outlives_all_migrations(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        names = {name for (name,) in cursor.fetchall()}
    for table in ("membership", "invitation", "delivery"):
        for what in ("added", "changed", "removed"):
            assert f"guestlist_{table}_text_{what}" in names


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_the_index_is_of_what_a_search_asks_for(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'")
        names = {name for (name,) in cursor.fetchall()}
    assert names == {f"guestlist_{table}_text" for table in ("membership", "invitation", "delivery")}
