"""A pgbouncer of a test's own, in transaction mode."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.delivery.conftest import free_port
from tests.server.stores import wait_for

# As few sessions as do: what one process leaves behind in a session, another finds there.
SESSIONS = 3
CONFIGURATION = """
[databases]
* = host={host} port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 200
logfile = {folder}/log
"""


def find() -> str | None:
    """The program; Debian has it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """Runs between the database at `url` and whoever uses the URL that this gives."""
    parts, port = urlsplit(url), free_port()
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "ini").write_text(
            CONFIGURATION.format(
                host=host,
                server_port=parts.port or 5432,
                user=parts.username or "guestlist",
                port=port,
                sessions=SESSIONS,
                folder=folder,
            )
        )
        command = [find() or "pgbouncer", "-q", str(folder / "ini")]
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(folder, "postgres")
            command = ["runuser", "-u", "postgres", "--", *command]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            pooled = parts._replace(netloc=f"guestlist@127.0.0.1:{port}", query="").geturl()
            wait_for(lambda: _answers(pooled, process))
            yield pooled
        finally:
            process.terminate()
            process.wait(10)


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    import psycopg

    assert process.poll() is None, "pgbouncer ended"
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
