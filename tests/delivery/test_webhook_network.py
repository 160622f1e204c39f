"""Calls of webhooks on the network: where they never go, and receivers that misbehave."""

import gzip
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from guestlist import errors
from guestlist.delivery import calls, targets
from guestlist.delivery.calls import Caller
from guestlist.delivery.targets import checked_url
from guestlist.models import Webhook, WebhookDelivery
from tests.delivery.certificates import Authority
from tests.delivery.receiver import Receiver, drip
from tests.delivery.script import unused_port
from tests.delivery.webhook_script import call_due, make_webhook, pass_time, waits

pytestmark = pytest.mark.django_db(transaction=True)
PUBLIC = "93.184.215.14"


class Names:
    """A resolver: a list of answers for each name, of which the last stays. `asked` is what it was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []
        self.real = socket.getaddrinfo
        self.seconds = 0.0

    def __call__(self, host, port, *args, **kwargs):
        if host not in self.answers:
            return self.real(host, port, *args, **kwargs)
        self.asked.append(host)
        time.sleep(self.seconds)
        left = self.answers[host]
        addresses = left.pop(0) if len(left) > 1 else left[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [row for address in addresses for row in self.real(address, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def names(monkeypatch):
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


@pytest.fixture
def impatient(monkeypatch):
    """A second for connecting, and two in all."""
    monkeypatch.setattr(calls, "CONNECT", 1.0)
    monkeypatch.setattr(calls, "WHOLE", 2.0)


@contextmanager
def listener():
    """Counts connections, on every address of this machine."""
    server, accepted, stop = socket.create_server(("127.0.0.1", 0)), [], threading.Event()
    server.settimeout(0.05)

    def accept():
        while not stop.is_set():
            try:
                accepted.append(server.accept())
            except TimeoutError:
                continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1], accepted
    finally:
        stop.set()
        thread.join()
        for connection, _ in accepted:
            connection.close()
        server.close()


def call(url):
    """Call it once; what came back."""
    caller = Caller(url)
    try:
        return caller.post({}, "{}")
    finally:
        caller.close()


# Where it never goes ---------------------------------------------------------------------------------

SPELLINGS = (
    *("127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "0.0.0.0", "localhost"),
    *("localhost.", "LOCALHOST", "foo.localhost", "127.0.0.1.", "0x7F.1", "0177.0.0.1"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
    *("[::127.0.0.1]", "[fe80::1]", "[fc00::1]", "[0:0:0:0:0:0:0:1]", "ip6-localhost"),
)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_this_machine_is_called_or_saved(settings, scheme):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    with listener() as (port, accepted):
        for spelling in SPELLINGS:
            url = f"{scheme}://{spelling}:{port}/"
            with pytest.raises(errors.GuestlistError):
                checked_url(url)
            try:
                assert call(url).status is None
            except errors.WebhookUrlInvalid:
                continue
        assert accepted == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
    ],
)
def test_a_name_that_leads_to_a_private_address_is_refused_whatever_else_it_has(settings, names, address):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    names.answers = {"mixed.example": [[PUBLIC, address]], "private.example": [[address]]}
    for name in names.answers:
        with pytest.raises(errors.WebhookTargetForbidden):
            checked_url(f"https://{name}/")
        answer = call(f"https://{name}/")
        assert answer.status is None
        assert "not on the public network" in answer.detail


def test_a_name_that_leads_elsewhere_once_it_is_saved_is_not_followed(settings, names, organization, invite):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    with listener() as (port, accepted):
        names.answers = {"rebind.example": [[PUBLIC], ["127.0.0.1"]]}
        url = f"https://rebind.example:{port}/"
        checked_url(url)
        webhook = make_webhook(organization, url)
        invite("jane@acme.test")
        assert call_due() == 1
        assert waits(webhook) > 0
        assert accepted == []
    assert "not on the public network" in WebhookDelivery.objects.get().detail


def test_the_address_that_was_checked_is_the_one_that_is_called(settings, names, impatient):
    """A resolver that answers otherwise when it is asked again is not asked again."""
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    with listener() as (port, accepted):
        names.answers = {"rebind.example": [["198.41.0.4"], ["127.0.0.1"], ["127.0.0.1"]]}
        answer = call(f"https://rebind.example:{port}/")
        assert answer.status is None
        assert names.asked == ["rebind.example"]
        assert accepted == []


def test_without_tls_only_what_the_settings_name_is_called(settings, names):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": ["127.0.0.0/8"]}
    names.answers = {"plain.example": [[PUBLIC]]}
    with pytest.raises(errors.WebhookUrlInsecure):
        checked_url("http://plain.example/")
    assert "https://" in call("http://plain.example/").detail


def test_a_name_that_does_not_exist_is_said_to_be_unknown(names):
    names.answers = {"typo.example": [[]]}
    with pytest.raises(errors.WebhookTargetUnknown) as refused:
        checked_url("https://typo.example/")
    assert "typo.example" in str(refused.value)
    assert "typo.example" in call("https://typo.example/").detail


def test_a_resolver_that_never_answers_is_not_waited_for(names, impatient):
    names.answers, names.seconds = {"slow.example": [[PUBLIC]]}, 4.0
    began = time.monotonic()
    assert call("https://slow.example/").status is None
    assert time.monotonic() - began < 2.0


def test_no_proxy_of_the_environment_is_asked(receiver, webhook, invite, monkeypatch):
    with listener() as (port, accepted):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        invite("jane@acme.test")
        assert call_due() == 1
        assert accepted == []
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver, webhook, invite, status):
    with listener() as (port, accepted):
        where = f"http://127.0.0.1:{port}/inside"
        receiver.answer = lambda call, wire: (status, {"Location": where})
        invite("jane@acme.test")
        assert call_due() == 1
        assert accepted == []
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status) == ("deferred", status)
    assert str(status) in row.detail
    assert where in row.detail


# TLS -------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """An authority that this machine trusts."""
    made = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    calls._tls.cache_clear()
    yield made
    calls._tls.cache_clear()


@pytest.fixture
def secure(settings):
    """Starts receivers with a certificate."""
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": ["127.0.0.0/8"]}
    started = []

    def start(context):
        started.append(Receiver(context))
        return started[-1]

    yield start
    for receiver in started:
        receiver.close()


def test_a_certificate_of_a_trusted_authority_for_that_name_is_taken(authority, secure, names):
    receiver = secure(authority.context(host="hooks.example"))
    names.answers = {"hooks.example": [["127.0.0.1"]]}
    assert call(f"https://hooks.example:{receiver.port}/").status == 204
    assert receiver.calls[0].headers["host"] == f"hooks.example:{receiver.port}"
    assert names.asked == ["hooks.example"]


@pytest.mark.parametrize(
    "certificate",
    [{"host": "other.example"}, {"days": -1}, {"self_signed": True}],
    ids=["of another name", "expired", "signed by itself"],
)
def test_another_certificate_is_refused_before_anything_is_sent(authority, secure, names, certificate):
    receiver = secure(authority.context(**{"host": "hooks.example"} | certificate))
    names.answers = {"hooks.example": [["127.0.0.1"]]}
    answer = call(f"https://hooks.example:{receiver.port}/")
    assert answer.status is None
    assert "no secure connection" in answer.detail
    assert receiver.calls == []


def test_an_unknown_authority_is_refused(secure, tmp_path, organization, invite):
    calls._tls.cache_clear()
    receiver = secure(Authority.make(tmp_path).context())
    webhook = make_webhook(organization, receiver.url)
    invite("jane@acme.test")
    assert call_due() == 1
    assert receiver.calls == []
    assert waits(webhook) > 0
    assert "no secure connection" in WebhookDelivery.objects.get().detail


# Receivers that misbehave ----------------------------------------------------------------------------


def bytes_of(data):
    """Answers with these bytes."""
    return lambda call, wire: wire.sendall(data)


def test_a_port_where_nobody_listens(organization, invite, receiver):
    with unused_port() as port:
        webhook = make_webhook(organization, f"http://127.0.0.1:{port}/")
        invite("jane@acme.test")
        assert call_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status, row.answer) == ("deferred", None, "")
    assert "can’t be reached" in row.detail
    assert 13 < waits(webhook) < 17


def test_a_server_that_never_answers_is_left_after_the_whole_time(receiver, webhook, invite, impatient):
    receiver.answer = lambda call, wire: time.sleep(4)
    invite("jane@acme.test")
    began = time.monotonic()
    call_due()
    assert 1.5 < time.monotonic() - began < 3
    assert "15 seconds" in WebhookDelivery.objects.get().detail


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"z" * 99],
    ids=["in the headers", "in the body"],
)
def test_a_server_that_sends_a_byte_now_and_then_is_left_after_the_whole_time(
    receiver, webhook, invite, impatient, data
):
    receiver.answer = drip(data, 0.2)
    invite("jane@acme.test")
    began = time.monotonic()
    call_due()
    assert 1.5 < time.monotonic() - began < 3
    assert WebhookDelivery.objects.get().state == "deferred"


def test_an_endless_answer_is_read_no_further_than_64_kilobytes(receiver, webhook, invite, impatient):
    written = []

    def answer(call, wire):
        wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            wire.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            written.append(65_536)

    receiver.answer = answer
    invite("jane@acme.test")
    began = time.monotonic()
    assert call_due() == 1
    assert time.monotonic() - began < 1.5
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status, row.answer) == ("delivered", 200, "x" * 1_000)
    assert sum(written) < 20_000_000  # what the network itself holds


def test_headers_without_end_are_no_answer(receiver, webhook, invite):
    receiver.answer = bytes_of(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"y" * 300_000 + b"\r\n\r\n")
    invite("jane@acme.test")
    call_due()
    assert WebhookDelivery.objects.get().state == "deferred"


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage\r\n\r\n", b"\x00\xff" * 50, b"HTTP/1.1 99 Low\r\n\r\n"],
    ids=["nothing", "words", "bytes", "status"],
)
def test_what_is_no_answer_is_a_failure(receiver, webhook, invite, data):
    receiver.answer = bytes_of(data)
    invite("jane@acme.test")
    assert call_due() == 1
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status) == ("deferred", None)
    assert row.detail
    assert row.detail.isprintable()


def test_an_answer_that_ends_too_early_is_a_failure(receiver, webhook, invite):
    receiver.answer = bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort")
    invite("jane@acme.test")
    call_due()
    assert WebhookDelivery.objects.get().state == "deferred"


def test_a_packed_answer_stays_packed(receiver, webhook, invite):
    bomb = gzip.compress(b"x" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    receiver.answer = bytes_of(head + bomb)
    invite("jane@acme.test")
    call_due()
    row = WebhookDelivery.objects.get()
    assert row.state == "delivered"
    assert "xxxx" not in row.answer
    assert receiver.calls[0].headers["accept-encoding"] == "identity"


def test_a_connection_that_was_closed_after_an_answer_is_made_anew(receiver, webhook, invite):
    receiver.answer = lambda call, wire: (200, {"Connection": "close"})
    invite("jane@acme.test", "bob@acme.test")
    assert call_due() == 2
    assert len(receiver.taken) == receiver.connections == 2


def test_a_new_address_is_called_from_the_next_call_on(receiver, webhook, invite):
    def answer(call, wire):
        Webhook.objects.update(url=f"{receiver.url}/new")
        return 200

    receiver.answer = answer
    invite("jane@acme.test", "bob@acme.test")
    call_due()
    assert [call.path for call in receiver.calls] == ["/hooks", "/hooks/new"]
    pass_time(timedelta(minutes=1))


def test_slow_names_leave_the_doors_to_others(names, monkeypatch):
    monkeypatch.setattr(targets, "PATIENCE_OF_DOORS", 0.5)
    names.answers["slow.example.com"] = [[PUBLIC]]
    names.answers["quick.example.com"] = [[PUBLIC]]
    names.seconds = 2.0
    refused = []

    def look():
        try:
            checked_url("https://slow.example.com/")
        except errors.GuestlistError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=look) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(refused) == ["webhook_target_busy"] * 8 + ["webhook_target_unknown"] * 4
    names.seconds = 0.0
    assert checked_url("https://quick.example.com/") == "https://quick.example.com/"
