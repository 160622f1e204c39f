"""How much room the tables and indexes take, in bytes for each row, at 1,000,000 invitations."""

from bench import grown
from bench.databases import KINDS, SQLITE, Database
from bench.results import Row
from bench.stage import Stage
from bench.systems import guestlist

TABLES = ("invitation", "delivery", "event", "membership")
_SQLITE = """
    SELECT m.name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name
    WHERE m.tbl_name = %s OR m.name LIKE %s GROUP BY 1
"""
_POSTGRESQL = """
    SELECT relname, pg_table_size(oid) FROM pg_class WHERE relname = %s
    UNION ALL SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index
    WHERE indrelid = (%s)::regclass
"""


def measure(stage: Stage) -> None:
    """Each table with all that belongs to it, by itself, and each index."""
    for kind in KINDS:
        database = grown.home(stage, kind).database
        for noun in TABLES:
            table = f"guestlist_{noun}"
            ((many,),) = database.rows(f"SELECT count(*) FROM {table}")
            sizes = dict(sorted(_sizes(database, table)))
            own = sizes.pop(table)
            parts = {"with its indexes": own + sum(sizes.values()), "without": own, **sizes}
            for name, size in parts.items():
                row = Row(f"sizes/{noun}: {name}", guestlist.NAME, kind, 0, "bytes for a row")
                row.runs.append(round(size / many, 1))
                stage.add(row)


def _sizes(database: Database, table: str) -> list[tuple[str, int]]:
    """On SQLite the full-text index is some tables more."""
    if database.kind == SQLITE:
        return [(name, int(size)) for name, size in database.rows(_SQLITE, table, f"{table}_text%")]
    return [(name, int(size)) for name, size in database.rows(_POSTGRESQL, table, table)]
