"""A mail server that takes everything as fast as it can, in a process of its own.

`python -m bench.sink PORT`. Beside SMTP it knows `STAT`: how many messages came, and when the first and the
last of them did, by the clock that all processes of a machine share; and `ZERO`: count anew.
"""

import asyncio
import contextlib
import os
import smtplib
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.install import ROOT
from bench.processes import Failed, free_port, running


@dataclass
class Sink:
    """The server as others see it."""

    port: int
    control: smtplib.SMTP

    @property
    def url(self) -> str:
        """As `EMAIL_URL` says it."""
        return f"smtp://127.0.0.1:{self.port}"

    def zero(self) -> None:
        """Count anew."""
        self.control.docmd("ZERO")

    def stat(self) -> tuple[int, float, float]:
        """How many messages came, and when the first and the last of them did."""
        many, first, last = self.control.docmd("STAT")[1].split()
        return int(many), float(first), float(last)

    def wait_for(self, many: int, seconds: float = 120) -> float:
        """The time between the first and the last message. Raises Failed."""
        end = time.monotonic() + seconds
        while (stat := self.stat())[0] < many:
            if time.monotonic() > end:
                raise Failed(f"only {stat[0]} of {many} messages came")
            time.sleep(0.05)
        return stat[2] - stat[1]


@contextlib.contextmanager
def sinking(folder: Path) -> Iterator[Sink]:
    """A sink that runs."""
    port, log = free_port(), folder / "log"
    with running([sys.executable, "-m", "bench.sink", str(port)], os.environ, log, ROOT) as process:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        else:
            raise Failed(f"process {process.pid} does not listen on {port}")
        with smtplib.SMTP("127.0.0.1", port) as control:
            yield Sink(port, control)


class Connection(asyncio.Protocol):
    """One connection of the server."""

    messages, first, last = 0, 0.0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer, self.in_content = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer all that is whole, at once."""
        self.buffer += data
        answers = []
        while (answer := self._next_answer()) is not None:
            answers.append(answer)
        self.transport.write(b"".join(answers))

    def _next_answer(self) -> bytes | None:
        end = b"\r\n.\r\n" if self.in_content else b"\r\n"
        line, found, rest = self.buffer.partition(end)
        if not found:
            return None
        self.buffer = rest
        if self.in_content:
            self.in_content = False
            self._count()
            return b"250 taken\r\n"
        return self._to_command(line.upper())

    def _to_command(self, line: bytes) -> bytes:
        kind = Connection
        if line.startswith(b"EHLO"):
            return b"250-sink\r\n250-PIPELINING\r\n250-SIZE 30000000\r\n250 8BITMIME\r\n"
        if line == b"DATA":
            self.in_content = True
            return b"354 go on\r\n"
        if line == b"STAT":
            return b"250 %d %r %r\r\n" % (kind.messages, kind.first, kind.last)
        if line == b"ZERO":
            kind.messages = 0
        return b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n"

    @staticmethod
    def _count() -> None:
        Connection.last = time.monotonic()
        if not Connection.messages:
            Connection.first = Connection.last
        Connection.messages += 1


async def main(port: int) -> None:
    """Until somebody ends the process."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
