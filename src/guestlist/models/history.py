"""What happened to a message, one entry after the other."""

from typing import Any

from django.db import models
from django.db.models.sql.compiler import SQLCompiler

from guestlist.models.delivery import HISTORY


class Appended(models.Func):
    """A history with one entry more; where there are twenty, the oldest goes. For any number of rows in one
    statement, and without reading them first: another process may add to them at the same time.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        value = models.Value(entry, output_field=models.JSONField())
        super().__init__(models.F("history"), value, output_field=models.JSONField())

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """SQLite keeps it as text."""
        column, entry, values = self._parts(compiler)
        cut = f"CASE WHEN json_array_length({column}) >= {HISTORY} THEN json_remove({column}, '$[0]')"
        return f"json_insert({cut} ELSE {column} END, '$[#]', json({entry}))", values

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """PostgreSQL keeps it as jsonb."""
        column, entry, values = self._parts(compiler)
        cut = f"CASE WHEN jsonb_array_length({column}) >= {HISTORY} THEN {column} - 0 ELSE {column} END"
        return f"(({cut}) || jsonb_build_array({entry}::jsonb))", values

    def _parts(self, compiler: SQLCompiler) -> tuple[str, str, list[Any]]:
        (column, _), (entry, values) = (compiler.compile(each) for each in self.get_source_expressions())
        return column, entry, list(values)
