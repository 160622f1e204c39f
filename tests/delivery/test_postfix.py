"""A real mail server: Postfix delivers two thousand invitations, and its own report of an unknown user comes
back to the right row.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from guestlist.models import Delivery, Event
from tests.delivery.conftest import free_port
from tests.delivery.postfix import Postfix, messages_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix is started by root only"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="Postfix is not installed"),
]
MANY = 2_000


@pytest.fixture
def postfix():
    with Postfix(free_port()) as postfix:
        yield postfix


def environ(postfix, tmp_path):
    """The environment of a server on the database of this test that sends through Postfix."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        database = f"sqlite:///{name}"
    else:
        database = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    return os.environ | {
        "DATABASE_URL": database,
        "EMAIL_URL": f"smtp://127.0.0.1:{postfix.port}",
        "GUESTLIST_BOUNCES_TO": "bounces@guestlist.test",
        "GUESTLIST_DATA_DIR": str(tmp_path),
        "GUESTLIST_SECRET_KEY": django_settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "guestlist_server.settings",
    }


def wait_until(true, seconds, postfix):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, postfix.log[-3000:]
        time.sleep(0.1)


def files(maildir):
    folder = maildir / "new"
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_postfix_delivers_two_thousand_invitations_and_its_bounce_finds_the_row(
    postfix, invite, organization, tmp_path
):
    emails = [f"person{n}@acme.test" for n in range(MANY - 1)]
    invite(*emails, "gone@acme.test")
    variables = environ(postfix, tmp_path)
    guestlist = [sys.executable, "-m", "guestlist_server"]
    worker = subprocess.Popen([*guestlist, "worker"], env=variables)
    try:
        wait_until(lambda: not Delivery.objects.owed().exists(), 90, postfix)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    wait_until(lambda: files(postfix.acme) >= MANY - 1 and files(postfix.bounces) >= 1, 60, postfix)

    arrived = list(messages_in(postfix.acme))
    assert Counter(message["Delivered-To"] for message in arrived) == Counter(emails)
    ids = dict(Delivery.objects.values_list("invitation__email", "message_id"))
    assert all(message["Message-ID"] == ids[message["To"]] for message in arrived)
    assert all(message["Return-Path"].startswith("<bounces+") for message in arrived)
    assert len({message["Return-Path"] for message in arrived}) == MANY - 1

    # Two things that Postfix did not send: a report with a token that nobody made, and junk.
    forged = next((postfix.bounces / "new").iterdir()).read_bytes()
    token = forged.split(b"Delivered-To: bounces+")[1].split(b"@")[0]
    (postfix.bounces / "new/forged").write_bytes(forged.replace(token, token[:-4] + b"aaaa"))
    (postfix.bounces / "new/junk").write_bytes(b"From: x@evil.test\n\nBuy now\n")
    done = subprocess.run(
        [*guestlist, "bounces", "ingest", "--maildir", str(postfix.bounces)],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 bounced" in done.stdout
    assert "2 not ours" in done.stdout

    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": MANY - 1, "bounced": 1}
    bounced = Delivery.objects.get(state="bounced")
    assert bounced.invitation.email == "gone@acme.test"
    assert "unknown user" in bounced.detail
    assert bounced.hard
    assert [entry["state"] for entry in bounced.history] == ["sent", "bounced"]
    event = Event.objects.get(organization=organization, type="invitation.bounced")
    assert event.subject_name == "gone@acme.test"
    assert not list((postfix.bounces / "new").iterdir())
