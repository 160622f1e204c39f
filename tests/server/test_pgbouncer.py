"""Servers and workers that share a few sessions of PostgreSQL, which no process keeps for itself."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
from aiosmtpd.controller import Controller

from tests.delivery.conftest import Mailbox, free_port
from tests.server import pgbouncer
from tests.server.stores import run_script, store_of_run, wait_for
from tests.server.test_database_faults import PEOPLE

pytestmark = pytest.mark.database
API = "/api/v1/organizations/northwind/invitations"
EMAILS = [f"person{n}@acme.test" for n in range(200)]
# What a session may hold that belongs to one process alone.
KEPT = """
SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
    (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
"""


@pytest.fixture
def pooled(tmp_path, environ):
    """The URL of a database behind pgbouncer, for every process of the test."""
    with store_of_run(tmp_path / "data") as store:
        if not store.url.startswith("postgres"):
            pytest.skip("pgbouncer is about PostgreSQL")
        if pgbouncer.find() is None:
            pytest.skip("pgbouncer is not installed")
        with pgbouncer.pgbouncer(store.url) as url:
            environ["DATABASE_URL"] = url
            yield url


@pytest.fixture
def mailbox(environ):
    """What has arrived at the mail server of every process of the test."""
    mailbox = Mailbox()
    smtp = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    smtp.start()
    environ["EMAIL_URL"] = f"smtp://127.0.0.1:{smtp.port}"
    yield mailbox
    smtp.stop()


def test_servers_and_workers_share_sessions(pooled, mailbox, guestlist, start, environ):
    assert guestlist("migrate").returncode == 0
    key = run_script(PEOPLE, environ)["key"]
    port = free_port()
    running = [start("worker"), start("worker")]
    running.append(start("serve", "--port", str(port), "--workers", "2", "--no-worker"))
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: _is_ready(url))

    def invite(emails):
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(url + API, json={"emails": emails}, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(invite, [EMAILS[n : n + 10] for n in range(0, len(EMAILS), 10)]))
    assert set(answers) == {201}
    wait_for(lambda: set(mailbox.addresses) == set(EMAILS))
    for process in running:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert Counter(mailbox.addresses).most_common(1)[0][1] == 1
    assert (
        guestlist("deliveries", "list", "northwind", "--state", "sent", "--json").stdout.count('"id"') == 200
    )
    assert _kept(pooled) == [(0, 0, 0, 0)] * pgbouncer.SESSIONS


def _is_ready(url):
    try:
        return requests.get(f"{url}/readyz", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def _kept(url):
    """Of every session, what is left in it; as many transactions at a time as there are."""
    import psycopg

    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(url)) for _ in range(pgbouncer.SESSIONS)]
        return [connection.execute(KEPT).fetchone() for connection in connections]
