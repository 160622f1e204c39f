"""An SMTP server that misbehaves as a test tells it, over bare sockets."""

import asyncio
import contextlib
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.delivery.script import Answer, Drop, Moment, Received, Silence, Slowly, is_refusal

CAPABILITIES = ("PIPELINING", "SIZE 30000000", "8BITMIME", "ENHANCEDSTATUSCODES")
STEPS = ("connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "content", "RSET", "NOOP", "QUIT")
_USUAL = {
    "connect": "220 faulty.test ESMTP",
    "STARTTLS": "220 2.0.0 Go ahead",
    "AUTH": "235 2.7.0 Accepted",
    "DATA": "354 End with a dot",
    "content": "250 2.0.0 Taken",
    "QUIT": "221 2.0.0 Bye",
}


class FaultyServer:
    """`at[step]` is what it answers; `before[step]` and `after[step]` are called around that answer."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, starttls: bool = True) -> None:
        self.tls, self.starttls = tls, starttls
        self.at: dict[str, Answer] = {}
        self.before: dict[str, Callable[[Moment], object]] = {}
        self.after: dict[str, Callable[[Moment], object]] = {}
        self.capabilities: tuple[str, ...] = CAPABILITIES
        # RFC 2920 allows to ask for the content though no recipient was taken.
        self.asks_for_content_of_nothing = False
        self.messages: list[Received] = []
        self.moments: list[Moment] = []
        self.connections = 0
        self.open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "FaultyServer":
        self._thread.start()
        self._listening = self._run(self._listen())
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def use(self, settings: Any, **values: Any) -> None:
        """Let Guestlist send through this server."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", self.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "send"}
        for name, value in values.items():
            setattr(settings, name, value)

    @property
    def recipients(self) -> Counter[str]:
        """How often each address got a message."""
        return Counter(message.recipient for message in self.messages)

    def ids(self, recipient: str) -> set[str]:
        """The Message-IDs of what an address got."""
        return {message.message_id for message in self.messages if message.recipient == recipient}

    def steps(self, step: str) -> list[Moment]:
        """Every time it came to this step."""
        return [moment for moment in self.moments if moment.step == step]

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        context = None if self.starttls else self.tls
        return await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context, limit=2**24)

    async def _end(self) -> None:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the sockets close
        await self._loop.shutdown_default_executor()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections, self.open = self.connections + 1, self.open + 1
        secure = self.tls is not None and not self.starttls
        talk = _Conversation(self, reader, writer, Moment(self.connections, secure=secure))
        try:
            # The other end may be killed at any moment.
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError, ssl.SSLError):
                await talk.run()
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()


@dataclass
class _Conversation:
    """One connection."""

    server: FaultyServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    moment: Moment

    async def run(self) -> None:
        if not await self.answer("connect", ""):
            return
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").strip()
            step = {"HELO": "EHLO"}.get(text[:8].split(" ")[0].upper(), text[:8].split(" ")[0].upper())
            self._note(step, text)
            if not await self.answer(step, text) or step == "QUIT":
                return
            if not await self._after(step):
                return

    def _note(self, step: str, text: str) -> None:
        if step in ("MAIL", "RSET", "EHLO"):
            self.moment.has_sender = self.moment.has_recipient = False
        if step == "MAIL":
            self.moment.sender = _address(text)
        elif step == "RCPT":
            self.moment.recipient = _address(text)

    async def answer(self, step: str, line: str, content: bytes = b"") -> bool:
        """Whether the connection goes on."""
        moment, server = self.moment, self.server
        moment.step, moment.line, moment.content = step, line, content
        server.moments.append(Moment(**vars(moment)))
        self.said = said = self._chosen(step)
        if step == "content" and moment.has_recipient and not is_refusal(said):
            self._take()
        await self._call(server.before.get(step))
        taken = str(said).startswith("2")
        moment.has_sender = taken if step == "MAIL" else moment.has_sender
        moment.has_recipient = taken if step == "RCPT" else moment.has_recipient
        goes_on = await self._say(said)
        await self._call(server.after.get(step))
        return goes_on

    async def _call(self, hook: Callable[[Moment], object] | None) -> None:
        if hook:
            await asyncio.to_thread(hook, self.moment)

    def _chosen(self, step: str) -> Answer:
        said = self.server.at.get(step)
        while callable(said):
            said = said(self.moment)
        if said is not None:
            return said
        if step == "EHLO":
            return self._capabilities()
        return self._out_of_order(step) or _USUAL.get(step, "250 2.0.0 Ok")

    def _out_of_order(self, step: str) -> str:
        moment = self.moment
        if step == "RCPT" and not moment.has_sender:
            return "503 5.5.1 MAIL comes first"
        if step == "content" and not moment.has_recipient:
            return "554 5.5.1 No valid recipients"
        asks = moment.has_recipient or self.server.asks_for_content_of_nothing
        return "554 5.5.1 No valid recipients" if step == "DATA" and not asks else ""

    def _capabilities(self) -> str:
        lines = ["faulty.test", *self.server.capabilities]
        if self.server.tls and self.server.starttls and not self.moment.secure:
            lines.append("STARTTLS")
        return "\n".join(f"250{'-' if line != lines[-1] else ' '}{line}" for line in lines)

    async def _say(self, said: Answer) -> bool:
        match said:
            case Silence():
                await asyncio.sleep(3600)
            case Drop(words):
                if words:
                    await self._write(_wire(words))
                return False
            case Slowly(words, seconds):
                for byte in _wire(words):
                    await self._write(bytes([byte]))
                    await asyncio.sleep(seconds)
            case bytes():
                await self._write(said)
            case str():
                await self._write(_wire(said))
                return not said.startswith("421")
        return True

    async def _after(self, step: str) -> bool:
        if step == "STARTTLS" and self.said == _USUAL["STARTTLS"] and self.server.tls:
            await self.writer.start_tls(self.server.tls)
            self.moment.secure = True
        elif step == "DATA" and str(self.said).startswith("354"):
            goes_on = await self.answer("content", "", await self._content())
            self.moment.number += self.moment.has_recipient
            self.moment.has_sender = self.moment.has_recipient = False
            return goes_on
        return True

    async def _content(self) -> bytes:
        first = await self.reader.readline()
        if first == b".\r\n":
            return b""
        return first + (await self.reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")

    def _take(self) -> None:
        now, moment = time.monotonic(), self.moment
        message = Received(
            now, moment.connection, moment.secure, moment.sender, moment.recipient, moment.content
        )
        self.server.messages.append(message)

    async def _write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


def _wire(words: str) -> bytes:
    return words.replace("\n", "\r\n").encode("utf-8") + b"\r\n"


def _address(line: str) -> str:
    found = re.search(r"<([^>]*)>", line)
    return found[1] if found else ""
