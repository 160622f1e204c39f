"""The least that a database can be asked to do: bare inserts of rows like those that a call wrote."""

import contextlib
import time
import uuid
from typing import Any

from uuid_utils.compat import uuid7

from bench.databases import POSTGRESQL, Database, insert

Row = dict[str, Any]
_INVITATION, _DELIVERY, _EVENT = "guestlist_invitation", "guestlist_delivery", "guestlist_event"


class Script:
    """Writes the invitations, events and deliveries of `prefix` again, for other addresses: `executemany` on
    SQLite, `COPY` on PostgreSQL, in one transaction, into the schema with its indexes and triggers.
    """

    def __init__(self, database: Database, prefix: str) -> None:
        self.database, self.prefix = database, prefix
        keys = f"{prefix}%"
        self.invitations = self._read(_INVITATION, "key LIKE %s", keys)
        self.deliveries = self._read(_DELIVERY, "key LIKE %s", keys)
        self.events = self._read(_EVENT, "subject_name LIKE %s AND type = 'invitation.sent'", keys)

    def seconds(self) -> float:
        """How long one transaction takes; the rows are ready before."""
        invitations, deliveries, events = self._renewed()
        tables = [(_INVITATION, invitations), (_DELIVERY, deliveries), (_EVENT, events)]
        ready = [(table, list(rows[0]), [tuple(row.values()) for row in rows]) for table, rows in tables]
        last = "UPDATE guestlist_organization SET event_number = %s WHERE id = %s"
        numbered = (events[-1]["number"], events[-1]["organization_id"])
        with contextlib.closing(self.database.connect()) as connection:
            started = time.perf_counter()
            connection.execute("BEGIN")
            for table, names, rows in ready:
                insert(connection, table, names, rows)
            connection.execute(self.database.marked(last), numbered)
            connection.execute("COMMIT")
            return time.perf_counter() - started

    def _read(self, table: str, condition: str, *values: object) -> list[Row]:
        names = self.database.columns(table)
        # As text on PostgreSQL, which is what COPY takes.
        cast = "::text" if self.database.kind == POSTGRESQL else ""
        asked = ", ".join(f'"{name}"{cast}' for name in names)
        rows = self.database.rows(f"SELECT {asked} FROM {table} WHERE {condition} ORDER BY id", *values)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _renewed(self) -> tuple[list[Row], list[Row], list[Row]]:
        """The same for people who were not invited yet, with ids that sort by time as the server's do."""
        tag = uuid.uuid4().hex[:12]
        ids = {row["id"]: uuid7() for row in self.invitations + self.deliveries}
        known = {old: self._id(new) for old, new in ids.items()}
        subjects = {str(uuid.UUID(old)): str(new) for old, new in ids.items()}
        return (
            [
                _changed(row, tag, id=known[row["id"]], delivery_id=known[row["delivery_id"]], nonce=_nonce())
                for row in self.invitations
            ],
            [
                _changed(
                    row,
                    tag,
                    id=known[row["id"]],
                    invitation_id=known[row["invitation_id"]],
                    message_id=_nonce(),
                )
                for row in self.deliveries
            ],
            [
                _changed(
                    row, tag, id=self._id(uuid7()), subject_id=subjects[row["subject_id"]], number=number
                )
                for number, row in enumerate(self.events, self._event_number() + 1)
            ],
        )

    def _event_number(self) -> int:
        sql = "SELECT event_number FROM guestlist_organization WHERE id = %s"
        return int(self.database.rows(sql, self.invitations[0]["organization_id"])[0][0])

    def _id(self, value: uuid.UUID) -> str:
        """As a column holds it."""
        return str(value) if self.database.kind == POSTGRESQL else value.hex


def _nonce() -> str:
    return uuid.uuid4().hex[:22]


def _changed(row: Row, tag: str, **values: object) -> Row:
    addresses = {name: f"{tag}{row[name]}" for name in ("email", "key", "subject_name") if row.get(name)}
    return {**row, **addresses, **values}
