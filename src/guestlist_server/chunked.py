"""Bodies that come in chunks, whose length no header tells: Django would take them for empty."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Chunked:
    """A WSGI application that reads such a body first; of one beyond `limit` just enough to be refused."""

    def __init__(self, application: Application, limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as if the body had come with its length."""
        if environ.pop("HTTP_TRANSFER_ENCODING", None) and environ.get("wsgi.input_terminated"):
            body = b""
            while part := environ["wsgi.input"].read(self.limit + 1 - len(body)):
                body += part
                if len(body) > self.limit:
                    break
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self.application(environ, start_response)
