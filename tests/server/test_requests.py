"""What every answer carries, what the log says, and the pages of the server itself."""

import io
import json
import logging
import os
import stat
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.mail import EmailMessage, get_connection
from django.db import OperationalError
from django.db.models.functions import Now

from guestlist.actions.invitations import send_invitations
from guestlist.actions.mail import new_mail, new_notice, owe
from guestlist.addresses import parse_items
from guestlist.links import invitation_url
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.delivery import Kind, State
from guestlist_server import health
from guestlist_server.logs import Lines, mask
from tests.conftest import actor_of, deliver_due

pytestmark = pytest.mark.django_db
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Whatever", "Forwarded", "X-Real-IP", "Via")


@pytest.fixture
def captured(settings, tmp_path, organization, alice):
    """One invitation and one account mail, both captured."""
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    send_invitations(actor=actor_of(alice), organization=organization, parsed=parse_items(["jane@acme.test"]))
    deliver_due(uuid4())
    backend = get_connection("guestlist_server.capture.CapturedMail")
    body = "Reset it: http://127.0.0.1:8000/accounts/password/reset/key/abc-def/ now"
    backend.send_messages([EmailMessage("Reset", body, "g@acme.test", ["bob@acme.test"])])
    row = Invitation.objects.get()
    return invitation_url(row.nonce, row.pk)


def test_the_outbox_shows_captured_mail_with_its_links(client, captured):
    page = client.get("/outbox")
    assert page.status_code == 200
    assert captured in page.content.decode()
    assert "/accounts/password/reset/key/abc-def/" in page.content.decode()


def test_the_outbox_shows_reminders_digests_and_tests(client, captured, organization):
    invitation = Invitation.objects.get()
    locked = Organization.objects.lock(organization.pk)
    invitation.organization = locked
    part = {"count": 1, "first": [{"email": "omar@acme.test", "detail": ""}]}
    owe(
        [
            new_mail(invitation, Kind.REMINDER),
            new_notice(locked, Kind.DIGEST, "alice@northwind.test", {"expired": part}),
            new_notice(locked, Kind.TEST, "alice@northwind.test", {}),
        ]
    )
    Delivery.objects.owed().update(state=State.SENT, at=Now(), next_at=None)
    page = client.get("/outbox").content.decode()
    assert page.count(f'href="{captured}"') == 2
    assert "omar@acme.test" in page
    assert "This is a test. It invites nobody." in page


def test_the_outbox_stores_no_link_of_an_invitation(captured, settings):
    kept = [path.read_text() for path in Path(settings.EMAIL_FILE_PATH).iterdir()]
    assert len(kept) == 1
    assert "gli_" not in kept[0]


def test_captured_messages_can_be_downloaded(client, captured):
    from guestlist_server.outbox import _account_mail, _deliveries

    for message in [*_deliveries(), *_account_mail()]:
        answer = client.get(message["download_url"])
        assert answer["Content-Type"] == "message/rfc822"
        assert f"To: {message['to']}".encode() in answer.content
    for unknown in ("nothing", "../secret_key", "..%2Fsecret_key", str(uuid4())):
        assert client.get(f"/outbox/{unknown}.eml").status_code == 404


@pytest.mark.parametrize("header", FORWARDING)
def test_the_outbox_does_not_exist_through_a_proxy(client, captured, header):
    for path in ("/outbox", "/outbox/x.eml"):
        assert client.get(path, headers={header: "192.0.2.1"}).status_code == 404


@pytest.mark.parametrize(
    "variables",
    [
        {"EMAIL_URL": "smtp://127.0.0.1:25"},
        {"GUESTLIST_URL": "https://guestlist.example.com"},
        {"GUESTLIST_URL": "http://127.0.0.1:8000", "GUESTLIST_BIND": "0.0.0.0"},
    ],
)
def test_the_outbox_exists_only_where_mail_is_captured(client, captured, settings, tmp_path, variables):
    from guestlist_server.environment import read

    settings.ENV = read({"GUESTLIST_DATA_DIR": str(tmp_path)} | variables)
    assert client.get("/outbox").status_code == 404


def test_captured_mail_is_private_and_goes_after_a_day(captured, settings, client):
    folder = Path(settings.EMAIL_FILE_PATH)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    yesterday = time.time() - 25 * 60 * 60
    os.utime(file, (yesterday, yesterday))
    assert client.get("/outbox").status_code == 200
    assert not list(folder.iterdir())


def test_every_answer_carries_the_policy_and_an_id(client):
    for path in ("/healthz", "/no-such-page"):
        answer = client.get(path)
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "private, no-store" or path == "/no-such-page"
        assert len(answer["X-Request-ID"]) == 32


def test_an_unknown_host_is_refused(client):
    assert client.get("/accounts/login/", headers={"Host": "evil.test"}).status_code == 400


def test_the_log_line_of_a_request_holds_no_token(client, caplog):
    token = "gli_" + "A1" * 32
    with caplog.at_level(logging.INFO):
        client.get(f"/i/{token}")
    lines = [Lines([]).format(record) for record in caplog.records]
    assert lines
    assert "A1A1" not in "".join(lines)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("GET /i/gli_" + "x" * 64 + "/decline", "GET /i/gli_…/decline"),
        ("Bearer glk_" + "y" * 51, "Bearer glk_…"),
        ("a_gli_" + "x" * 64, "a_gli_…"),
        ("/setup/AbC-123", "/setup/…"),
        ("/accounts/password/reset/key/1-abc/", "/accounts/password/reset/key/…/"),
        ("red\x1b[31m \u202e \ud800", "red\\u001b[31m \\u202e \\ud800"),
    ],
)
def test_whatever_is_logged_is_safe(said, kept):
    assert mask(said) == kept


def test_a_log_line_is_json_in_utf8_even_for_a_traceback():
    stream = io.BytesIO()
    handler = logging.StreamHandler(io.TextIOWrapper(stream, "utf-8", write_through=True))
    handler.setFormatter(Lines([]))
    try:
        raise ValueError("\ud800 gli_" + "x" * 64)
    except ValueError as error:
        record = logging.LogRecord("x", 40, "f", 1, "no %s", ("\udfff",), (type(error), error, None))
    handler.handle(record)
    line = stream.getvalue().decode()
    assert "xxxx" not in line
    assert "event" in json.loads(line)


def test_readiness_follows_the_database(client, monkeypatch):
    assert client.get("/healthz").content == b"ok\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    monkeypatch.setattr(health, "unapplied_migrations", lambda: ["guestlist.0009"])
    assert client.get("/readyz").status_code == 503

    def gone():
        raise OperationalError

    monkeypatch.setattr(health, "unapplied_migrations", gone)
    assert client.get("/readyz").json() == {"ready": False, "database": "unreachable", "migrations": None}
