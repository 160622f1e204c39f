"""A receiver of webhooks: a real HTTP server that remembers what it was called with, and answers as told."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import connections
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError


@dataclass(frozen=True)
class Called:
    """One call."""

    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def email(self) -> str:
        return str(self.message["data"].get("email"))

    def verify(self, secret: str) -> Any:
        """What the library of Standard Webhooks makes of it. Raises where it is not genuine."""
        return Verifier(secret).verify(self.body, self.headers)


class Receiver:
    """`answer(call, socket)` gives a status, or that with headers, or writes to the socket itself and gives
    None. `calls` are all, `taken` those that were answered with 2xx. Once it is told the `secret` it verifies
    each call as it comes, and closing it raises AssertionError if one was not genuine.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.calls: list[Called] = []
        self.taken: list[Called] = []
        self.forged: list[Called] = []
        self.secret = ""
        self.connections = 0
        self.answer: Callable[[Called, socket.socket], Any] = lambda call, wire: 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    outer.take(self, Called(self.path, headers, body))
                finally:
                    connections.close_all()  # an answer may have changed rows meanwhile

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.scheme = "https" if tls else "http"
        if tls:
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks"

    def take(self, handler: BaseHTTPRequestHandler, call: Called) -> None:
        self.calls.append(call)
        if self.secret:
            try:
                call.verify(self.secret)  # now: its timestamp may be five minutes off
            except WebhookVerificationError:
                self.forged.append(call)
        answer = self.answer(call, handler.connection)
        if answer is None:
            handler.close_connection = True
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if 200 <= status < 300:
            self.taken.append(call)
        body = b"" if status == 204 else b"as you say"
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
        assert self.forged == []


def drip(data: bytes, seconds: float) -> Callable[[Called, socket.socket], None]:
    """An answer of which one byte comes each `seconds`."""

    def answer(call: Called, wire: socket.socket) -> None:
        for number in range(len(data)):
            wire.sendall(data[number : number + 1])
            time.sleep(seconds)

    return answer
