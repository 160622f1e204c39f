"""A mail server that takes everything as fast as it can, in a process of its own.

`python sink.py PORT`. Beside SMTP it knows `STAT`: how many messages came, and when the first and the last of
them did, by the clock that all processes of a machine share; and `ZERO`: count anew.
"""

import asyncio
import sys
import time


class Sink(asyncio.Protocol):
    """One connection."""

    messages, first, last = 0, 0.0, 0.0

    def connection_made(self, transport):
        self.transport, self.buffer, self.in_content = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data):
        self.buffer += data
        answers = []
        while (answer := self.next_answer()) is not None:
            answers.append(answer)
        self.transport.write(b"".join(answers))

    def next_answer(self):
        end = b"\r\n.\r\n" if self.in_content else b"\r\n"
        line, found, rest = self.buffer.partition(end)
        if not found:
            return None
        self.buffer = rest
        if self.in_content:
            self.in_content = False
            self.count()
            return b"250 taken\r\n"
        return self.to_command(line.upper())

    def to_command(self, line):
        if line.startswith(b"EHLO"):
            return b"250-sink\r\n250-PIPELINING\r\n250-SIZE 30000000\r\n250 8BITMIME\r\n"
        if line == b"DATA":
            self.in_content = True
            return b"354 go on\r\n"
        if line == b"STAT":
            return b"250 %d %r %r\r\n" % (Sink.messages, Sink.first, Sink.last)
        if line == b"ZERO":
            Sink.messages = 0
        return b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n"

    @staticmethod
    def count():
        Sink.last = time.monotonic()
        if not Sink.messages:
            Sink.first = Sink.last
        Sink.messages += 1


async def main(port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
