"""PostgreSQL can empty a table without deleting a row of it: it refuses that too while there are events."""

from typing import Any

from django.db import migrations

POSTGRESQL = (
    """
    CREATE FUNCTION guestlist_event_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM guestlist_event) THEN
            RAISE EXCEPTION 'guestlist_event is append-only';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER guestlist_event_is_not_truncated BEFORE TRUNCATE ON guestlist_event
    FOR EACH STATEMENT EXECUTE FUNCTION guestlist_event_is_not_truncated()
    """,
)
UNDO = ("DROP FUNCTION guestlist_event_is_not_truncated() CASCADE",)


def _execute(schema_editor: Any, statements: tuple[str, ...]) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in statements:
            schema_editor.execute(statement)


def create(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, POSTGRESQL)


def drop(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, UNDO)


class Migration(migrations.Migration):
    dependencies = [("guestlist", "0006_organizations")]

    operations = [migrations.RunPython(create, drop)]
