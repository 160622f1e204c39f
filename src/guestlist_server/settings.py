"""The server's settings. Whoever runs it sets environment variables; `environment` reads them."""

from pathlib import Path

from guestlist_server.environment import environment

HERE = Path(__file__).parent
ENV = environment()

SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = ENV.secret_key_fallbacks
DEBUG = False
ALLOWED_HOSTS = ENV.allowed_hosts
ROOT_URLCONF = "guestlist_server.urls"
WSGI_APPLICATION = "guestlist_server.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ar", "العربية")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "guestlist_server.accounts",
    "guestlist_server",
    "guestlist",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    *(provider.app for provider in ENV.providers),
    "ninja",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "guestlist_server.middleware.TrustedProxies",
    "guestlist_server.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "guestlist_server.middleware.ContentSecurityPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "guestlist_server.middleware.ApiCalls",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "guestlist_server.middleware.Errors",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "guestlist_server.middleware.Preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "guestlist_server.middleware.ProviderFailures",
]
TEMPLATES = [
    {
        "NAME": "guestlist",
        "BACKEND": "guestlist.templating.Templates",
        "DIRS": [ENV.data_dir / "templates", HERE / "jinja2"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["guestlist_server.accounts.context.account"]},
    },
]
FORM_RENDERER = "django.forms.renderers.Jinja2"

DATABASES = {"default": ENV.database}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "guestlist_server_cache",
        # With Django's 300, a few hundred guessers would throw one another's counts out.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = ENV.data_dir / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_BACKEND = ENV.email.backend
EMAIL_HOST = ENV.email.host
EMAIL_PORT = ENV.email.port
EMAIL_HOST_USER = ENV.email.user
EMAIL_HOST_PASSWORD = ENV.email.password
EMAIL_USE_TLS = ENV.email.starttls
EMAIL_USE_SSL = ENV.email.implicit_tls
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = ENV.data_dir / "mail"
# Last, so that nothing in EMAIL_URL takes its place.
ANYMAIL = {**ENV.email.anymail, "WEBHOOK_SECRET": ENV.webhook_secret}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from

GUESTLIST = {
    "URL": ENV.url,
    "EMAIL_FROM": ENV.email_from,
    "EMAIL_SENDING": ENV.email_sending,
    "EMAIL_CONNECTIONS": ENV.email_connections,
    "BOUNCES_TO": ENV.bounces_to,
    "INVITATION_LIFETIME": ENV.invitation_lifetime,
    "ADDRESSES": "guestlist_server.accounts.addresses",
    "SIGN_UP": "guestlist_server.accounts.sign_up.sign_up",
    "TWO_FACTOR": "guestlist_server.accounts.two_factor",
    "CREATE_ORGANIZATIONS": ENV.create_organizations,
    "LIMITS": ENV.limits,
    "WEBHOOK_NETWORKS": ENV.webhook_networks,
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {"user_attributes": ("name", "email")}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    ]
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "guestlist_server.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "guestlist_server.accounts.forms.ProfileForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "guestlist_server.accounts.adapter.user_display"
# Where no mail can be sent nobody could confirm anything.
ACCOUNT_EMAIL_VERIFICATION = "none" if ENV.email_sending == "off" else "mandatory"
# A code counts only in the session that asked for it. A link would confirm a stranger's claim as soon as a
# mail scanner opened it and pressed the button.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ENV.email_sending != "off"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Each code is a mail to an address that may be a stranger's.
ACCOUNT_RATE_LIMITS = {"confirm_email": "1/10s/key,10/h/key"}
ACCOUNT_FORMS = {
    "login": "guestlist_server.accounts.address_forms.LoginForm",
    "reset_password": "guestlist_server.accounts.address_forms.ResetPasswordForm",
    "confirm_email_verification_code": "guestlist_server.accounts.address_forms.ConfirmForm",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENV.secure else "http"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# REMOTE_ADDR is the client's already: the middleware TrustedProxies saw to it.
ALLAUTH_TRUSTED_PROXY_COUNT = 0
GUESTLIST_TRUSTED_PROXIES = ENV.trusted_proxies
GUESTLIST_SIGNUP = ENV.signup

MFA_ADAPTER = "guestlist_server.accounts.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", *(["webauthn"] if ENV.passkeys else [])]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "guestlist_server.accounts.key_form.AddKeyForm",
    "login_webauthn": "guestlist_server.accounts.key_form.LoginForm",
    "authenticate_webauthn": "guestlist_server.accounts.key_form.AuthenticateForm",
    "reauthenticate_webauthn": "guestlist_server.accounts.key_form.ReauthenticateForm",
}
MFA_TOTP_ISSUER = "Guestlist"
# A passkey cannot be guessed; an office behind one address has many people.
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
# One step of 30 seconds early or late: clocks of phones differ.
MFA_TOTP_TOLERANCE = 1
# An unverified address beside a second factor keeps nobody out: whoever proves the address takes it.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_ADAPTER = "guestlist_server.accounts.social.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {provider.id: provider.settings for provider in ENV.providers}
# Chromium applies the policy for forms to where an answer to one leads as well.
GUESTLIST_FORM_ACTIONS = [provider.host for provider in ENV.providers]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.secure
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [ENV.url]
CSRF_FAILURE_VIEW = "guestlist.web.stale_form.refuse"
# With no-referrer a browser sends `Origin: null` with every form, which CSRF protection has to refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.trusted_proxies else None
X_FRAME_OPTIONS = "DENY"
# A file that somebody chooses is read in memory; none reaches the disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 4_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
LOGGING_CONFIG = "guestlist_server.logs.configure"
LOGGING = {"level": ENV.log_level}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
