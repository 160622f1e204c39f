"""One connection to an SMTP server on which nothing takes longer than it may.

Python's smtplib limits the time of each read; a server that sends a byte a second would hold it for ever.
Here the greeting and each message have a deadline for everything together (RFC 5321, section 4.5.3.2, allows
far more, for servers that nobody waits for).
"""

import io
import smtplib
import time
from email.utils import parseaddr
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

# Seconds.
CONNECT_TIMEOUT = 30.0
MESSAGE_TIMEOUT = 120.0
QUIT_TIMEOUT = 5.0
# Bytes of one answer; an honest one has some hundred.
LONGEST_ANSWER = 100_000


class _Answers(io.RawIOBase):
    """What the server says, read before the connection's deadline."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        connection, sock = self.connection, self.connection.sock
        if sock is None:
            return 0
        sock.settimeout(connection.remaining())
        count = sock.recv_into(buffer)
        connection.answered += count
        if connection.answered > LONGEST_ANSWER:
            raise OSError("the answer does not end")
        return count


class Connection(smtplib.SMTP):
    """A connection in clear, or one that STARTTLS has made secure."""

    deadline = 0.0
    answered = 0
    # Whether the whole content of the message under way has left, so that it may arrive whatever comes.
    unclear = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self.allow(CONNECT_TIMEOUT)
        super().__init__(*args, **options)

    def allow(self, seconds: float) -> None:
        """Whatever comes next has so many seconds in all."""
        self.deadline = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds until the deadline. Raises TimeoutError behind it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds

    def getreply(self) -> tuple[int, bytes]:
        """One answer. Raises SMTPServerDisconnected, SMTPResponseException, and TimeoutError behind the
        deadline.
        """
        if self.file is None:
            self.file = io.BufferedReader(_Answers(self))
        self.answered = 0
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            if time.monotonic() >= self.deadline - 0.05:
                raise TimeoutError("the deadline has passed") from error
            raise

    def send(self, s: Any) -> None:
        """Send bytes before the deadline."""
        if self.sock is not None:
            self.sock.settimeout(self.remaining())
        super().send(s)

    def starttls(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Make the connection secure. Raises SMTPNotSupportedError where the server offers it and refuses."""
        try:
            return super().starttls(*args, **options)
        except smtplib.SMTPResponseException as error:
            raise smtplib.SMTPNotSupportedError(
                f"STARTTLS: {error.smtp_code} {error.smtp_error!r}"
            ) from error

    def deliver(self, sender: str, recipient: str, content: bytes) -> None:
        """Hand over one message of 7-bit lines that end in CRLF.

        Raises SMTPSenderRefused, SMTPRecipientsRefused, SMTPDataError; OSError and SMTPServerDisconnected
        where the connection was lost, `unclear` then says whether the message may have been delivered.
        """
        self.unclear = False
        self.allow(MESSAGE_TIMEOUT)
        self._envelope(sender, recipient, len(content))
        lines = content.replace(b"\r\n.", b"\r\n..")
        self.send(lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"))
        self.unclear = True
        code, text = self.getreply()
        self.unclear = False
        if code != 250:
            self._start_again(code)
            raise smtplib.SMTPDataError(code, text)

    def answers(self) -> bool:
        """Whether the server still answers."""
        self.allow(QUIT_TIMEOUT)
        try:
            return self.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            self.close()
            return False

    def hang_up(self) -> None:
        """End the connection; whatever the server says to that changes nothing."""
        self.allow(QUIT_TIMEOUT)
        try:
            self.quit()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _envelope(self, sender: str, recipient: str, size: int) -> None:
        """Sender, recipient and the start of the content, at once where the server allows it (RFC 2920)."""
        options = f" SIZE={size}" if self.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"]
        at_once = self.has_extn("pipelining")
        if at_once:
            self.send("".join(f"{command}\r\n" for command in commands))
        refusal: Exception | None = None
        for command, kind in zip(commands, ("sender", "recipient", "content"), strict=True):
            if not at_once:
                self.putcmd(command)
            code, text = self.getreply()
            if code == 354 and refusal:
                self.send(b".\r\n")  # nobody is to get it: an empty message ends what was begun
                self.getreply()
            refusal = refusal or _refusal(kind, code, text, sender, recipient)
            if refusal and (code == 421 or not at_once):
                break
        if refusal:
            self._start_again(code)
            raise refusal

    def _start_again(self, code: int) -> None:
        """What was refused is refused, even if the server is gone after it."""
        try:
            if code != 421 and self.sock is not None and self.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self.close()


class SecureConnection(Connection, smtplib.SMTP_SSL):
    """A connection that is secure from its first byte."""


class Backend(EmailBackend):
    """Django's SMTP backend, configured as the project configures it, over connections with deadlines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.timeout = min(self.timeout or CONNECT_TIMEOUT, CONNECT_TIMEOUT)

    @property
    def connection_class(self) -> type[Connection]:
        """What `open` makes."""
        return SecureConnection if self.use_ssl else Connection


def plain_address(text: str) -> str:
    """`guestlist@example.com` of `Guestlist <guestlist@example.com>`: what stands on the envelope."""
    return parseaddr(text)[1]


def _refusal(kind: str, code: int, text: bytes, sender: str, recipient: str) -> Exception | None:
    if kind == "content":
        return None if code == 354 else smtplib.SMTPDataError(code, text)
    if code in (250, 251):
        return None
    if kind == "sender":
        return smtplib.SMTPSenderRefused(code, text, sender)
    return smtplib.SMTPRecipientsRefused({recipient: (code, text)})
