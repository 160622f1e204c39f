"""`guestlist doctor`: what it finds on real rows, real mail servers and a real name server."""

import json
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta

import dns.message
import dns.resolver
import dns.rrset
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Now

from guestlist.actions.invitations import send_invitations
from guestlist.addresses import parse_items
from guestlist.models import Delivery, MailQueue
from guestlist_server import doctor
from guestlist_server.environment import read
from guestlist_server.sender_domain import is_public
from tests.conftest import actor_of
from tests.delivery.conftest import Mailbox, free_port

EVERY_CHECK = ["configuration", "database", "clock", "mail", "sender", "queue", "sending", "bounces"]


class NameServer:
    """Answers over UDP what it was told; to a name in `silent` it says nothing."""

    def __init__(self):
        self.records, self.silent = {}, set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def add(self, name, kind, *texts):
        self.records[name, kind] = dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, texts)

    def _serve(self):
        while True:
            try:
                content, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(content)
            name = query.question[0].name.to_text().rstrip(".")
            if name in self.silent:
                continue
            answer = dns.message.make_response(query)
            found = self.records.get((name, query.question[0].rdtype.name))
            if found:
                answer.answer.append(found)
            elif not any(known == name for known, _ in self.records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self.socket.sendto(answer.to_wire(), peer)


@pytest.fixture
def names(monkeypatch):
    """The name server that is asked."""
    server = NameServer()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.socket.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield server
    server.socket.close()


@pytest.fixture
def sends(settings, tmp_path):
    """Configures a server that sends; keys of the app's settings by keyword."""

    def configure(email_from="Guestlist <guestlist@northwind.test>", **conf):
        url = f"smtp://127.0.0.1:{free_port()}"
        settings.ENV = read({"GUESTLIST_DATA_DIR": str(tmp_path), "EMAIL_URL": url})
        settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "send", "EMAIL_FROM": email_from} | conf

    return configure


def look(check):
    """Level and detail of one check."""
    found = doctor._finding(check)
    return found.level, found.detail


def test_a_new_folder_lacks_its_database_and_says_what_to_run(guestlist):
    done = guestlist("doctor")
    assert done.returncode == 1
    assert "PROBLEM  database: " in done.stdout
    assert "run `guestlist migrate`" in done.stdout
    assert "sender" not in done.stdout


def test_a_server_with_nothing_wrong_passes_every_check(tables, guestlist):
    done = guestlist("doctor", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True)
    assert [check["check"] for check in told["checks"]] == EVERY_CHECK
    assert {(check["level"], check["ok"]) for check in told["checks"]} == {("ok", True)}


def test_a_configuration_that_cannot_be_read_is_the_only_finding(guestlist):
    done = guestlist("doctor", "--json", EMAIL_URL="smtp://mail.example.com?tls=perhaps")
    assert done.returncode == 1
    (only,) = json.loads(done.stdout)["checks"]
    assert (only["check"], only["level"]) == ("configuration", "problem")
    assert only["detail"].startswith("EMAIL_URL: ")


def test_a_mail_server_that_cannot_be_reached_is_a_problem_and_unseen_bounces_are_a_warning(
    tables, guestlist
):
    address = {"EMAIL_URL": f"smtp://127.0.0.1:{free_port()}"}
    done = guestlist("doctor", "--json", **address)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    levels = {check["check"]: check["level"] for check in told["checks"]}
    assert levels == dict.fromkeys(EVERY_CHECK, "ok") | {"mail": "problem", "bounces": "warning"}
    assert "WARNING  bounces: " in guestlist("doctor", **address).stdout


@pytest.mark.parametrize(("password", "status"), [("right", 0), ("wrong", 1)])
def test_the_sign_in_at_the_mail_server_is_tried_and_sends_nothing(tables, guestlist, password, status):
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    mailbox = Mailbox()
    server = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        auth_require_tls=False,
    )
    server.start()
    try:
        url = f"smtp://guestlist:{password}@127.0.0.1:{server.port}"
        done = guestlist("doctor", "--json", EMAIL_URL=url)
    finally:
        server.stop()
    found = {check["check"]: check for check in json.loads(done.stdout)["checks"]}["mail"]
    assert (done.returncode, mailbox.received) == (status, [])
    assert found["ok"] == (password == "right")
    if password == "wrong":
        assert found["detail"].startswith("EMAIL_URL: The mail server refused the sign-in: 535 ")
        assert password not in found["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("shift", "level", "words"),
    [
        (0, "ok", "agree"),
        (4, "ok", "agree"),
        (300, "problem", "the clock of this machine is 300 seconds ahead of that of the database"),
        (-300, "problem", "the clock of the database is 300 seconds ahead of that of this machine"),
    ],
)
def test_clocks_that_differ_are_a_problem_that_names_the_one_ahead(monkeypatch, shift, level, words):
    real = time.time
    monkeypatch.setattr(doctor.time, "time", lambda: real() + shift)
    found = look(doctor.clock)
    assert found[0] == level
    assert words in found[1]


@pytest.mark.django_db
def test_a_message_that_nobody_sends_asks_for_a_worker(sends, organization, alice):
    sends()
    send_invitations(actor=actor_of(alice), organization=organization, parsed=parse_items(["jane@acme.test"]))
    assert look(doctor.queue) == ("ok", "nothing is overdue")
    Delivery.objects.update(next_at=Now() - timedelta(minutes=4))
    assert look(doctor.queue)[0] == "ok"
    Delivery.objects.update(next_at=Now() - timedelta(hours=2))
    level, detail = look(doctor.queue)
    assert level == "problem"
    assert "due for 2:00:0" in detail
    assert "guestlist worker" in detail
    MailQueue.objects.create(failing_since=Now(), reason="535 no")
    level, detail = look(doctor.queue)
    assert level == "problem"
    assert "worker" not in detail


@pytest.mark.django_db
def test_mail_that_waits_for_its_next_try_or_was_sent_is_not_overdue(sends, organization, alice):
    sends()
    parsed = parse_items(["jane@acme.test", "john@acme.test"])
    send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed)
    waiting, sent = Delivery.objects.order_by("pk")
    yesterday = Now() - timedelta(days=1)
    rows = Delivery.objects.filter(pk=waiting.pk)
    rows.update(state="deferred", created_at=yesterday, next_at=Now() + timedelta(hours=1))
    Delivery.objects.filter(pk=sent.pk).update(state="sent", created_at=yesterday, next_at=None)
    assert look(doctor.queue)[0] == "ok"


@pytest.mark.django_db
def test_sending_that_fails_as_a_whole_says_since_when_and_why():
    assert look(doctor.sending) == ("ok", "no trouble")
    MailQueue.objects.create(reason="")
    assert look(doctor.sending)[0] == "ok"
    MailQueue.objects.update(failing_since="2026-03-06T17:00:00Z", reason="535 5.7.8 no")
    level, detail = look(doctor.sending)
    assert level == "problem"
    assert "since 2026-03-06 17:00 UTC: 535 5.7.8 no" in detail


def test_bounces_are_seen_by_mail_or_by_a_provider(sends, settings):
    sends()
    level, detail = look(doctor.bounces)
    assert level == "warning"
    assert "GUESTLIST_BOUNCES_TO" in detail
    sends(BOUNCES_TO="bounces@northwind.test")
    assert look(doctor.bounces) == ("ok", "reports go to bounces@northwind.test")
    sends()
    settings.ENV = replace(settings.ENV, webhook_secret="user:password")
    assert look(doctor.bounces)[0] == "ok"


def test_a_sender_with_all_records_is_well(sends, names):
    names.add("mail.acme.com", "MX", "10 mx.acme.com.")
    names.add("mail.acme.com", "TXT", '"google-site=1"', '"v=spf1 include:acme.com" " -all"')
    names.add("_dmarc.acme.com", "TXT", '"v=DMARC1; p=reject"')
    sends("Guestlist <hello@mail.ACME.com>")
    assert look(doctor.sender) == ("ok", "mail.acme.com takes mail, and has records for SPF and DMARC")


def test_a_sender_without_records_is_warned(sends, names):
    names.add("acme.com", "A", "192.0.2.1")
    sends("hello@acme.com")
    level, detail = look(doctor.sender)
    assert level == "warning"
    assert "acme.com has no record for SPF and DMARC" in detail
    names.add("acme.com", "TXT", '"v=spf1 -all"')
    assert "no record for DMARC," in look(doctor.sender)[1]


@pytest.mark.parametrize("exchange", [None, "0 ."])
def test_a_sender_whose_domain_takes_no_mail_is_a_problem(sends, names, exchange):
    if exchange:
        names.add("acme.com", "MX", exchange)
    sends("hello@acme.com")
    level, detail = look(doctor.sender)
    assert level == "problem"
    assert detail.startswith("acme.com takes no mail")
    assert "GUESTLIST_EMAIL_FROM" in detail


def test_a_name_server_that_is_silent_is_a_warning_within_seconds(sends, names):
    names.silent.add("acme.com")
    sends("hello@acme.com")
    began = time.monotonic()
    level, detail = look(doctor.sender)
    assert time.monotonic() - began < 5
    assert level == "warning"
    assert detail.startswith("acme.com could not be looked up: ")


@pytest.mark.parametrize(
    "domain", ["localhost", "127.0.0.1", "[::1]", "northwind.test", "app.localhost", "intranet", ""]
)
def test_a_domain_that_nobody_can_own_is_not_looked_up(sends, names, domain):
    assert not is_public(domain)
    names.silent.add(domain)
    sends(f"Guestlist <guestlist@{domain}>")
    assert look(doctor.sender) == ("ok", f"{domain} is not looked up")


def test_whatever_breaks_a_check_is_a_problem_and_not_a_traceback():
    def configuration():
        raise ImproperlyConfigured("one\n  two")

    assert look(configuration) == ("problem", "one two")
