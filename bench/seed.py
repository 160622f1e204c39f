"""Many rows by few statements: rows that Guestlist wrote itself, multiplied in the database.

Whatever a column holds that is not named here it holds as in the row that is multiplied, and the triggers of
the schema see each of the new ones.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.databases import SQLITE, Database

_CHUNK = 50_000
_DAY = 86_400_000
_EVENT_TYPE = (
    "CASE WHEN n % 20000 = 7 THEN 'role.created' WHEN n % 10 < 6 THEN 'invitation.sent' "
    "WHEN n % 10 < 8 THEN 'invitation.delivered' WHEN n % 10 = 8 THEN 'invitation.accepted' "
    "ELSE 'member.joined' END"
)
# Eight characters for each.
_FIRST = (
    "olivia  liam    emma    noah    amelia  oliver  mia     elijah  ava     mateo   "
    "sophia  lucas   luna    levi    zoe     ezra    isla    asher   ruth    quentin "
)
_LAST = (
    "smith   jones   garcia  miller  davis   lopez   wilson  moore   taylor  lee     "
    "martin  clark   lewis   walker  young   king    scott   hill    green   adams   "
)
# Coprime to the numbers multiplied with it, so that addresses are in no order and none comes twice.
_PRIME = 1_000_003


@dataclass(frozen=True)
class Words:
    """How a database says what both can; `number` is SQL for a number, `at` for milliseconds since 1970."""

    kind: str

    def hexadecimal(self, number: str, width: int) -> str:
        """Padded with zeros."""
        if self.kind == SQLITE:
            return f"printf('%0{width}x', {number})"
        return f"lpad(to_hex(({number})::bigint), {width}, '0')"

    def uuid_text(self, at: str, number: str, organization: int) -> str:
        """A UUIDv7 with dashes."""
        pieces = [
            self.hexadecimal(f"({at}) / 65536", 8),
            self.hexadecimal(f"({at}) % 65536", 4),
            f"'7' || {self.hexadecimal(f'({number}) % 4096', 3)}",
            f"'8{organization:03x}'",
            self.hexadecimal(number, 12),
        ]
        joined = " || '-' || ".join(pieces)
        return f"({joined})"

    def uuid(self, at: str, number: str, organization: int) -> str:
        """The same as a column holds it."""
        text = self.uuid_text(at, number, organization)
        return f"replace({text}, '-', '')" if self.kind == SQLITE else f"{text}::uuid"

    def moment(self, at: str) -> str:
        """A time as a column holds it."""
        if self.kind == SQLITE:
            # Never a whole second, which Django would write without a fraction.
            return f"strftime('%Y-%m-%d %H:%M:%f', ({at}) / 1000.0, 'unixepoch') || '123'"
        return f"to_timestamp(({at}) / 1000.0)"

    def numbers(self, first: int, last: int) -> str:
        """Rows of a column `n`."""
        if self.kind == SQLITE:
            rows = f"SELECT {first} AS n UNION ALL SELECT n + 1 FROM s WHERE n < {last}"
            return f"(WITH RECURSIVE s(n) AS ({rows}) SELECT n FROM s)"
        return f"generate_series({first}::bigint, {last}::bigint)"


class Seed:
    """Fills one organization after another; `number` is what is there in the end."""

    def __init__(self, database: Database) -> None:
        self.database, self.words = database, Words(database.kind)
        self.connection: Any = database.connect()
        if database.kind == SQLITE:
            for pragma in ("synchronous=OFF", "cache_size=-500000", "foreign_keys=OFF"):
                self.connection.execute(f"PRAGMA {pragma}")
        self.now = int(time.time() * 1000)
        self.organizations = 0

    def finish(self) -> None:
        """As PostgreSQL would do by itself after a while."""
        if self.database.kind != SQLITE:
            self.connection.execute("VACUUM ANALYZE")
        self.connection.close()

    def invitations(self, slug: str, number: int) -> None:
        """Pending ones of the last 30 days that end within the next 30, and the mail of each, sent."""
        organization = self._organization(slug)
        ((invitation, delivery),) = self._found(
            "SELECT id, delivery_id FROM guestlist_invitation WHERE organization_id = %s", organization
        )
        at, words, salt = f"({self.now - 30 * _DAY} + n * {30 * _DAY // number})", self.words, self._next()
        later = f"({self.now + _DAY} + n * 31 % {number} * {29 * _DAY // number})"
        own, mail = words.uuid(at, "n", salt), words.uuid(at, "n", salt + 2048)
        once = f"{words.hexadecimal('n', 18)} || '{salt:03x}A'"
        moment, address = words.moment(at), address_of("n")
        sent = {"invited_at": moment, "last_sent_at": moment, "expires_at": words.moment(later)}
        named = {"email": address, "key": address, "nonce": once, "remind_at": words.moment(later)}
        written = {"key": address, "message_id": f"'<' || {once} || '@acme.test>'", "created_at": moment}
        state = {"state": "'sent'", "next_at": "NULL", "attempts": "1", "at": moment}
        self._multiply(
            number - 1,
            ("guestlist_invitation", invitation, {"id": own, "delivery_id": mail, **sent, **named}),
            ("guestlist_delivery", delivery, {"id": mail, "invitation_id": own, **written, **state}),
        )

    def events(self, slug: str, number: int) -> None:
        """Mostly about invitations, half of them by the owner, evenly over 300 days, up to `number`."""
        organization = self._organization(slug)
        ((event, last),) = self._found(
            "SELECT id, number FROM guestlist_event WHERE organization_id = %s ORDER BY number DESC LIMIT 1",
            organization,
        )
        at, words, salt = f"({self.now - 300 * _DAY} + n * {300 * _DAY // number})", self.words, self._next()
        somebody = f"CASE WHEN n % 2 = 0 THEN kept.actor_name ELSE {name_of('n % 50')} END"
        other = words.uuid_text("0", "n % 50", 1)
        changes = {
            "id": words.uuid(at, "n", salt),
            "number": f"n + {last}",
            "type": _EVENT_TYPE,
            "at": words.moment(at),
            "actor_name": somebody,
            "actor_id": f"CASE WHEN n % 2 = 0 THEN kept.actor_id ELSE {other} END",
            "subject_id": words.uuid_text(at, "n", salt),
            "subject_name": address_of("n"),
        }
        self._multiply(number - last, ("guestlist_event", event, changes))
        self.connection.execute(
            self.database.marked("UPDATE guestlist_organization SET event_number = %s WHERE id = %s"),
            (number, organization),
        )

    def members(self, slug: str, number: int) -> None:
        """People who came in the last 300 days, most with the role Member."""
        organization = self._organization(slug)
        ((membership, user),) = self._found(
            "SELECT id, user_id FROM guestlist_membership WHERE organization_id = %s", organization
        )
        roles = dict(
            self._found("SELECT name, id FROM guestlist_role WHERE organization_id = %s", organization)
        )
        at, words, salt = f"({self.now - 300 * _DAY} + n * {300 * _DAY // number})", self.words, self._next()
        person, address = words.uuid(at, "n", salt), f"'{slug}.' || {address_of('n')}"
        cast = "" if self.database.kind == SQLITE else "::uuid"
        role = f"CASE WHEN n % 50 = 0 THEN '{roles['Admin']}'{cast} ELSE '{roles['Member']}'{cast} END"
        named = {"name": name_of("n"), "email": address}
        joined = {"role_id": role, "joined_at": words.moment(at), "via": "''"}
        self._multiply(
            number - 1,
            ("accounts_user", user, {"id": person, **named, "date_joined": words.moment(at)}),
            (
                "guestlist_membership",
                membership,
                {"id": person, "user_id": person, "email_key": address, **named, **joined},
            ),
        )

    def _multiply(self, number: int, *tables: tuple[str, Any, Mapping[str, str]]) -> None:
        """Of each table the row with that id `number` times more, with other values in some columns."""
        for first in range(1, number + 1, _CHUNK):
            numbers = self.words.numbers(first, min(first + _CHUNK - 1, number))
            self.connection.execute("BEGIN")
            for table, pk, changes in tables:
                names = self.database.columns(table)
                assert set(changes) <= set(names), set(changes) - set(names)
                columns = ", ".join(f'"{name}"' for name in names)
                values = ", ".join(changes.get(name, f'kept."{name}"') for name in names)
                sql = (
                    f"INSERT INTO {table} ({columns}) SELECT {values} "
                    f"FROM (SELECT * FROM {table} WHERE id = %s) kept, {numbers} AS series(n)"
                )
                if self.database.kind == SQLITE:
                    sql = sql.replace(" AS series(n)", " AS series").replace("%s", "?", 1)
                else:
                    sql = sql.replace("%", "%%").replace("%%s", "%s")
                self.connection.execute(sql, (pk,))
            self.connection.execute("COMMIT")

    def _next(self) -> int:
        """A number that makes ids differ from those of other organizations."""
        self.organizations += 1
        return self.organizations

    def _organization(self, slug: str) -> Any:
        return self._found("SELECT id FROM guestlist_organization WHERE slug = %s", slug)[0][0]

    def _found(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(self.database.marked(sql), values))


def _word(words: str, number: str) -> str:
    return f"rtrim(substr('{words}', CAST({number} * 8 + 1 AS integer), 8))"


def address_of(number: str) -> str:
    """A name, another and a number, at one of ten domains."""
    mixed = f"(({number}) * 7919 % {_PRIME})"
    names = f"{_word(_FIRST, f'({mixed} % 20)')} || '.' || {_word(_LAST, f'({mixed} / 20 % 20)')}"
    return f"({names} || '.' || {mixed} || '@mail' || ({mixed} % 10) || '.example')"


def name_of(number: str) -> str:
    """The same as a person's name."""
    mixed = f"(({number}) * 7919 % {_PRIME})"
    names = f"{_word(_FIRST, f'({mixed} % 20)')} || ' ' || {_word(_LAST, f'({mixed} / 20 % 20)')}"
    return f"({names} || ' ' || {mixed})"
