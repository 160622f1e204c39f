"""The two statements that every message costs. They are written out, go past the cursors of Django and of
psycopg, and PostgreSQL keeps them prepared: all of that took longer than running them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection
from django.utils.dateparse import parse_datetime

from guestlist.sessions import is_one_session

# Of each database: how a value is marked, the time, the rows that are listed, and what makes a mark soon.
#
# These marks need not wait for the disk: if PostgreSQL itself crashes, those of the last half second may be
# gone, and what they were about is sent once more under the same Message-ID. On SQLite it is so anyway.
_DIALECTS = {
    "postgresql": {
        "mark": "$",
        "now": "STATEMENT_TIMESTAMP()",
        "listed": "= ANY ($1)",
        "soon": "AND set_config('synchronous_commit', 'off', true) IS NOT NULL",
    },
    "sqlite": {
        "mark": "?",
        "now": "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')",
        "listed": "IN (SELECT value FROM json_each(?1))",
        "soon": "",
    },
}
# Only columns of the delivery decide, for PostgreSQL looks at those again after waiting for a revoke to
# commit; whether the mail is still wanted is read in the same moment.
_BEGIN = """
    UPDATE guestlist_delivery SET attempts = attempts + 1
    WHERE id {listed} AND leased_by = {mark}2 AND leased_until > {now} AND state IN ('queued', 'deferred')
        {soon}
    RETURNING id, attempts, {now}, CASE WHEN kind NOT IN ('invitation', 'reminder') OR (
        EXISTS (
            SELECT 1 FROM guestlist_invitation AS i
            WHERE i.id = guestlist_delivery.invitation_id AND i.status = 'pending' AND i.expires_at > {now}
        ) AND NOT EXISTS (
            SELECT 1 FROM guestlist_suppression AS s WHERE s.key = guestlist_delivery.key
            AND (s.organization_id IS NULL OR s.organization_id = guestlist_delivery.organization_id)
        )
    ) THEN 1 ELSE 0 END
"""
_FINISH = """
    UPDATE guestlist_delivery SET state = 'sent', detail = '', at = {now}, history = {mark}3,
        provider_id = {mark}4, next_at = NULL, leased_by = NULL, leased_until = NULL
    WHERE id = {mark}1 AND leased_by = {mark}2 {soon}
"""
_STATEMENTS = {
    (name, vendor): text.format(**dialect)
    for name, text in (("begin", _BEGIN), ("finish", _FINISH))
    for vendor, dialect in _DIALECTS.items()
}
# What each connection to PostgreSQL has been told already.
_prepared: "WeakKeyDictionary[Any, set[str]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Begun:
    """A delivery whose attempt has begun, and whether it is still wanted."""

    delivery_id: UUID
    attempt: int
    at: datetime
    wanted: bool


def begin(ids: Sequence[UUID], worker: UUID) -> list[Begun]:
    """Begin an attempt for those that this worker holds."""
    rows = _run("begin", _listed(ids), worker.hex)
    return [Begun(UUID(row[0]), int(row[1]), _time(row[2]), row[3] in (1, "1")) for row in rows]


def finish(delivery_id: UUID, worker: UUID, history: Sequence[Any], provider_id: str | None) -> None:
    """The message was taken."""
    _run("finish", delivery_id.hex, worker.hex, json.dumps(history), provider_id)


def _run(name: str, *values: str | None) -> Sequence[Any]:
    """One statement, in a transaction of its own; its rows, if it returns any."""
    with connection.wrap_database_errors:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        raw: Any = connection.connection
        statement = _STATEMENTS[name, connection.vendor]
        if connection.vendor == "postgresql":
            return _run_on_postgresql(raw, name, statement, values)
        cursor = raw.execute(statement, values)
        return cursor.fetchall() if cursor.description else ()


def _run_on_postgresql(raw: Any, name: str, statement: str, values: Sequence[str | None]) -> Sequence[Any]:
    from psycopg.errors import InvalidSqlStatementName
    from psycopg.pq import TransactionStatus

    given = [None if value is None else value.encode() for value in values]
    if raw.info.transaction_status != TransactionStatus.IDLE or not is_one_session(raw):
        return _rows(raw, raw.pgconn.exec_params(statement.encode(), given))
    known = _prepared.setdefault(raw, set())
    if name in known:
        try:
            return _rows(raw, raw.pgconn.exec_prepared(name.encode(), given))
        except InvalidSqlStatementName:
            # psycopg forgets all that is prepared where a transaction of its own is rolled back.
            known.clear()
    _rows(raw, raw.pgconn.prepare(name.encode(), statement.encode()))
    known.add(name)
    return _rows(raw, raw.pgconn.exec_prepared(name.encode(), given))


def _rows(raw: Any, result: Any) -> Sequence[Any]:
    """Its rows as text. Raises what psycopg would."""
    from psycopg.errors import OperationalError, error_from_result
    from psycopg.pq import ConnStatus, ExecStatus

    if raw.pgconn.status == ConnStatus.BAD:
        # Without a code of its own: whoever asked again later would not know that it is worth it.
        raise OperationalError(raw.pgconn.error_message.decode(errors="replace") or "the connection is lost")
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        raise error_from_result(result)
    columns = range(result.nfields)
    return [[result.get_value(row, column).decode() for column in columns] for row in range(result.ntuples)]


def _listed(ids: Sequence[UUID]) -> str:
    values = [each.hex for each in ids]
    return json.dumps(values) if connection.vendor == "sqlite" else f"{{{','.join(values)}}}"


def _time(text: str) -> datetime:
    found = parse_datetime(text)
    assert found is not None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
