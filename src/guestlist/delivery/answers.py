"""What an answer of a mail server, or its silence, means for a message. `detail` is a sentence to read."""

import re
import smtplib
import ssl
import sys
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.utils.translation import gettext as _

# What servers say when it is the pace that they refuse and not the message.
_PACE = re.compile(r"\brate\b|too (many|fast|much)|per (second|minute|hour)|throttl|slow down|4\.7\.28", re.I)
# Neither is part of an IP address.
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.])([245])(\d\d)(?!\.?\d)")
# What the enhanced status says is about the address (RFC 3463): 5.0 nothing more, 5.1 the address, of 5.2 not
# a full mailbox. The rest is about servers, routes, contents and policies; 5.4.1 is how some say "unknown".
_ABOUT_ADDRESS = re.compile(r"5\.(0|1)\.\d+|5\.2\.[01]|5\.4\.1")


class Meaning(Enum):
    """Which messages an answer concerns."""

    REFUSED = "this message, for good"
    LATER = "this message, for now"
    BUSY = "this message, for now, and perhaps all"
    TOO_FAST = "this message, for a moment, and the pace of all"
    LOST = "the connection, before the message had left"
    UNCLEAR = "the connection, once the message had left: it may have been delivered"
    TROUBLE = "every message: nothing can be sent now"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read. `hard`: the address does not work."""

    meaning: Meaning
    detail: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be sent, and how long to leave the server alone: at first, and at most."""

    reason: str
    shortest: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=1)


def read_answer(error: Exception, *, unclear: bool = False) -> Answer:
    """What `error`, raised while one message was being sent, means; `unclear` where all of it had left."""
    if answer := _provider_answer(error) or _smtp_answer(error):
        return answer
    if isinstance(error, smtplib.SMTPServerDisconnected | OSError):
        return _lost(error, unclear=unclear)
    return Answer(Meaning.REFUSED, _("This message could not be sent: %s") % _words(error))


def is_hard(words: str) -> bool | None:
    """Whether a server's words, with an enhanced status (`5.1.1`) or a reply code in them, say for good that
    the address does not work. None where there is neither.
    """
    if statuses := list(_STATUS.finditer(words)):
        # A general status comes with a precise one in the words beside it.
        precise = next((s for s in statuses if s[2] != "0"), statuses[0])
        return bool(_ABOUT_ADDRESS.fullmatch(precise[0]))
    reply = _REPLY.search(words)
    return reply and reply[1] == "5" and reply[0] != "552"


def read_trouble(error: Exception) -> Trouble:
    """Why the mail server cannot be used at all."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return refused_sign_in(_("The mail server refused the sign-in: %s") % _words(error))
        case smtplib.SMTPNotSupportedError() if "AUTH" in str(error):
            return refused_sign_in(_("The mail server takes no sign-in: %s") % _words(error))
        case ssl.SSLError() | smtplib.SMTPNotSupportedError():
            return Trouble(_("The mail server offers no secure connection (TLS): %s") % _words(error))
        case TimeoutError():
            return Trouble(_("The mail server did not answer in time."))
        case smtplib.SMTPResponseException():
            return Trouble(_("The mail server takes no messages now: %s") % _words(error))
    return Trouble(_("The mail server can’t be reached: %s") % _words(error))


def without_addresses(text: str) -> str:
    """A server's words about one message as everybody on this server may read them."""
    return re.sub(r"\S*@\S*", "…", text)


def refused_sign_in(reason: str) -> Trouble:
    """Somebody has to change something, and servers lock out whoever keeps trying."""
    return Trouble(reason, shortest=timedelta(minutes=1), longest=timedelta(minutes=15))


def _smtp_answer(error: Exception) -> Answer | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        words = _said(code, text)
        return _by_code(code, words, Meaning.LATER, hard=bool(is_hard(words)))
    if isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code >= 500 and error.smtp_code != 552:
        # It is our sender that is refused, so every message would be.
        return Answer(Meaning.TROUBLE, _("The mail server refused the sender: %s") % _words(error))
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, _words(error), Meaning.BUSY)
    return None


def _by_code(code: int, words: str, later: Meaning, *, hard: bool = False) -> Answer:
    if code == 530:
        return Answer(Meaning.TROUBLE, _("The mail server asks for a sign-in: %s") % words)
    if code >= 500 or code < 400:
        return Answer(Meaning.REFUSED, _("The mail server refused the message: %s") % words, hard)
    # 4.2 is about the mailbox, which may be the one that gets too much; an address may hold any word.
    # 421 ends the connection, and a new one may well go on.
    pace = _PACE.search(re.sub(r"\S*@\S*", "", words)) and not re.search(r"\b4\.2\.\d|^421", words)
    meaning = Meaning.TOO_FAST if pace else later
    return Answer(meaning, _("The mail server asked to try again later: %s") % words)


def _lost(error: Exception, *, unclear: bool) -> Answer:
    if isinstance(error, TimeoutError):
        why = _("The mail server stopped answering.")
    else:
        why = _("The connection to the mail server was lost: %s") % _words(error)
    if not unclear:
        return Answer(Meaning.LOST, why)
    return Answer(Meaning.UNCLEAR, f"{why} {_('The message may have been delivered.')}")


def _provider_answer(error: Exception) -> Answer | None:
    raised_by = sys.modules.get("anymail.exceptions")  # loaded by whoever mails through a provider
    if raised_by is None:
        return None
    if isinstance(error, raised_by.AnymailRecipientsRefused):
        why = _("The mail provider refused the address: %s") % _words(error)
        return Answer(Meaning.REFUSED, why, hard=True)
    if isinstance(error, raised_by.AnymailAPIError):
        code = getattr(error, "status_code", None)
        if code is None:
            return _lost(error, unclear=not _was_not_reached(error))
        if code in (401, 403):
            return Answer(Meaning.TROUBLE, _("The mail provider refused the sign-in: %s") % _words(error))
        if 400 <= code < 500 and code != 429:
            return Answer(Meaning.REFUSED, _("The mail provider refused the message: %s") % _words(error))
        meaning = Meaning.TOO_FAST if code == 429 else Meaning.BUSY
        return Answer(meaning, _("The mail provider asked to try again later: %s") % _words(error))
    return None


def _was_not_reached(error: Exception) -> bool:
    """Whether a provider's server heard nothing at all of the message."""
    text = repr(error.__cause__ or error)
    return any(name in text for name in ("ConnectTimeout", "NewConnectionError", "NameResolutionError"))


def _words(error: Exception) -> str:
    """The server's own words, on one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    return _one_line(str(error)) or type(error).__name__


def _said(code: int, text: bytes | str) -> str:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _one_line(f"{code} {text}" if code >= 200 else text)


def _one_line(text: str) -> str:
    # Without what cannot be seen, reverses the text or breaks the line.
    seen = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text[:2_000])
    return " ".join(seen.split())[:400]
