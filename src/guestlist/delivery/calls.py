"""One HTTP call of a webhook: to the very address that was checked, in a bounded time, with little read."""

import logging
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpcore
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions.webhook_calls import Answer
from guestlist.delivery.targets import addresses_of
from guestlist.names import clean_line
from guestlist.webhook_targets import Target, target_of

# Seconds.
CONNECT, WHOLE = 5.0, 15.0
MOST_READ, MOST_KEPT = 64 * 1024, 1_000
_SLICE = 16 * 1024
log = logging.getLogger(__name__)


class Caller:
    """Calls one webhook, over one connection as long as that lasts. Redirects are not followed, and no proxy
    is asked.
    """

    def __init__(self, url: str) -> None:
        self.url, self.target = url, target_of(url)
        self.network = _Network(self.target)
        self.pool = httpcore.ConnectionPool(
            ssl_context=_tls(), max_connections=1, retries=0, network_backend=self.network
        )

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self.pool.close()

    def post(self, headers: Mapping[str, str], body: str) -> Answer:
        """Send the body; what came back, or why nothing did."""
        began = time.monotonic()
        self.network.until = began + WHOLE
        try:
            status, answered, text = self._exchange(headers, body.encode())
            refusal, wait = _refusal(status, answered), _asked_wait(answered)
        except errors.GuestlistError as error:
            return Answer(time.monotonic() - began, detail=str(error))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Answer(time.monotonic() - began, detail=_why(error))
        except Exception as error:
            log.exception("A webhook could not be called.")
            return Answer(time.monotonic() - began, detail=_why(error))
        return Answer(time.monotonic() - began, status, text, refusal, wait)

    def _exchange(self, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], str]:
        url = httpcore.URL(
            scheme=self.target.scheme, host=self.target.host, port=self.target.port, target=self.target.path
        )
        own = {
            "Host": self.target.authority,
            "User-Agent": "Guestlist-Webhooks",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Accept-Encoding": "identity",
        }
        with self.pool.stream(
            "POST", url, headers=[*own.items(), *headers.items()], content=body
        ) as response:
            answered = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            return response.status, answered, _start_of(response.iter_stream())


class _Network(httpcore.NetworkBackend):
    """Connects to no address but those that were checked a moment ago, and to nothing after `until`."""

    def __init__(self, target: Target) -> None:
        self.target, self.until = target, 0.0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address of the name, within five seconds in all."""
        until = min(self.until, time.monotonic() + CONNECT)
        failure: Exception = httpcore.ConnectTimeout()
        for address in addresses_of(self.target, seconds=until - time.monotonic()):
            if (left := until - time.monotonic()) <= 0:
                break
            try:
                return _Stream(self, httpcore.SyncBackend().connect_tcp(address, port, left), until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection that holds to the time of the whole call, however little comes at a time."""

    def __init__(self, network: _Network, stream: httpcore.NetworkStream, connected_by: float) -> None:
        self.network, self.stream, self.connected_by = network, stream, connected_by

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self._left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            self.stream.write(buffer[start : start + _SLICE], self._left(httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = max(self.connected_by - time.monotonic(), 0.001)
        secure = self.stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(self.network, secure, self.connected_by)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)

    def _left(self, late: type[httpcore.TimeoutException]) -> float:
        left = self.network.until - time.monotonic()
        if left <= 0:
            raise late
        return left


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The authorities that this machine trusts; reading them takes a while."""
    return httpcore.default_ssl_context()


def _start_of(stream: Iterable[bytes]) -> str:
    """The first characters of an answer, as it came: nothing is unpacked. The rest is not read."""
    read = bytearray()
    for chunk in stream:
        read += chunk
        if len(read) >= MOST_READ:
            break
    text = bytes(read[: 4 * MOST_KEPT]).decode("utf-8", "replace")[:MOST_KEPT]
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _refusal(status: int, headers: Mapping[str, str]) -> str:
    """Why this is a failure; empty where it is none."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        where = clean_line(headers.get("location", ""), 200)
        return _(
            "The receiver answered %(status)s, which leads elsewhere (%(where)s). That is not followed."
        ) % {
            "status": status,
            "where": where,
        }
    return _("The receiver answered %s.") % status


def _asked_wait(headers: Mapping[str, str]) -> timedelta | None:
    """`Retry-After` in seconds or as a date; None where it is neither, or a date that there is not."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**6))
    with suppress(ValueError, TypeError, OverflowError):
        until = parsedate_to_datetime(text)
        return max(until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC), timedelta())
    return None


def _why(error: Exception) -> str:
    match error:
        case httpcore.ConnectTimeout():
            return _("The receiver can’t be reached: no connection within 5 seconds.")
        case httpcore.TimeoutException():
            return _("The receiver did not answer in full within 15 seconds.")
        case httpcore.ConnectError() if any(isinstance(each, ssl.SSLError) for each in error.args):
            return _("There is no secure connection (TLS) to the receiver: %s") % _words(error)
        case httpcore.ConnectError():
            return _("The receiver can’t be reached: %s") % _words(error)
        case httpcore.ProtocolError():
            return _("The receiver’s answer can’t be understood: %s") % _words(error)
    return _("The connection to the receiver was lost: %s") % _words(error)


def _words(error: Exception) -> str:
    return clean_line(str(error), 300) or type(error).__name__
