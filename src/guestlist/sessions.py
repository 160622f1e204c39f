"""Whether a connection to PostgreSQL is one session from its beginning to its end.

Through a pool in transaction mode (pgbouncer) it is not: each transaction is answered by whichever process is
free, and what was prepared or listened to stays with another one.
"""

from typing import Any
from weakref import WeakKeyDictionary

_found: "WeakKeyDictionary[Any, bool]" = WeakKeyDictionary()


def is_one_session(connection: Any) -> bool:
    """Whether `connection`, of psycopg, leads to one process of PostgreSQL for as long as it lasts. One cheap
    query for each connection.
    """
    if connection not in _found:
        # As it begins, a connection is told the number of its process; a pool makes one up.
        (number,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        _found[connection] = number == connection.info.backend_pid
    return _found[connection]
