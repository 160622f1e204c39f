"""The WSGI application, for granian, gunicorn and others."""

import os
import signal
import threading
import time

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from guestlist_server.chunked import Chunked
from guestlist_server.turns import Turns

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
# On SQLite one thread works; on PostgreSQL another one can while the first waits for an answer.
turns = Turns(get_wsgi_application(), 1 if connection.vendor == "sqlite" else 2)
# Before a turn, so that nobody waits for a slow client.
application = Chunked(turns, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def end_with(server: int) -> None:
    """End this process when the one that started it is gone, so that no port stays taken."""
    while os.getppid() == server:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if server_pid := os.environ.get("GUESTLIST_SERVER_PID"):  # `guestlist serve` started it
    threading.Thread(target=end_with, args=(int(server_pid),), daemon=True).start()
