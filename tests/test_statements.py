"""Statements of our own keep what Django promises of its."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DataError, OperationalError, connection, transaction

from guestlist.actions import delivery_statements
from guestlist.models import Quota
from guestlist.models.fields import insert_all

postgresql_only = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite knows no length and has no server"
)


@postgresql_only
@pytest.mark.parametrize("number", [1, 2])
def test_what_is_too_long_for_a_column_is_refused_and_not_cut(db, number):
    rows = [Quota(subject=f"{i}" * 200, starts_at=datetime(2026, 1, 1, tzinfo=UTC)) for i in range(number)]
    with pytest.raises(DataError), transaction.atomic():
        insert_all(rows)
    assert not Quota.objects.exists()


@postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_is_known_as_such():
    delivery_statements.finish(uuid4(), uuid4(), [], None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
    other.close()
    with pytest.raises(OperationalError):
        delivery_statements.finish(uuid4(), uuid4(), [], None)
    connection.close()
    delivery_statements.finish(uuid4(), uuid4(), [], None)
