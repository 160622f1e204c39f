"""Messages as bytes, drawn once for all that differ only in address and links.

Drawing a message takes a hundred times as long as filling one in, and several times as long as sending it.
"""

import quopri
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from django.core.mail import EmailMultiAlternatives
from markupsafe import escape

from guestlist.delivery.emails import Draft, draft_of, draw, personal_of, shared_key
from guestlist.models import Delivery

FORMS = 64
_LINE = 72
# An address that stands in a header as it is; whatever else goes the slow way, through Django's mailer.
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_BLANK = re.compile(r"Qx([a-z_]+)xQ")


class Renderer:
    """What one connection sends. Keeps the 64 forms that were used last."""

    def __init__(self) -> None:
        self.forms: OrderedDict[Hashable, _Form | None] = OrderedDict()

    def bytes_of(self, delivery: Delivery) -> bytes:
        """The message of a delivery, in lines that end in CRLF. Raises ValueError as `draft_of` does."""
        personal, headers = personal_of(delivery)
        to = personal.get("email", "")
        if not _PLAIN.fullmatch(to) or "=?" in to:
            return _drawn(draft_of(delivery))
        form = self._form(delivery)
        return form.fill(to, personal, headers) if form else _drawn(draft_of(delivery))

    def _form(self, delivery: Delivery) -> "_Form | None":
        key = shared_key(delivery)
        if key not in self.forms:
            self.forms[key] = _Form.of(draft_of(delivery))
            if len(self.forms) > FORMS:
                self.forms.popitem(last=False)
        self.forms.move_to_end(key)
        return self.forms[key]


class _Blank:
    """Stands for a value of which nothing is known yet: it can be shown and nothing else."""

    def __init__(self, name: str) -> None:
        self.mark = f"Qx{name}xQ"

    def __str__(self) -> str:
        return self.mark

    __html__ = __str__

    def __eq__(self, other: object) -> bool:
        raise TypeError("a template asks about what is filled in later")

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Form:
    """A message with blanks: its pieces, and the blank that follows each."""

    head: bytes
    pieces: tuple[tuple[bytes, str, Callable[[str], str]], ...]

    @classmethod
    def of(cls, draft: Draft) -> "_Form | None":
        """The form of which `draft` is one message; None where its templates do more than show what differs
        (a project's own may).
        """
        blanks: Any = {name: _Blank(name) for name in draft.personal}
        try:
            blank = draw(replace(draft, personal=blanks))
        except Exception:  # if the template itself is at fault, drawing a whole message will say so
            return None
        drawn = draw(draft)
        texts, real = _texts(blank), _texts(drawn)
        encodings: tuple[Callable[[str], str], ...] = (str, _escaped)
        for text, expected, encode in zip(texts, real, encodings, strict=True):
            if _BLANK.sub(lambda m, e=encode: e(draft.personal.get(m[1], "")), text) != expected:  # type: ignore[misc]
                return None
        return cls(*_pieces(blank, texts, encodings)) if blank.subject == drawn.subject else None

    def fill(self, to: str, personal: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """The message with these values."""
        own = {"To": to, "Date": formatdate(localtime=False), **headers}
        parts = ["".join(_header(*item) for item in own.items()).encode("ascii"), self.head]
        known: dict[str, bytes] = {}
        for literal, name, encode in self.pieces:
            parts.append(literal)
            if name:
                value = encode(personal[name])
                if value not in known:
                    known[value] = _broken(value)
                parts.append(known[value])
        return b"".join(parts)


def _header(name: str, value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"{name} would begin another line")
    return f"{name}: {value}\r\n" if len(name) + len(value) < 76 else f"{name}:\r\n {value}\r\n"


def _escaped(value: str) -> str:
    return str(escape(value))


def _drawn(draft: Draft) -> bytes:
    built: Any = draw(draft).message()
    return bytes(built.as_bytes(linesep="\r\n"))


def _texts(message: EmailMultiAlternatives) -> tuple[str, str]:
    return str(message.body), str(message.alternatives[0][0])


def _pieces(
    message: EmailMultiAlternatives, texts: tuple[str, str], encodings: tuple[Callable[[str], str], ...]
) -> tuple[bytes, tuple[tuple[bytes, str, Callable[[str], str]], ...]]:
    built: Any = message.message()
    parts: Any = built.get_payload()
    for name in ("To", "Date", "Message-ID", *(message.extra_headers or ())):
        del built[name]
    built.set_payload([])
    head = bytes(built.as_bytes(linesep="\r\n")).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    boundary = built.get_boundary()  # chosen while the head was written
    pieces: list[tuple[bytes, str, Callable[[str], str]]] = []
    for part, text, encode in zip(parts, texts, encodings, strict=True):
        part.set_payload("")
        opening = f"--{boundary}\r\n".encode() + bytes(part.as_bytes(linesep="\r\n"))
        pieces.append((opening.rstrip(b"\r\n") + b"\r\n\r\n", "", str))
        split = _BLANK.split(text)
        for literal, name in zip(split[::2], [*split[1::2], ""], strict=True):
            pieces.append((_quoted(literal), name, encode))
        pieces.append((b"\r\n", "", str))
    pieces.append((f"--{boundary}--\r\n".encode(), "", str))
    return head, tuple(pieces)


def _quoted(text: str) -> bytes:
    return quopri.encodestring(text.replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n")


def _broken(value: str) -> bytes:
    """A value on lines of its own, which the reader's program joins again (RFC 2045, section 6.7)."""
    room = _LINE // 3 if "=" in value else _LINE
    lines = [value[start : start + room].replace("=", "=3D") for start in range(0, len(value), room)]
    return "=\r\n".join(["", *lines, ""]).encode("ascii")
