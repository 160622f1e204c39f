"""The command line as people run it: processes, signals, exit statuses."""

import json
import os
import signal
import socket
import sqlite3
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.delivery.conftest import Mailbox, free_port

WRONG = {
    "GUESTLIST_URL": "guestlist.example.com",
    "GUESTLIST_SECRET_KEY": "short",
    "DATABASE_URL": "mysql://x/y",
    "EMAIL_URL": "smtp://mail.example.com?tls=perhaps",
    "GUESTLIST_EMAIL_FROM": "nobody",
    "GUESTLIST_INVITATION_LIFETIME": "soon",
    "GUESTLIST_SIGNUP": "sometimes",
    "GUESTLIST_LOG_LEVEL": "LOUD",
    "GUESTLIST_TRUSTED_PROXIES": "some",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variable_is_named_in_one_line(guestlist, name):
    done = guestlist("migrate", **{name: WRONG[name]})
    assert done.returncode == 2
    assert done.stderr.startswith(f"guestlist: {name}: ")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named(guestlist, tmp_path):
    (tmp_path / "file").write_text("")
    done = guestlist("migrate", GUESTLIST_DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.returncode == 2
    assert done.stderr.startswith("guestlist: GUESTLIST_DATA_DIR: ")


def test_serving_others_needs_the_public_address(guestlist):
    done = guestlist("serve", "--host", "0.0.0.0", "--port", str(free_port()))
    assert done.returncode == 2
    assert done.stderr.startswith("guestlist: GUESTLIST_URL: ")
    assert "Set up" not in done.stdout


def test_a_taken_port_is_said(guestlist):
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = guestlist("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_servers_started_at_once_both_answer_and_leave_nothing_behind(start):
    ports = [free_port(), free_port()]
    servers = [start("serve", "--port", str(port)) for port in ports]
    for server, port in zip(servers, ports, strict=True):
        assert server.stdout.readline().startswith(f"Set up Guestlist: http://127.0.0.1:{port}/setup/")
        assert server.stdout.readline() == f"Mail is captured, not sent: http://127.0.0.1:{port}/outbox\n"
        assert json.loads(_get(f"http://127.0.0.1:{port}/readyz"))["ready"]
    children = [child for server in servers for child in _children(server.pid)]
    assert len(children) == 4
    for server, number in zip(servers, (signal.SIGTERM, signal.SIGINT), strict=True):
        server.send_signal(number)
        _, errors = server.communicate(timeout=40)
        assert server.returncode == 0
        assert "Traceback" not in errors, errors
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_the_mail_process_is_started_again_and_ends_with_a_killed_server(start):
    port = free_port()
    server = start("serve", "--port", str(port))
    _get(f"http://127.0.0.1:{port}/healthz")
    mail = _wait_for(lambda: _mail_process(server.pid))
    _kill(mail)
    _wait_for(lambda: _mail_process(server.pid) not in (None, mail))
    everyone = _children(server.pid)
    server.kill()
    server.wait()
    _wait_for(lambda: not any(_alive(child) for child in everyone))


def test_a_killed_worker_loses_nothing_and_repeats_carry_the_same_message_id(
    tables, guestlist, start, environ
):
    class Slow(Mailbox):
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            answer = await super().handle_DATA(server, session, envelope)
            if len(self.received) == 30:
                _kill(self.victim)  # after the content was taken, before the worker hears so
            return answer

    mailbox, port = Slow(), free_port()
    smtp = Controller(mailbox, hostname="127.0.0.1", port=port)
    smtp.start()
    # With more connections, each may have one message under way.
    variables = {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "GUESTLIST_EMAIL_CONNECTIONS": "1"}
    emails = [f"person{n}@acme.test" for n in range(120)]
    try:
        guestlist("organizations", "create", "Northwind", "--slug", "northwind", "--owner", "alice@acme.test")
        sent = guestlist(
            "invitations", "send", "northwind", "--file", "-", text="\n".join(emails), **variables
        )
        assert sent.returncode == 0, sent.stderr
        first = start("worker", **variables)
        mailbox.victim = first.pid
        first.wait(30)
        assert first.returncode == -signal.SIGKILL
        _end_leases(Path(environ["GUESTLIST_DATA_DIR"]))
        second = start("worker", **variables)
        _wait_for(lambda: set(mailbox.addresses) == set(emails))
        second.terminate()
        assert second.wait(20) == 0
    finally:
        smtp.stop()
    counts = Counter(mailbox.addresses)
    repeated = [address for address, count in counts.items() if count > 1]
    assert set(counts) == set(emails)
    assert repeated == [mailbox.addresses[29]]
    copies = {mailbox.parsed(n)["Message-ID"] for n, to in enumerate(mailbox.addresses) if to in repeated}
    assert len(copies) == 1


def _get(url):
    def get():
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            return None

    return _wait_for(get)


def _wait_for(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        if task.name != str(pid)
        for child in (task / "children").read_text().split()
    ]


def _mail_process(pid):
    for child in _children(pid):
        if b"--attached" in Path(f"/proc/{child}/cmdline").read_bytes() and _alive(child):
            return child
    return None


def _alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _kill(pid):
    os.kill(pid, signal.SIGKILL)


def _end_leases(data_dir):
    with sqlite3.connect(data_dir / "guestlist.sqlite3") as database:
        database.execute("UPDATE guestlist_delivery SET leased_until = '2000-01-01 00:00:00'")
    database.close()


def test_a_lost_second_factor_is_reset_by_the_operator(db, client):
    from allauth.mfa.models import Authenticator
    from typer.testing import CliRunner

    from guestlist_server.accounts.commands import app
    from tests.conftest import PASSWORD, make_user

    run = CliRunner().invoke
    refused = run(app, ["reset-two-factor", "nobody@acme.test"])
    assert refused.exit_code == 1
    assert "No account has the verified address" in refused.output
    vera = make_user("vera@acme.test", "Vera Vance")
    form = {"login": vera.email, "password": PASSWORD}
    client.post("/accounts/login/", form)
    assert client.get("/invitations").status_code == 200
    Authenticator.objects.create(user=vera, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert "2fa" in client.__class__().post("/accounts/login/", form)["Location"]
    done = run(app, ["reset-two-factor", "VERA@acme.test", "--json"])
    assert json.loads(done.output)["removed"] == 1
    assert client.get("/invitations").status_code == 302
    assert client.__class__().post("/accounts/login/", form)["Location"] == "/"
