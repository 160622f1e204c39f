"""What an answer of a mail server, or its silence, means for a message. `detail` is a sentence to read."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext as _

try:
    from anymail.exceptions import (
        AnymailAPIError,
        AnymailRecipientsRefused,
    )
except ImportError:  # only a server configured for a provider needs it
    AnymailAPIError = AnymailRecipientsRefused = None

_UNSEEN = re.compile(r"[^\x21-\x7e\xa0-\ud7ff\ue000-\U0010ffff]+")


class Meaning(Enum):
    """Which messages an answer concerns."""

    REFUSED = "this message, for good"
    LATER = "this message, for now"
    LOST = "the connection, once something was under way"
    TROUBLE = "every message: nothing can be sent now"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read."""

    meaning: Meaning
    detail: str


def read_answer(error: Exception) -> Answer:
    """What `error`, raised while one message was being sent, means."""
    for read in (_provider_answer, _smtp_answer, _lost):
        if answer := read(error):
            return answer
    return Answer(Meaning.REFUSED, _("This message could not be sent: %s") % _words(error))


def read_trouble(error: Exception) -> str:
    """Why the mail server cannot be used at all, as a sentence."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return _("The mail server refused the sign-in: %s") % _words(error)
        case ssl.SSLError() | smtplib.SMTPNotSupportedError():
            return _("The mail server offers no secure connection: %s") % _words(error)
        case TimeoutError():
            return _("The mail server did not answer in time.")
        case smtplib.SMTPResponseException():
            return _("The mail server takes no messages now: %s") % _words(error)
    return _("The mail server can’t be reached: %s") % _words(error)


def _smtp_answer(error: Exception) -> Answer | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _by_code(code, _said(code, text))
    if isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code >= 500:
        # It is our sender that is refused, so every message would be.
        return Answer(Meaning.TROUBLE, _("The mail server refused the sender: %s") % _words(error))
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, _words(error))
    return None


def _by_code(code: int, words: str) -> Answer:
    if code == 421:
        return Answer(Meaning.LOST, _("The mail server ended the connection: %s") % words)
    if code >= 500:
        return Answer(Meaning.REFUSED, _("The mail server refused the message: %s") % words)
    return Answer(Meaning.LATER, _("The mail server asked to try again later: %s") % words)


def _lost(error: Exception) -> Answer | None:
    if isinstance(error, TimeoutError):
        why = _("The mail server stopped answering; the message may have been delivered.")
        return Answer(Meaning.LOST, why)
    if isinstance(error, smtplib.SMTPServerDisconnected | OSError) and not _is_reply(error):
        why = _("The connection to the mail server was lost; the message may have been delivered: %s")
        return Answer(Meaning.LOST, why % _words(error))
    return None


def _is_reply(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)


def _provider_answer(error: Exception) -> Answer | None:
    if AnymailRecipientsRefused is None:
        return None
    if isinstance(error, AnymailRecipientsRefused):
        return Answer(Meaning.REFUSED, _("The mail provider refused the address: %s") % _words(error))
    if isinstance(error, AnymailAPIError):
        code = getattr(error, "status_code", None)
        if code in (401, 403):
            return Answer(Meaning.TROUBLE, _("The mail provider refused the sign-in: %s") % _words(error))
        if code is not None and 400 <= code < 500 and code != 429:
            return Answer(Meaning.REFUSED, _("The mail provider refused the message: %s") % _words(error))
        return Answer(Meaning.LATER, _("The mail provider asked to try again later: %s") % _words(error))
    return None


def _words(error: Exception) -> str:
    """The server's own words, on one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    return _one_line(str(error)) or type(error).__name__


def _said(code: int, text: bytes | str) -> str:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _one_line(f"{code} {text}")


def _one_line(text: str) -> str:
    return _UNSEEN.sub(" ", text).strip()[:400]
