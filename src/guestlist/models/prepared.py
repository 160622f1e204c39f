"""Statements that are built once and run many times.

Building a queryset and turning it into SQL takes Django several times as long as the database needs to answer
it. What every call of the API asks is therefore turned into SQL once, with a `Bind` where a value goes.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, router
from django.db.models import F
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from guestlist.sessions import is_one_session


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


class Unindexed(models.Func):
    """A column by which SQLite looks up no index. It takes one value of many rows to be better than a list of
    values of one row each.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        """With a plus, which does nothing else."""
        return super().as_sql(compiler, connection, template="+%(expressions)s", **extra)


def in_plain(rows: "models.QuerySet[Any]", *names: str) -> "models.QuerySet[Any, Any]":
    """`rows` as tuples of these columns, with times and ids as text: neither the driver nor Django makes
    objects of them, of which a list would make text again.
    """
    kinds: dict[type, type[models.Func]] = {models.DateTimeField: _TimeText, models.UUIDField: _IdText}
    columns = []
    for name in names:
        kind = type(F(name).resolve_expression(rows.query).output_field)
        columns.append(kinds[kind](name) if kind in kinds else F(name))
    return rows.values_list(*columns)


class _TimeText(models.Func):
    """A time as text, in UTC."""

    output_field = models.TextField()

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="CAST(%(expressions)s AS text)")

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="CAST(%(expressions)s AT TIME ZONE 'UTC' AS text)"
        )


class _IdText(models.Func):
    """An id as text."""

    output_field = models.TextField()
    template = "CAST(%(expressions)s AS text)"


def _time(text: str) -> str:
    """Django writes six digits of a second or none, SQLite three, and PostgreSQL no zeros at the end."""
    return f"{text[:10]}T{text[11:].ljust(15, '0') if len(text) > 19 else text[11:]}Z"


def _id(text: str) -> str:
    """SQLite has it without dashes."""
    if len(text) == 36:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_PLAIN: dict[type, Callable[[str], str]] = {_TimeText: _time, _IdText: _id}


class Prepared:
    """A queryset as `build` makes it the first time: `Prepared(lambda: Quota.objects.filter(…))`. With
    `changes` it is an update: `Prepared(lambda: …, used=F("used") + Bind(…))`. What a queryset can't say is
    SQL with its values, as Django has compiled its parts.
    """

    def __init__(
        self, build: "Callable[[], models.QuerySet[Any] | tuple[str, Sequence[Any]]]", **changes: Any
    ) -> None:
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

    def plain(self, **values: Any) -> Sequence[tuple[Any, ...]]:
        """What it selects with `in_plain`, as REST writes it."""
        statement = self.statement()
        return statement.read(values, plain=True)

    def run(self, **values: Any) -> int:
        """Update; how many rows."""
        statement = self.statement()
        with kept_cursor(statement.connection) as cursor:
            cursor.execute(statement.sql, statement.bound(values))
            return int(cursor.rowcount)

    def _compiled(self) -> "_Statement":
        rows = self.build()
        if isinstance(rows, tuple):
            return _Statement(DEFAULT_DB_ALIAS, *rows)
        query = rows.query
        if self.changes:
            query = query.chain(UpdateQuery)
            query.add_update_values(self.changes)  # type: ignore[attr-defined]
            query.annotations = {}
            using = router.db_for_write(rows.model)
            return _Statement(using, *query.get_compiler(using).as_sql())
        compiler = query.get_compiler(rows.db)
        statement = _Statement(rows.db, *compiler.as_sql())
        statement.prepare_to_read(compiler)
        return statement


class _Statement:
    """SQL for one database, and how to read what it answers."""

    def __init__(self, using: str, sql: str, params: Sequence[Any]) -> None:
        self.using = using
        self.sql, self.params = _with_constants(sql, params)
        self.converters: list[Any] = []

    def prepare_to_read(self, compiler: Any) -> None:
        """Look up how each column becomes a value, and which make an instance."""
        columns = [each[0] for each in compiler.select]
        found = compiler.get_converters(columns)
        self.converters = [(i, calls, column) for i, (calls, column) in found.items()]
        found_plain = [(i, _PLAIN.get(type(column))) for i, column in enumerate(columns)]
        self.plain = [(i, convert) for i, convert in found_plain if convert]
        self.annotations = tuple((compiler.annotation_col_map or {}).items())
        # Of chosen columns no instance is made.
        self.made = (
            _Made(compiler.klass_info, compiler.select, self.using) if compiler.query.default_cols else None
        )

    @property
    def connection(self) -> Any:
        return connections[self.using]

    def bound(self, values: dict[str, Any]) -> list[Any]:
        connection = self.connection
        return [
            each.prepared(values[each.name], connection) if isinstance(each, Bind) else each
            for each in self.params
        ]

    def read(self, values: dict[str, Any], *, plain: bool = False) -> Sequence[tuple[Any, ...]]:
        connection = self.connection
        with kept_cursor(connection) as cursor:
            cursor.execute(self.sql, self.bound(values))
            found = cursor.fetchall()
        if plain:
            return [self._in_plain(list(row)) for row in found]
        return [self._converted(list(row), connection) for row in found] if self.converters else list(found)

    def _converted(self, row: list[Any], connection: Any) -> tuple[Any, ...]:
        for i, calls, column in self.converters:
            for convert in calls:
                row[i] = convert(row[i], column, connection)
        return tuple(row)

    def _in_plain(self, row: list[Any]) -> tuple[Any, ...]:
        for i, convert in self.plain:
            if row[i] is not None:
                row[i] = convert(row[i])
        return tuple(row)

    def instance(self, row: Sequence[Any]) -> Any:
        assert self.made
        made = self.made.of(row)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


def kept_cursor(connection: Any) -> Any:
    """A cursor. On PostgreSQL one that has the server keep its statements, where the next one comes to the
    same process: to plan them takes it longer than to run them.
    """
    if connection.vendor != "postgresql" or connection.queries_logged:  # the log wants the values too
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    session = connection.connection
    with connection.wrap_database_errors:
        lasts = is_one_session(session)
    if not lasts:
        return connection.cursor()
    session.prepare_threshold = 0
    cursor_of: Any = ServerBindingCursor
    return connection._prepare_cursor(cursor_of(session))


def _with_constants(sql: str, params: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The statement with what is the same each time written out: only so does SQLite see that the condition
    of an index holds.
    """
    left, kept = iter(params), []

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%%"
        value = next(left)
        if type(value) is int:
            return str(value)
        if type(value) is str and "'" not in value and "%" not in value:
            return f"'{value}'"
        kept.append(value)
        return "%s"

    return re.sub("%[s%]", fill, sql), kept


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
