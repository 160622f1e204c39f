"""A full disk under SQLite, and logs that nobody takes: nothing is lost, and sending goes on."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import requests
from aiosmtpd.controller import Controller

from tests.delivery.conftest import Mailbox, free_port
from tests.server.stores import ROOT, run_script, wait_for
from tests.server.test_database_faults import API, PEOPLE, ROWS

MANY = [f"person{n}@acme.test" for n in range(300)]


@pytest.fixture
def disk(tmp_path, environ):
    """A disk of 24 megabytes that holds the database."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    environ["DATABASE_URL"] = f"sqlite:///{folder}/guestlist.sqlite3"
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def people(disk, environ, guestlist):
    """Northwind and its key, on that disk."""
    assert guestlist("migrate").returncode == 0
    return run_script(PEOPLE, environ)


@pytest.fixture
def mail():
    """A mail server, and what it got."""
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    mailbox.url = f"smtp://127.0.0.1:{server.port}"
    yield mailbox
    server.stop()


def fill(disk: Path) -> None:
    """Leave no room."""
    with (disk / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_on_a_full_disk_nothing_is_created_and_it_works_when_there_is_room(disk, people, start, environ):
    port = free_port()
    start("serve", "--port", str(port), "--no-worker")
    url, key = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {people['key']}"}

    def send():
        return requests.post(url + API, json={"emails": MANY}, headers=key, timeout=60)

    wait_for(lambda: _answers(f"{url}/readyz"))
    fill(disk)
    refused = send()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    (disk / "filler").unlink()
    assert run_script(ROWS, environ) == {"rows": [0, 0, 0]}
    assert send().json()["sent"] == len(MANY)


def test_a_disk_that_fills_while_mail_leaves_loses_nothing_and_doubles_nothing(
    disk, people, guestlist, start, mail
):
    class Filling(type(mail)):
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            answer = await super().handle_DATA(server, session, envelope)
            if len(self.received) == 20:
                fill(disk)
            return answer

    mail.__class__ = Filling
    sent = guestlist("invitations", "send", "northwind", *MANY, EMAIL_URL=mail.url)
    assert sent.returncode == 0, sent.stderr
    worker = start("worker", EMAIL_URL=mail.url)
    wait_for(lambda: (disk / "filler").exists())
    said = [worker.stderr.readline()]
    assert "can’t be used" in said[0] or "full" in said[0] or "disk" in said[0]
    assert worker.poll() is None
    (disk / "filler").unlink()
    wait_for(lambda: set(mail.addresses) == set(MANY), 90)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert set(Counter(mail.addresses).values()) == {1}


@pytest.mark.parametrize("log", ["full device", "closed", "nobody reads"])
def test_mail_leaves_while_nobody_takes_the_log(tables, guestlist, environ, mail, log):
    run_script(PEOPLE, environ)
    emails = MANY[:20]
    assert guestlist("invitations", "send", "northwind", *emails).returncode == 0
    with _log(log) as options:
        variables = environ | {"EMAIL_URL": mail.url, "GUESTLIST_LOG_LEVEL": "DEBUG"}
        worker = subprocess.Popen([sys.executable, "-c", _CHATTY], cwd=ROOT, env=variables, **options)
        try:
            wait_for(lambda: set(mail.addresses) == set(emails), 60)
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
        finally:
            worker.kill()
            worker.wait()
    assert len(mail.addresses) == len(emails)


# A worker that says something about every message, as it does when things go wrong.
_CHATTY = """
import logging, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "guestlist_server.settings"
import django; django.setup()
from guestlist.delivery.lane import Lane
real = Lane._send
def send(lane, attempt, ready):
    logging.getLogger("guestlist").error("x" * 3000)
    return real(lane, attempt, ready)
Lane._send = send
sys.argv = ["guestlist", "worker"]
from guestlist_server.__main__ import main
main()
"""


@contextlib.contextmanager
def _log(kind):
    if kind == "closed":
        reading, writing = os.pipe()
        os.close(reading)
        yield {"stdout": writing, "stderr": writing}
        os.close(writing)
    elif kind == "full device":
        with Path("/dev/full").open("w") as device:
            yield {"stdout": device, "stderr": device}
    else:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(4096))
        os.set_blocking(writing, True)
        yield {"stdout": writing, "stderr": writing}
        os.close(reading)
        os.close(writing)


def _answers(url):
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
