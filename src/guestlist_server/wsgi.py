"""The WSGI application, for granian, gunicorn and others."""

import os
import signal
import threading
import time

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
application = get_wsgi_application()


def end_with(server: int) -> None:
    """End this process when the one that started it is gone, so that no port stays taken."""
    while os.getppid() == server:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if server_pid := os.environ.get("GUESTLIST_SERVER_PID"):  # `guestlist serve` started it
    threading.Thread(target=end_with, args=(int(server_pid),), daemon=True).start()
