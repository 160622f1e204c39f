"""What a browser sends for a passkey or security key: read without trust, kept without what it added."""

import json
import struct
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.core.exceptions import ValidationError
from fido2.utils import websafe_encode

T = TypeVar("T")
# What reading a forged or cut credential can raise. CBOR and JSON may be nested deeper than Python goes, and
# a key may be of a kind that nothing here can check.
UNREADABLE = (
    *(ValidationError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
    *(struct.error, RecursionError, NotImplementedError),
)


def read(text: str) -> Any:
    """The JSON of a credential. Raises ValueError, also for what is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def readable(check: Callable[[], T]) -> T:
    """What `check` says of a credential. Raises ValidationError where it cannot even be read."""
    try:
        return check()
    except ValidationError:
        raise
    except UNREADABLE as error:
        raise get_adapter().validation_error("incorrect_code") from error


def plain(credential: dict[str, Any]) -> dict[str, Any]:
    """A new credential with the parts that are needed and no others: whatever else it brought is not stored.

    Raises one of UNREADABLE.
    """
    properties = credential.get("clientExtensionResults", {}).get("credProps", {})
    resident = properties.get("rk")
    if not isinstance(resident, bool | None):
        raise TypeError("credProps.rk")
    made = auth.parse_registration_response(credential)
    if made.response.attestation_object.auth_data.credential_data is None:
        raise ValueError("no key")
    return {
        "id": websafe_encode(made.raw_id),
        "rawId": websafe_encode(made.raw_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(made.response.client_data),
            "attestationObject": websafe_encode(made.response.attestation_object),
        },
        # Not every browser says whether the key is one that signs in alone.
        "clientExtensionResults": {} if resident is None else {"credProps": {"rk": resident}},
    }


class CredentialField(forms.JSONField):
    """The hidden field of a credential."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """The credential. Raises ValidationError, also for what is nested too deep."""
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise get_adapter().validation_error("incorrect_code") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing: a credential counts once, so a page that is shown again holds none."""
        return None
