"""What a page of a long list costs: `.venv/bin/python bench/lists.py [--members 100000] [--events 1000000]`.

One database with a small organization and one with so many members, invitations, messages and events. Each
sort, tab, filter and search of every list, the first page and one far behind, is asked of both as a browser
does it: number of queries, time (median of 5), and what the database read for it. On SQLite that is steps of
its virtual machine, on PostgreSQL the rows that scans looked at (EXPLAIN ANALYZE).
"""

# ruff: noqa: C901, E731, S106, S311, S603, S608, T201

import argparse
import base64
import contextlib
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

SMALL = {"members": 50, "events": 500}
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 5


def main():
    arguments = _arguments()
    if arguments.inside:
        inside(arguments)
        return
    from delivery import cluster  # beside this file

    folder = Path(tempfile.mkdtemp(prefix="guestlist-bench-", dir="/tmp"))
    folder.chmod(0o711)
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in arguments.databases:
            url = arguments.postgresql
            if name == "sqlite":
                url = f"sqlite:///{folder}/guestlist.sqlite3"
            elif not url:
                url = stack.enter_context(cluster(folder))
            kept = {key: value for key, value in os.environ.items() if not key.startswith("GUESTLIST")}
            environ = kept | {
                "DATABASE_URL": url,
                "GUESTLIST_DATA_DIR": str(folder / name),
                "GUESTLIST_LOG_LEVEL": "WARNING",
            }
            command = [sys.executable, __file__, *sys.argv[1:], "--inside"]
            subprocess.run(command, env=environ, check=True)


def _arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--postgresql", default="")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--only", default="", help="only lists whose name contains this")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def inside(arguments):
    """In a process of its own, because Django has one database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    call_command("collectstatic", verbosity=0, interactive=False)
    random.seed(5)
    started = time.monotonic()
    small = make("beta", **SMALL)
    big = make("northwind", members=arguments.members, events=arguments.events)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
    print(f"\n{connection.vendor}: filled in {time.monotonic() - started:.0f} s\n")
    unit = "rows" if connection.vendor == "postgresql" else "steps"
    print(f"| List | Queries | ms | {unit} read | ms with few | {unit} with few |\n|---|---|---|---|---|---|")
    for name, path, query in lists(big):
        if arguments.only not in name:
            continue
        much, little = measure(big, path, query(big)), measure(small, path, query(small))
        queries = (
            f"{much.queries}" if much.queries == little.queries else f"{little.queries} → {much.queries}"
        )
        values = f"{queries} | {much.ms:.0f} | {much.read:,} | {little.ms:.0f} | {little.read:,}"
        print(f"| {name} | {values} |", flush=True)


# What is measured.


def lists(big):
    """A name, a path, and what makes the query for an organization."""
    searches = {
        "one match": f"person{len(big.members) * 7 // 10}.",
        "hundreds": "quentin",
        "a twentieth, at the end": "zoe",
        "most": "acme",
        "none": "zqzqzq",
        "two letters": "li",
        "two letters, none": "qj",
    }
    roles = {"Owner": "Owner", "Member": "Member", "without": None}
    for sort in ("name", "email", "role", "joined"):
        for sign in ("", "-"):
            yield f"Members by {sign}{sort}", "members", asks(sort=sign + sort)
    for name, role in roles.items():
        for sort in ("name", "-joined", "joined"):
            yield (
                f"Members, role {name}, by {sort}",
                "members",
                lambda org, role=role, sort=sort: {"role": str(org.roles.get(role, "none")), "sort": sort},
            )
    for name, q in searches.items():
        for sort in ("name", "-joined"):
            yield f"Members, search for {name}, by {sort}", "members", asks(q=q, sort=sort)
    yield "Members, search in a role", "members", lambda org: {"q": "zoe", "role": str(org.roles["Admin"])}
    yield "Members, page 200", "members", asks(page=200)
    for sort in ("name", "joined", "role"):
        yield f"Members by {sort}, in the middle", "members", middle(sort)
    yield "Members, search, in the middle", "members", middle("name", q="acme")
    for status in ("pending", "accepted", "expired"):
        for sort in ("email", "-invited", "expires", "status"):
            yield f"Invitations {status} by {sort}", "invitations", asks(status=status, sort=sort)
    for name in ("one match", "most", "none", "two letters, none"):
        yield (
            f"Invitations, search for {name}",
            "invitations",
            asks(status="accepted", q=searches[name]),
        )
    for state in ("", "sent", "failed"):
        for sort in ("to", "state", "-created"):
            yield f"Delivery {state or 'all'} by {sort}", "delivery", asks(state=state, sort=sort)
    for name in ("one match", "most", "none"):
        yield f"Delivery, search for {name}", "delivery", asks(q=searches[name])
    yield from audit_lists()


def audit_lists():
    """The audit log's filters, alone and together."""
    day = {"from": "2026-03-01", "to": "2026-03-02"}
    filters = {
        "all": {},
        "a common type": {"type": "invitation.sent"},
        "a rare type": {"type": "role.created"},
        "a day": day,
        "a busy person": {"person": "Olivia Owner"},
        "a quiet person": {"person": "quiet@acme.test"},
        "nobody": {"person": "Nobody Like This"},
        "search, common": {"q": "acme"},
        "search, rare": {"q": "person333."},
        "search, none": {"q": "zqzqzq"},
        "person and type": {"person": "Olivia Owner", "type": "role.created"},
        "type and search, none": {"type": "invitation.sent", "q": "zqzqzq"},
        "day and search": {**day, "q": "acme"},
        "day and type": {**day, "type": "invitation.sent"},
        "all filters": {**day, "type": "invitation.sent", "person": "Olivia Owner", "q": "zqzqzq"},
    }
    for name, query in filters.items():
        yield f"Audit log, {name}", "audit-log", asks(**query)
    yield "Audit log, oldest first", "audit-log", asks(sort="when")
    yield "Audit log, in the middle", "audit-log", lambda org: {"after": org.events // 2}
    yield (
        "Audit log, a type, in the middle",
        "audit-log",
        lambda org: {"type": "role.created", "after": org.events // 2},
    )


def asks(**query):
    """The same query for both organizations."""
    return lambda organization: query


def middle(sort, **query):
    """Behind the row in the middle, as a link of the page would say it."""

    def build(organization):
        from guestlist.models import Membership

        rows = Membership.objects.filter(organization=organization.pk)
        value = Membership.COLUMNS[sort]
        rows = rows.annotate(value=value).order_by("value", "pk").values_list("value", "pk")
        value, pk = rows[len(organization.members) // 2]
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        cursor = base64.urlsafe_b64encode(json.dumps([sort, text, str(pk)]).encode()).decode()
        return {"sort": sort, "after": cursor, **query}

    return build


@dataclass
class Cost:
    queries: int
    ms: float
    read: int


def measure(organization, path, query):
    """One page, often enough."""
    from django.db import connection
    from django.test import Client

    url = f"/o/{organization.slug}/admin/{path}"
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(organization.owner)

    def get():
        answer = client.get(url, query)
        if answer.status_code != 200:
            raise SystemExit(f"{url} {query}: {answer.status_code}")

    get()
    statements = []

    def note(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        get()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        get()
        times.append(1000 * (time.perf_counter() - started))
    read = rows_read(statements) if connection.vendor == "postgresql" else steps_of(get)
    return Cost(len(statements), statistics.median(times), read)


def steps_of(get):
    """Instructions of SQLite's virtual machine, to a hundred."""
    from django.db import connection

    steps = 0

    def count():
        nonlocal steps
        steps += 100

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 100)
    try:
        get()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def rows_read(statements):
    """Rows that scans returned or threw away."""
    from django.db import connection

    total = 0
    with connection.cursor() as cursor:
        for sql, params in statements:
            if sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                total += looked_at(cursor.fetchone()[0][0]["Plan"])
    return total


def looked_at(node):
    own = 0
    if "Scan" in node["Node Type"]:
        names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        own = int(sum(node.get(name, 0) for name in names) * node["Actual Loops"])
    return own + sum(looked_at(child) for child in node.get("Plans", []))


# What it is measured on.


@dataclass
class Made:
    """An organization with its lists."""

    slug: str
    pk: UUID
    owner: object
    roles: dict
    members: list
    events: int


def make(slug, members, events):
    """An organization of `members` members, as many invitations and messages, and `events` events."""
    from guestlist.actions.organizations import create_organization
    from guestlist.actors import Actor
    from guestlist.models import Organization, Role
    from guestlist_server.accounts.models import User

    owner = User.objects.create_user(f"owner@{slug}.test", "correct horse battery", name="Olivia Owner")
    made = create_organization(actor=Actor.operator(), name=slug.title(), slug=slug, owner=owner)
    roles = dict(Role.objects.filter(organization=made).values_list("name", "pk"))
    people = list(fill_members(made, roles, members))
    fill_invitations(made, people)
    many = fill_events(made, owner, people, events)
    Organization.objects.filter(pk=made.pk).update(event_number=many)
    return Made(slug, made.pk, owner, roles, people, many)


FIRST = ("Anna", "Bob", "Chen", "Dora", "Emil", "Fatma", "Goran", "Hiro", "Ines", "Jamal", "Kofi", "Lin")
LAST = ("Archer", "Baker", "Cook", "Dunn", "Ekberg", "Li", "Garcia", "Haddad", "Ito", "Jensen", "Okafor")


def person(number, slug, share):
    """A name and an address; a twentieth are called Zoe, of a thousand five Quentin."""
    dice = random.random()
    first = "Zoe" if dice < 0.05 else "Quentin" if dice < 0.055 else random.choice(FIRST)
    domain = "acme" if random.random() < 0.7 else f"company{number % 97}"
    email = f"person{number}.{slug}@{domain}.test"
    return f"{first} {random.choice(LAST)}", email, NEW_YEAR + share * timedelta(days=300)


def fill_members(organization, roles, many):
    """Few owners, some admins; the twentieth that came last is still without a role."""
    from guestlist.models import Membership
    from guestlist.models.fields import new_id
    from guestlist_server.accounts.models import User

    people = [(new_id(), new_id(), *person(n, organization.slug, n / many)) for n in range(many)]
    names = ("id", "email", "name", "date_joined")
    users = ((user, email, name, at) for user, _, name, email, at in people)
    fill(User(password="!"), names, users)
    role = lambda n: (
        None
        if n > many * 0.95
        else roles["Owner" if n % (many // 3) == 0 else "Admin" if n % 20 == 0 else "Member"]
    )
    names = ("id", "user_id", "name", "email", "email_key", "joined_at", "role_id")
    rows = (
        (pk, user, name, email, email, at, role(n)) for n, (user, pk, name, email, at) in enumerate(people)
    )
    fill(Membership(organization=organization, via="invitation"), names, rows)
    return people


def fill_invitations(organization, people):
    """One for each member, most accepted, and its message."""
    from guestlist.models import Delivery, Invitation
    from guestlist.models.fields import new_id

    statuses = ("accepted",) * 7 + ("revoked", "expired", "pending")
    ids = [new_id() for _ in people]
    template = Invitation(organization=organization, invited_by_type="user", invited_by_name="Olivia Owner")
    names = ("id", "email", "key", "nonce", "status", "invited_at", "last_sent_at", "expires_at", "ended_at")
    later = datetime(2027, 6, 1, tzinfo=UTC)

    def row(number, pk):
        _, _, _, email, at = people[number]
        status = statuses[number % 10]
        ended = None if status == "pending" else at + timedelta(days=2)
        return (pk, email, email, f"{organization.slug[:3]}{number}", status, at, at, later, ended)

    fill(template, names, (row(number, pk) for number, pk in enumerate(ids)))
    states = ("sent",) * 18 + ("failed", "bounced")
    names = ("id", "invitation_id", "key", "state", "message_id", "created_at", "at", "next_at")
    rows = (
        (
            new_id(),
            pk,
            people[n][3],
            states[n % 20],
            f"{organization.slug}{n}",
            people[n][4],
            people[n][4],
            None,
        )
        for n, pk in enumerate(ids)
    )
    fill(Delivery(organization=organization), names, rows)


def fill_events(organization, owner, people, many):
    """Mostly of invitations, by the owner and by fifty others, evenly over ten months; how many there are."""
    from guestlist.models import Event, Organization
    from guestlist.models.fields import new_id

    first = Organization.objects.get(pk=organization.pk).event_number + 1
    types = ("invitation.sent",) * 6 + ("invitation.accepted", "member.joined", "invitation.delivered")
    actors = [(str(owner.pk), "Olivia Owner")] + [(str(user), name) for user, _, name, _, _ in people[:50]]
    names = (
        "id",
        "number",
        "type",
        "at",
        "actor_id",
        "actor_name",
        "subject_type",
        "subject_id",
        "subject_name",
    )

    def row(number):
        _, pk, _, email, _ = random.choice(people)
        kind = "role.created" if number % 20_000 == 7 else random.choice(types)
        actor = actors[0] if random.random() < 0.5 else random.choice(actors)
        at = NEW_YEAR + (number / many) * timedelta(days=300)
        noun = kind.partition(".")[0]
        return (new_id(), number, kind, at, *actor, noun, str(pk), email)

    template = Event(organization=organization, actor_type="user", door="web", ip="192.0.2.1")
    fill(template, names, (row(number) for number in range(first, many + 1)))
    return many


def fill(template, names, rows):
    """Write rows that differ from `template` in `names`, as fast as the database takes them."""
    from django.db import connection, transaction

    model = type(template)
    fields = {field.attname: field for field in model._meta.local_concrete_fields}
    constant = {
        name: field.get_db_prep_save(field.pre_save(template, add=True), connection)
        for name, field in fields.items()
        if name not in names
    }
    columns = ", ".join(f'"{fields[name].column}"' for name in (*constant, *names))
    varied = [fields[name] for name in names]
    values = (
        (*constant.values(), *(f.get_db_prep_save(v, connection) for f, v in zip(varied, row, strict=True)))
        for row in rows
    )
    table = model._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * (len(constant) + len(names)))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


if __name__ == "__main__":
    main()
