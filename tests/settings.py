"""The server's settings, in a data folder of its own, with the hasher and storage that tests can afford."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_DATA = Path(tempfile.mkdtemp(prefix="guestlist-tests-"))
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)
os.environ["GUESTLIST_DATA_DIR"] = str(_DATA)
for _name in ("GUESTLIST_URL", "EMAIL_URL", "GUESTLIST_BIND", "GUESTLIST_SIGNUP", "GUESTLIST_OIDC"):
    os.environ.pop(_name, None)

from guestlist_server.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
(_DATA / "static").mkdir()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
# Passkeys without a browser, and an identity provider without a network.
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
INSTALLED_APPS = [*INSTALLED_APPS, "allauth.socialaccount.providers.dummy"]  # noqa: F405
LOGGING_CONFIG = None
