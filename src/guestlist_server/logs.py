"""One line per thing that happened: JSON for machines, words on a terminal. No line holds a secret link."""

import logging
import re
import select
import sys
from logging.config import dictConfig
from typing import Any

import structlog

from guestlist.links import mask_token

# Links that need no token's prefix to open something: first run, password reset.
_CODES = re.compile(r"(/setup/|/password/reset/key/)[^\s/?#\"'\\]+")
_TOKENS = re.compile(r"(gl[a-z]_)[A-Za-z0-9_-]{16,}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `config["level"]` is the least severe level that is written."""
    level = config.get("level", "INFO")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": {"()": lambda: Lines(shared)}},
            "handlers": {"stderr": {"()": Patient, "formatter": "lines"}},
            "root": {"handlers": ["stderr"], "level": level},
            # The request log says it already, with the request's id.
            "loggers": {"django.request": {"level": "ERROR"}, "httpx": {"level": "WARNING"}},
        }
    )


class Patient(logging.StreamHandler[Any]):
    """Writes to standard error. A pipe that nobody empties may lose lines, but does not stop the work."""

    patience = 1.0

    def emit(self, record: logging.LogRecord) -> None:
        """Wait a second for room, and from then on not at all until there is some."""
        if self._has_room():
            super().emit(record)

    def _has_room(self) -> bool:
        poll = select.poll()
        try:
            poll.register(self.stream.fileno(), select.POLLOUT)
        except (OSError, ValueError):  # no file: whoever reads it reads it from memory
            return True
        has_room = bool(poll.poll(self.patience * 1000))
        self.patience = 1.0 if has_room else 0.0
        return has_room


class Lines(structlog.stdlib.ProcessorFormatter):
    """Whatever was logged, by us or by a library, with its tokens cut, as valid UTF-8 on one line."""

    def __init__(self, shared: list[Any]) -> None:
        terminal = sys.stderr.isatty()
        super().__init__(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if terminal else [structlog.processors.format_exc_info]),
                structlog.dev.ConsoleRenderer(colors=False)
                if terminal
                else structlog.processors.JSONRenderer(sort_keys=False),
            ],
            foreign_pre_chain=shared,
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return mask(super().format(record))


def mask(text: str) -> str:
    """`text` without what opens an account or an invitation, and without control characters."""
    text = _TOKENS.sub(r"\1…", mask_token(text))
    text = _CODES.sub(r"\1…", text)
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
