"""The audit log only grows: the database itself refuses to change or delete an event.

The one exception is an organization that is deleted whole: once its row is gone, its events may follow in
the same transaction.
"""

from typing import Any

from django.db import migrations

POSTGRESQL = (
    """
    CREATE FUNCTION guestlist_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS
            (SELECT 1 FROM guestlist_organization WHERE id = OLD.organization_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'guestlist_event is append-only';
    END $$
    """,
    """
    CREATE TRIGGER guestlist_event_is_append_only BEFORE UPDATE OR DELETE ON guestlist_event
    FOR EACH ROW EXECUTE FUNCTION guestlist_event_is_append_only()
    """,
)
SQLITE = (
    """
    CREATE TRIGGER guestlist_event_is_not_updated BEFORE UPDATE ON guestlist_event
    BEGIN SELECT RAISE(ABORT, 'guestlist_event is append-only'); END
    """,
    """
    CREATE TRIGGER guestlist_event_is_not_deleted BEFORE DELETE ON guestlist_event
    WHEN EXISTS (SELECT 1 FROM guestlist_organization WHERE id = OLD.organization_id)
    BEGIN SELECT RAISE(ABORT, 'guestlist_event is append-only'); END
    """,
)
UNDO = {
    "postgresql": ("DROP FUNCTION guestlist_event_is_append_only() CASCADE",),
    "sqlite": ("DROP TRIGGER guestlist_event_is_not_updated", "DROP TRIGGER guestlist_event_is_not_deleted"),
}


def create(apps: Any, schema_editor: Any) -> None:
    for statement in {"postgresql": POSTGRESQL, "sqlite": SQLITE}[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("guestlist", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
