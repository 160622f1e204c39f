"""Where a secure connection was asked for, nothing goes out in the clear."""

import pytest

from tests.delivery.certificates import Authority, only_tls_1_0
from tests.delivery.conftest import states
from tests.delivery.faulty import FaultyServer
from tests.delivery.script import assert_paused

pytestmark = pytest.mark.django_db


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = Authority.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


FAULTS = {
    "expired": lambda authority: authority.context(days=-1),
    "self-signed": lambda authority: authority.context(self_signed=True),
    "other name": lambda authority: authority.context(host="other.test"),
    "TLS 1.0": lambda authority: only_tls_1_0(authority.context()),
}


@pytest.mark.parametrize("starttls", [True, False], ids=["starttls", "implicit"])
def test_mail_goes_out_over_tls_with_a_good_certificate(authority, invite, drain, settings, starttls):
    with FaultyServer(tls=authority.context(), starttls=starttls) as server:
        server.use(settings, EMAIL_USE_TLS=starttls, EMAIL_USE_SSL=not starttls)
        invite("a@acme.test")
        drain()
    assert [message.secure for message in server.messages] == [True]
    assert states() == {"a@acme.test": "sent"}


@pytest.mark.parametrize("starttls", [True, False], ids=["starttls", "implicit"])
@pytest.mark.parametrize("make", FAULTS.values(), ids=FAULTS)
def test_a_bad_certificate_defers_and_nothing_is_told(authority, invite, drain, settings, make, starttls):
    with FaultyServer(tls=make(authority), starttls=starttls) as server:
        server.use(settings, EMAIL_USE_TLS=starttls, EMAIL_USE_SSL=not starttls)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "guestlist", "secret"
        server.capabilities = (*server.capabilities, "AUTH PLAIN")
        invite("a@acme.test", "b@acme.test")
        drain()
    assert_paused("secure connection")
    assert not any(server.steps(step) for step in ("AUTH", "MAIL", "RCPT", "DATA"))


STRIPPED = {"not offered": None, "refused": "454 4.7.0 TLS not available", "unknown": "502 5.5.1 What?"}


@pytest.mark.parametrize("answer", STRIPPED.values(), ids=STRIPPED)
def test_without_starttls_nothing_goes_out_in_the_clear(authority, server, invite, drain, settings, answer):
    server.use(settings, EMAIL_USE_TLS=True, EMAIL_HOST_USER="guestlist", EMAIL_HOST_PASSWORD="secret")
    server.capabilities = (*server.capabilities, "AUTH PLAIN", *(("STARTTLS",) if answer else ()))
    server.at["STARTTLS"] = answer
    invite("a@acme.test", "b@acme.test")
    drain()
    assert_paused("secure connection")
    assert not any(server.steps(step) for step in ("AUTH", "MAIL", "RCPT", "DATA"))


def test_an_answer_slipped_in_before_tls_is_not_believed(authority, invite, drain, settings):
    with FaultyServer(tls=authority.context()) as server:
        server.use(settings, EMAIL_USE_TLS=True)
        server.at["STARTTLS"] = b"220 2.0.0 Go ahead\r\n250 injected\r\n"
        invite("a@acme.test")
        drain()
    assert not server.messages
    assert states() == {"a@acme.test": "deferred"}
