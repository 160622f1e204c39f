"""The WSGI application, for granian, gunicorn and others."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
application = get_wsgi_application()
