"""How many invitations and members an organization has is counted as they come, change and go: see
`guestlist.models.headcount`.

On SQLite, changing a column of one of the two tables later makes Django build it anew, and that loses its
triggers: such a migration runs `drop` before and `create` after it, each as a RunPython of its own.
"""

from collections.abc import Mapping
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

# Of a table: what its rows are called, under what a row is counted, and which rows are.
COUNTED = {
    "guestlist_invitation": ("invitation", "{}.status", "TRUE"),
    "guestlist_membership": ("member", "COALESCE(CAST({}.role_id AS text), '')", "{}.state = 'active'"),
}
FILL = """
    INSERT INTO guestlist_headcount (organization_id, noun, value, number)
    SELECT organization_id, '{noun}', {kept_value}, COUNT(*) FROM {table} AS kept WHERE {kept_counts}
    GROUP BY 1, 3
"""
# A statement is counted whole, however many rows it changes. What goes is counted only where a count still is:
# an organization that is deleted whole may have lost it before.
POSTGRESQL = (
    """
    CREATE FUNCTION {table}_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            UPDATE guestlist_headcount kept SET number = kept.number - gone.number FROM (
                SELECT organization_id, {went_value} AS value, COUNT(*) AS number
                FROM went WHERE {went_counts} GROUP BY 1, 2
            ) gone
            WHERE kept.organization_id = gone.organization_id AND kept.noun = '{noun}'
                AND kept.value = gone.value;
        ELSIF TG_OP = 'INSERT' THEN
            INSERT INTO guestlist_headcount AS kept (organization_id, noun, value, number)
            SELECT organization_id, '{noun}', {came_value}, COUNT(*)
            FROM came WHERE {came_counts} GROUP BY 1, 3
            ON CONFLICT (organization_id, noun, value) DO UPDATE SET number = kept.number + EXCLUDED.number;
        ELSE
            INSERT INTO guestlist_headcount AS kept (organization_id, noun, value, number)
            SELECT organization_id, '{noun}', value, SUM(number) FROM (
                SELECT organization_id, {came_value} AS value, 1 AS number FROM came WHERE {came_counts}
                UNION ALL
                SELECT organization_id, {went_value}, -1 FROM went WHERE {went_counts}
            ) moved
            GROUP BY 1, 3 HAVING SUM(number) <> 0
            ON CONFLICT (organization_id, noun, value) DO UPDATE SET number = kept.number + EXCLUDED.number;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER {table}_counted_in AFTER INSERT ON {table} REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_counted()
    """,
    """
    CREATE TRIGGER {table}_counted_anew AFTER UPDATE ON {table}
    REFERENCING OLD TABLE AS went NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_counted()
    """,
    """
    CREATE TRIGGER {table}_counted_out AFTER DELETE ON {table} REFERENCING OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_counted()
    """,
)
_IN = """
        INSERT INTO guestlist_headcount (organization_id, noun, value, number)
        SELECT NEW.organization_id, '{noun}', {NEW_value}, 1 WHERE {NEW_counts}
        ON CONFLICT (organization_id, noun, value) DO UPDATE SET number = number + 1;
"""
_OUT = """
        UPDATE guestlist_headcount SET number = number - 1
        WHERE organization_id = OLD.organization_id AND noun = '{noun}' AND value = {OLD_value}
            AND {OLD_counts};
"""
SQLITE = (
    f"CREATE TRIGGER {{table}}_counted_in AFTER INSERT ON {{table}} BEGIN {_IN} END",
    f"""
    CREATE TRIGGER {{table}}_counted_anew AFTER UPDATE ON {{table}}
    WHEN {{OLD_value}} <> {{NEW_value}} OR ({{OLD_counts}}) <> ({{NEW_counts}}) BEGIN {_OUT} {_IN} END
    """,
    f"CREATE TRIGGER {{table}}_counted_out AFTER DELETE ON {{table}} BEGIN {_OUT} END",
)
# First the triggers: making them waits for whoever writes and keeps them out until all is counted.
CREATE = {"postgresql": (*POSTGRESQL, FILL), "sqlite": (*SQLITE, FILL)}
DROP = {
    "postgresql": ("DROP FUNCTION {table}_is_counted() CASCADE",),
    "sqlite": tuple(f"DROP TRIGGER {{table}}_counted_{when}" for when in ("in", "anew", "out")),
}


def create(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DELETE FROM guestlist_headcount")
    _execute(schema_editor, CREATE)


def drop(apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, DROP)


def _execute(schema_editor: Any, statements: Mapping[str, tuple[str, ...]]) -> None:
    for table, (noun, value, counts) in COUNTED.items():
        words = {"table": table, "noun": noun}
        for row in ("kept", "came", "went", "NEW", "OLD"):
            words |= {f"{row}_value": value.format(row), f"{row}_counts": counts.format(row)}
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement.format(**words))


class Migration(migrations.Migration):
    dependencies = [("guestlist", "0009_webhooks")]

    operations = [
        migrations.CreateModel(
            name="Headcount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization",
                        "noun",
                        "value",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="headcounts",
                        to="guestlist.organization",
                    ),
                ),
                (
                    "noun",
                    models.CharField(
                        choices=[("invitation", "Invitation"), ("member", "Member")], max_length=10
                    ),
                ),
                ("value", models.CharField(max_length=36)),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(create, drop),
        migrations.AddIndex(
            "invitation", models.Index(fields=["organization", "status", "id"], name="invitation_by_status")
        ),
        migrations.RemoveIndex("invitation", "invitation_asked"),
        *(
            migrations.AddIndex(
                "invitation",
                models.Index(
                    fields=["organization", "asking", column, "id"],
                    condition=models.Q(asking=True),
                    name=f"invitation_asked_by_{name}",
                ),
            )
            for column, name in (("key", "email"), ("invited_at", "invited"), ("expires_at", "expires"))
        ),
    ]
