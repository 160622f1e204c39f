"""Searching and sorting without reading every row: see `guestlist.models.text_search`.

On SQLite, changing a column of one of the three tables later makes Django build it anew, and that loses its
triggers: such a migration runs `drop` before and `create` after it, each as a RunPython of its own.
"""

import uuid
from typing import Any

from django.db import NotSupportedError, OperationalError, ProgrammingError, migrations, models, transaction
from django.db.models.functions import Coalesce

INDEXED = {
    "guestlist_membership": ("name", "email"),
    "guestlist_invitation": ("key",),
    "guestlist_delivery": ("key",),
}
NO_ROLE = uuid.UUID(int=2**128 - 1)


# Of a table: its number table, its full-text table, what both hold now, and what keeps them true. Numbers are
# their own, because those of rows may change when the file is packed.
SQLITE = (
    "CREATE TABLE {table}_text_row (number integer NOT NULL PRIMARY KEY, row_id char(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE {table}_text USING fts5({names}, content='', tokenize='trigram')",
    "INSERT INTO {table}_text_row (row_id) SELECT id FROM {table}",
    """
    INSERT INTO {table}_text (rowid, {names})
    SELECT number, {kept} FROM {table}_text_row JOIN {table} kept ON kept.id = row_id
    """,
    """
    CREATE TRIGGER {table}_text_added AFTER INSERT ON {table} BEGIN
        INSERT INTO {table}_text_row (row_id) VALUES (NEW.id);
        INSERT INTO {table}_text (rowid, {names})
        SELECT number, {new} FROM {table}_text_row WHERE row_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER {table}_text_changed AFTER UPDATE OF {names} ON {table} WHEN {changed} BEGIN
        INSERT INTO {table}_text ({table}_text, rowid, {names})
        SELECT 'delete', number, {old} FROM {table}_text_row WHERE row_id = OLD.id;
        INSERT INTO {table}_text (rowid, {names})
        SELECT number, {new} FROM {table}_text_row WHERE row_id = OLD.id;
    END
    """,
    """
    CREATE TRIGGER {table}_text_removed AFTER DELETE ON {table} BEGIN
        INSERT INTO {table}_text ({table}_text, rowid, {names})
        SELECT 'delete', number, {old} FROM {table}_text_row WHERE row_id = OLD.id;
        DELETE FROM {table}_text_row WHERE row_id = OLD.id;
    END
    """,
)
# As Django writes `icontains`; an index of anything else would not be used.
POSTGRESQL = "CREATE INDEX {table}_text ON {table} USING gin ({upper})"
UNDO = {
    "postgresql": ("DROP INDEX IF EXISTS {table}_text",),
    "sqlite": (
        "DROP TRIGGER {table}_text_added",
        "DROP TRIGGER {table}_text_changed",
        "DROP TRIGGER {table}_text_removed",
        "DROP TABLE {table}_text",
        "DROP TABLE {table}_text_row",
    ),
}


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        _execute(schema_editor, *SQLITE)
        return
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            _execute(schema_editor, POSTGRESQL)
    except (NotSupportedError, OperationalError, ProgrammingError):
        pass  # Whoever may not have the extension can search all the same, but not as fast.


def drop(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, *UNDO[schema_editor.connection.vendor])


def _execute(schema_editor: Any, *statements: str) -> None:
    for table, columns in INDEXED.items():
        values = {
            "table": table,
            "names": ", ".join(columns),
            "upper": ", ".join(f"UPPER({column}::text) gin_trgm_ops" for column in columns),
            "changed": " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns),
            **{
                row: ", ".join(_spaced(f"{row}.{column}") for column in columns)
                for row in ("kept", "old", "new")
            },
        }
        for statement in statements:
            schema_editor.execute(statement.format(**values))


def _spaced(column: str) -> str:
    """With two spaces in front of each word, so that the first one or two characters of a word are part of a
    run of three, which is what the table knows.
    """
    return f"'  ' || replace({column}, ' ', '  ')"


def _by_role(column: str, name: str) -> migrations.AddIndex:
    role = Coalesce("role_id", models.Value(NO_ROLE, models.UUIDField()))
    index = models.Index("organization", "state", role, column, "id", name=name)
    return migrations.AddIndex("membership", index)


class Migration(migrations.Migration):
    dependencies = [("guestlist", "0007_event_is_not_truncated")]

    operations = [
        _by_role("name", "membership_role_by_name"),
        _by_role("email_key", "membership_role_by_email"),
        _by_role("joined_at", "membership_role_by_joined"),
        migrations.AddIndex(
            "delivery", models.Index(fields=["organization", "key", "id"], name="delivery_all_by_address")
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["organization", "state", "key", "id"], name="delivery_state_by_address"),
        ),
        migrations.RunPython(create, drop),
    ]
