"""Another project: its user model has as little as Django allows, every page asks for a sign-in, it writes
Jinja2 itself, and Guestlist lives under /people/.
"""

from website.settings import *  # noqa: F403

INSTALLED_APPS = ["club", "people", *INSTALLED_APPS[2:]]  # noqa: F405  (without the admin)
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]  # noqa: F405
TEMPLATES += [{"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True}]  # noqa: F405
AUTH_USER_MODEL = "club.User"
ROOT_URLCONF = "website.urls_club"
GUESTLIST = {"URL": "https://www.example.com/people", "CREATE_ORGANIZATIONS": "anyone"}

from django.utils.translation import gettext_lazy as _  # noqa: E402

GUESTLIST["PERMISSIONS"] = {"invoice.approve": _("Approve invoices.")}
