"""Two-factor and passkeys, tied to the configured public address and to the secret key."""

import base64
import secrets
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from guestlist.conf import conf


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keys belong to the public address from configuration; secrets are stored encrypted."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The public address' host, never the request's."""
        return {"id": urlsplit(conf().url).hostname or "", "name": "Guestlist"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  (allauth's name)
        """“Passkey”, “Passkey 2” and so on."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey") if not count else _("Passkey %(number)s") % {"number": count + 1}

    def encrypt(self, text: str) -> str:
        """So that a copy of the database makes no codes."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """With the secret key, or one of its fallbacks. What was made with a lost key fits no code."""
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()


def _fernet() -> MultiFernet:
    return MultiFernet(
        [Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


def _key(secret: str) -> bytes:
    derived = HKDF(SHA256(), 32, None, b"guestlist.two-factor").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
