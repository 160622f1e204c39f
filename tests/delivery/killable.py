"""Workers that can be killed: a process that has imported everything forks one for each line that it reads.

`python -m tests.delivery.killable DATABASE PORT CONNECTIONS` answers each line with the pid of a new worker,
and with one more line once that has ended.
"""

import os
import subprocess
import sys
import threading
from typing import IO, cast

from django.db import connection


class Forge:
    """Starts workers that send through `port`, on the database of the test."""

    def __init__(self, port: int, connections: int = 1) -> None:
        name = str(connection.settings_dict["NAME"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.delivery.killable", name, str(port), str(connections)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stdin = cast("IO[str]", self.process.stdin)
        self.stdout = cast("IO[str]", self.process.stdout)

    def __enter__(self) -> "Forge":
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        self.process.wait(10)
        self.stdout.close()

    def start(self) -> int:
        """The pid of a new worker."""
        self.stdin.write("one more\n")
        self.stdin.flush()
        return int(self.stdout.readline())

    def wait(self) -> int:
        """Wait for the end of the worker; what ended it, as a negative number."""
        return int(self.stdout.readline())


def main(name: str, port: str, connections: str) -> None:
    """Fork workers until standard input ends."""
    import django
    from django.conf import settings

    django.setup()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.GUESTLIST |= {"EMAIL_SENDING": "send", "EMAIL_CONNECTIONS": int(connections)}
    from guestlist.delivery.worker import run_worker

    for _ in sys.stdin:
        if not (pid := os.fork()):
            run_worker(threading.Event(), poll=0.05)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    main(*sys.argv[1:])
