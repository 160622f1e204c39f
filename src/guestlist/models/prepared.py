"""Statements that are built once and run many times.

Building a queryset and turning it into SQL takes Django several times as long as the database needs to answer
it. What every call of the API asks is therefore turned into SQL once, with a `Bind` where a value goes.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models import F
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler


class Bind(models.Expression):
    """The place of a value: `Bind("key", CharField())`. It becomes what a column of that type is given."""

    def __init__(self, name: str, output_field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        """Itself in place of the value, for `Prepared` to find."""
        return "%s", (self,)

    def prepared(self, value: Any, connection: Any) -> Any:
        """`value` as the database takes it."""
        return self.output_field.get_db_prep_value(value, connection)


class _Several(Bind):
    """The place of a list, which is a single value of the statement, however long it is."""

    def prepared(self, value: Any, connection: Any) -> Any:
        values = [self.output_field.get_db_prep_value(each, connection) for each in value]
        return json.dumps(values) if connection.vendor == "sqlite" else values


class Among(models.Func):
    """Whether a column is one of the listed values: `Among("key", "keys", CharField())`."""

    output_field = models.BooleanField()
    arg_joiner = " IN "

    def __init__(self, column: str, name: str, field: "models.Field[Any, Any]") -> None:
        super().__init__(F(column), _Several(name, field))

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        """JSON is the one list that SQLite takes."""
        column, several = self.get_source_expressions()
        sql, _ = compiler.compile(column)
        return f"{sql} IN (SELECT value FROM json_each(%s))", (several,)  # noqa: S608

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        """An array."""
        column, several = self.get_source_expressions()
        sql, _ = compiler.compile(column)
        return f"{sql} = ANY(%s)", (several,)


class Prepared:
    """A queryset as `build` makes it the first time: `Prepared(lambda: Quota.objects.filter(…))`. With
    `changes` it is an update: `Prepared(lambda: …, used=F("used") + Bind(…))`.
    """

    def __init__(self, build: "Callable[[], models.QuerySet[Any]]", **changes: Any) -> None:
        self.build, self.changes = build, changes
        self.statement = cache(self._compiled)

    def rows(self, **values: Any) -> Sequence[tuple[Any, ...]]:
        """What it selects, as tuples."""
        statement = self.statement()
        return statement.read(values)

    def instances(self, **values: Any) -> list[Any]:
        """What it selects, as instances of its model, with what `select_related` and `annotate` add."""
        statement = self.statement()
        return [statement.instance(row) for row in statement.read(values)]

    def run(self, **values: Any) -> int:
        """Update; how many rows."""
        statement = self.statement()
        with statement.connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.bound(values))
            return int(cursor.rowcount)

    def _compiled(self) -> "_Statement":
        rows = self.build()
        query = rows.query
        if self.changes:
            query = query.chain(UpdateQuery)
            query.add_update_values(self.changes)  # type: ignore[attr-defined]
            query.annotations = {}
        return _Statement(query, rows.db)


class _Statement:
    """SQL for one database, and how to read what it answers."""

    def __init__(self, query: Any, using: str) -> None:
        self.using = using
        compiler = query.get_compiler(using)
        self.sql, params = compiler.as_sql()
        self.params = tuple(params)
        if isinstance(query, UpdateQuery):
            return
        self.converters = compiler.get_converters([each[0] for each in compiler.select])
        self.annotations = tuple((compiler.annotation_col_map or {}).items())
        # Of chosen columns no instance is made.
        self.made = _Made(compiler.klass_info, compiler.select, using) if query.default_cols else None

    @property
    def connection(self) -> Any:
        return connections[self.using]

    def bound(self, values: dict[str, Any]) -> list[Any]:
        connection = self.connection
        return [
            each.prepared(values[each.name], connection) if isinstance(each, Bind) else each
            for each in self.params
        ]

    def read(self, values: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        connection = self.connection
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.bound(values))
            found = cursor.fetchall()
        if not self.converters or not found:
            return list(found)
        converters = [(i, calls, expression) for i, (calls, expression) in self.converters.items()]
        rows = []
        for row in map(list, found):
            for i, calls, expression in converters:
                for convert in calls:
                    row[i] = convert(row[i], expression, connection)
            rows.append(tuple(row))
        return rows

    def instance(self, row: Sequence[Any]) -> Any:
        assert self.made
        made = self.made.of(row)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


class _Made:
    """An instance made of a row, with those that belong to it, as Django's compiler describes them."""

    def __init__(self, info: dict[str, Any], select: Sequence[Any], using: str) -> None:
        self.model, self.using, self.columns = info["model"], using, info["select_fields"]
        self.names = [select[i][0].target.attname for i in self.columns]
        self.key = self.columns[self.names.index(self.model._meta.pk.attname)]
        self.related = [
            (_Made(each, select, using), each["local_setter"], each["remote_setter"])
            for each in info.get("related_klass_infos", ())
        ]

    def of(self, row: Sequence[Any]) -> Any:
        if row[self.key] is None:
            return None
        made = self.model.from_db(self.using, self.names, [row[i] for i in self.columns])
        for related, set_here, set_there in self.related:
            other = related.of(row)
            set_here(made, other)
            if other is not None:
                set_there(other, made)
        return made
