"""Passkeys that no authenticator made."""

import json
import re

import pytest
from allauth.mfa.models import Authenticator as Key
from django.test import Client
from fido2 import cbor
from fido2.utils import websafe_encode

from tests.conftest import PASSWORD
from tests.web.authenticator import Authenticator
from tests.web.test_accounts_codes import invitation_to, link_to
from tests.web.test_accounts_pages import prove
from tests.web.test_accounts_sign_up import BEGIN, options_of


@pytest.fixture
def client(mallory, as_user):
    """Mallory, who has just proved who she is."""
    client = as_user(mallory)
    prove(client)
    return client


def nested_cbor():
    return websafe_encode(b"\x81" * 20_000 + b"\x00")


FORGED = {
    "json": "[" * 100_000,
    "object": '{"a":' * 50_000,
    "cbor": json.dumps(
        {
            "id": "QQ",
            "rawId": "QQ",
            "type": "public-key",
            "response": {"clientDataJSON": "e30", "attestationObject": nested_cbor()},
        }
    ),
    "client data": json.dumps(
        {
            "id": "QQ",
            "rawId": "QQ",
            "type": "public-key",
            "response": {"clientDataJSON": websafe_encode(b"[" * 100_000), "attestationObject": "oA"},
        }
    ),
    "assertion": json.dumps(
        {
            "id": "QQ",
            "rawId": "QQ",
            "type": "public-key",
            "response": {
                "clientDataJSON": websafe_encode(b"[" * 100_000),
                "authenticatorData": "oA",
                "signature": "oA",
                "userHandle": "oA",
            },
        }
    ),
    "infinite": "1e400",
    "text": '"\\ud800"',
    "response": '{"response":[]}',
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_passkey_is_refused_and_no_error(organization, alice, client, name):
    link = link_to(invitation_to(organization, alice, "vera@acme.test"))
    guest = Client()
    guest.post(link, BEGIN)
    assert guest.post(link, {"credential": FORGED[name]}).status_code == 422
    guest.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"})
    back = guest.post("/accounts/2fa/webauthn/login/", {"credential": FORGED[name]})
    assert back["Location"] == "/accounts/login/"
    Key.objects.create(user=alice, type=Key.Type.TOTP, data={"secret": "x"})
    for path in ("/accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/reauthenticate/"):
        client.get(path)
        assert client.post(path, {"credential": FORGED[name]}).status_code in (200, 302), path
    guest.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert guest.post("/accounts/2fa/authenticate/", {"credential": FORGED[name]}).status_code == 200


HOSTILE_RESULTS = [[], "x", None, 1, {"credProps": 1}, {"credProps": None}, {"credProps": {"rk": "yes"}}]


@pytest.mark.parametrize("results", HOSTILE_RESULTS, ids=repr)
def test_a_key_that_would_break_the_list_of_keys_is_not_kept(organization, alice, client, results):
    link = link_to(invitation_to(organization, alice, "vera@acme.test"))
    guest = Client()
    credential = json.loads(Authenticator().create(options_of(guest.post(link, BEGIN))))
    credential["clientExtensionResults"] = results
    assert guest.post(link, {"credential": json.dumps(credential)}).status_code == 422
    added = json.loads(Authenticator().create(options_to_add(client)))
    added["clientExtensionResults"] = results
    assert client.post("/accounts/2fa/webauthn/add/", {"credential": json.dumps(added)}).status_code == 200
    assert not Key.objects.exists()


def options_to_add(client):
    page = client.get("/accounts/2fa/webauthn/add/").content.decode()
    return json.loads(re.search(r'type="application/json">(\{"creation_options.*?)</script>', page)[1])[
        "creation_options"
    ]


@pytest.mark.parametrize("results", [{}, {"credProps": {}}, {"credProps": {"rk": False}}], ids=repr)
def test_a_browser_that_says_less_can_add_a_key(client, mallory, results):
    key = Authenticator()
    credential = json.loads(key.create(options_to_add(client)))
    credential |= {"clientExtensionResults": results, "more": "\x00", "authenticatorAttachment": "platform"}
    form = {"name": "My key", "credential": json.dumps(credential), "passwordless": "on"}
    assert client.post("/accounts/2fa/webauthn/add/", form).status_code == 302
    stored = Key.objects.get(user=mallory, type="webauthn").data
    assert "\\u0000" not in json.dumps(stored)
    assert "My key" in client.get("/accounts/2fa/webauthn/").content.decode()
    again = Client()
    asked = again.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    form = {"credential": key.get(asked["request_options"])}
    assert again.post("/accounts/2fa/webauthn/login/", form)["Location"] == "/"


def test_a_passkey_without_a_key_is_refused(organization, alice):
    link = link_to(invitation_to(organization, alice, "vera@acme.test"))
    guest, key = Client(), Authenticator()
    options = options_of(guest.post(link, BEGIN))
    credential = json.loads(key.create(options))
    statement = {"fmt": "none", "attStmt": {}, "authData": key._data(options["publicKey"]["rp"]["id"])}
    credential["response"]["attestationObject"] = websafe_encode(cbor.encode(statement))
    assert guest.post(link, {"credential": json.dumps(credential)}).status_code == 422
