"""A passkey in software: makes and uses credentials as a browser's authenticator does (WebAuthn level 2)."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.utils import websafe_decode

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One key, for one account of one site."""

    def __init__(self, origin: str = "http://testserver", *, verified: bool = True) -> None:
        self.origin, self.verified = origin, verified
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = sha256(str(id(self.key)).encode()).digest()
        self.user_handle = b""

    def create(self, options: dict[str, Any]) -> str:
        """The answer to `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.user_handle = websafe_decode(asked["user"]["id"])
        point = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = (
            b"\0" * 16 + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor.encode(key)
        )
        data = self._data(asked["rp"]["id"], _ATTESTED) + attested
        statement = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": _text(self._client("webauthn.create", asked["challenge"])),
            "attestationObject": _text(statement),
        }
        return self._answer(response, {"credProps": {"rk": True}})

    def get(self, options: dict[str, Any]) -> str:
        """The answer to `navigator.credentials.get`."""
        asked = options["publicKey"]
        client, data = self._client("webauthn.get", asked["challenge"]), self._data(asked["rpId"])
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            "userHandle": _text(self.user_handle),
        }
        return self._answer(response, {})

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verified else 0)
        return sha256(rp_id.encode()).digest() + bytes([flags]) + b"\0\0\0\1"

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, str], extensions: dict[str, Any]) -> str:
        name = _text(self.credential_id)
        return json.dumps(
            {
                "type": "public-key",
                "id": name,
                "rawId": name,
                "response": response,
                "clientExtensionResults": extensions,
            }
        )


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
