"""A minimal project on django-organizations and django-invitations, as their documentation sets them up."""

import os

POSTGRESQL, SQLITE = os.environ.get("POSTGRESQL"), os.environ.get("SQLITE")
SECRET_KEY = os.environ["SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "urls"
LOGIN_URL = "/login/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "organizations",
    "invitations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
if POSTGRESQL:
    HOST, _, NAME = POSTGRESQL.rpartition("/")
    DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": HOST, "NAME": NAME, "USER": "guestlist"}
else:
    DATABASE = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SQLITE,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
DATABASES = {"default": {**DATABASE, "CONN_MAX_AGE": None}}
# Its mails go nowhere: only what a request does is measured.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INVITATIONS_ALLOW_JSON_INVITES = True
INVITATIONS_CONFIRM_INVITE_ON_GET = True
INVITATIONS_ACCEPT_INVITE_AFTER_SIGNUP = False
INVITATIONS_SIGNUP_REDIRECT = "/ping"
