"""`guestlist doctor`: what is wrong with a server, and what to do about it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from typing import Any, Literal

import django
from django.core.exceptions import ImproperlyConfigured

Level = Literal["ok", "warning", "problem"]
# Lifetimes are days; the codes of authenticator apps are good for half a minute.
MOST_APART = 5
OVERDUE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. A warning is worth knowing and stops nothing."""

    check: str
    level: Level
    detail: str

    @property
    def ok(self) -> bool:
        """Whether the server can do its work all the same."""
        return self.level != "problem"

    def as_resource(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"ok": self.ok}


class Warn(Exception):
    """Worth knowing."""


class Problem(Exception):
    """Something does not work."""


def examine() -> Iterator[Finding]:
    """Every finding; without a configuration that can be read, only that."""
    for check in (configuration, database, clock, mail, sender, queue, sending, bounces):
        finding = _finding(check)
        yield finding
        # The others need both.
        if check in (configuration, database) and not finding.ok:
            return


def configuration() -> str:
    """The settings can be read, and the checks of the app find no error."""
    django.setup()
    from django.conf import settings
    from django.core.checks import ERROR, run_checks

    if errors := [message.msg for message in run_checks() if message.level >= ERROR]:
        raise ImproperlyConfigured(" ".join(errors))
    return f"people reach the server at {settings.ENV.url}; data is in {settings.ENV.data_dir}"


def database() -> str:
    """The database answers, and is up to date."""
    from django.db import connection

    from guestlist_server.health import unapplied_migrations

    if missing := unapplied_migrations():
        raise Problem(f"{len(missing)} migrations are missing; run `guestlist migrate`")
    return f"{connection.vendor}, up to date"


def clock() -> str:
    """This machine and the database agree about the time."""
    ahead = seconds_ahead()
    if abs(ahead) <= MOST_APART:
        return "this machine and the database agree"
    which, other = ("this machine", "the database") if ahead > 0 else ("the database", "this machine")
    raise Problem(
        f"the clock of {which} is {abs(ahead):.0f} seconds ahead of that of {other}; "
        "let both follow a time server, for example with chrony"
    )


def mail() -> str:
    """The mail server lets us in."""
    from django.conf import settings
    from django.core.mail import get_connection

    from guestlist.delivery.answers import read_trouble

    if settings.ENV.email_sending == "capture":
        return f"captured, shown at {settings.ENV.url}/outbox (EMAIL_URL is not set)"
    if settings.ENV.email_sending == "off":
        raise Problem("EMAIL_URL is not set, so nothing is sent; set it to your mail server")
    connection = get_connection()
    try:
        connection.open()
        if smtp := getattr(connection, "connection", None):
            smtp.noop()
    except Exception as error:
        raise Problem(f"EMAIL_URL: {read_trouble(error).reason}") from error
    finally:
        connection.close()
    return f"{settings.ENV.email.host or settings.EMAIL_BACKEND} takes messages"


def sender() -> str:
    """The domain in `From` exists, and says who may send for it."""
    from guestlist.conf import conf
    from guestlist_server.sender_domain import domain_of, is_public, missing_records, takes_mail

    domain = domain_of(conf().email_from)
    if _nothing_leaves() or not is_public(domain):
        return f"{domain} is not looked up"
    try:
        reachable, missing = takes_mail(domain), missing_records(domain)
    except LookupError as error:
        raise Warn(f"{domain} could not be looked up: {error}") from error
    if not reachable:
        raise Problem(
            f"{domain} takes no mail, so bounces and answers go nowhere and many servers refuse what it "
            "sends; set GUESTLIST_EMAIL_FROM to an address that exists"
        )
    if missing:
        raise Warn(
            f"{domain} has no record for {' and '.join(missing)}, so mail may end up as spam; "
            "publish what your mail provider names"
        )
    return f"{domain} takes mail, and has records for SPF and DMARC"


def queue() -> str:
    """What is due leaves soon."""
    from guestlist.actions.mail_queue import queue_trouble
    from guestlist_server.metrics import oldest_due_seconds

    age = timedelta(seconds=round(oldest_due_seconds()))
    if _sending() == "off":
        return "waits until mail is configured"
    if age > OVERDUE and queue_trouble():
        raise Problem(f"a message has been due for {age}, because nothing can be sent; see below")
    if age > OVERDUE:
        raise Problem(f"a message has been due for {age}; is a worker running? Start `guestlist worker`")
    return "nothing is overdue"


def sending() -> str:
    """Mail leaves at all."""
    from guestlist.actions.mail_queue import queue_trouble

    if (trouble := queue_trouble()) is None or trouble.failing_since is None:
        return "no trouble"
    since = trouble.failing_since.astimezone(UTC)
    raise Problem(
        f"no mail has left since {since:%Y-%m-%d %H:%M} UTC: {trouble.reason} "
        "Mend that; a worker that is started again tries at once"
    )


def bounces() -> str:
    """Mail that comes back is noticed."""
    from django.conf import settings

    from guestlist.conf import conf

    if _nothing_leaves():
        return "nothing leaves, so nothing comes back"
    if conf().bounces_to:
        return f"reports go to {conf().bounces_to}"
    if settings.ENV.webhook_secret:
        return "the mail provider reports them"
    raise Warn(
        "mail that comes back stays unseen; set GUESTLIST_BOUNCES_TO, or GUESTLIST_EMAIL_WEBHOOK_SECRET "
        "where a provider reports them"
    )


def seconds_ahead() -> float:
    """By how much this machine’s clock is ahead of the database’s."""
    from django.db import connection

    epoch = {
        "postgresql": "SELECT extract(epoch FROM clock_timestamp())::float8",
        "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    }[connection.vendor]
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute(epoch)
        theirs = float(cursor.fetchone()[0])
        return (before + time.time()) / 2 - theirs


def _finding(check: Callable[[], str]) -> Finding:
    name = check.__name__
    try:
        return Finding(name, "ok", check())
    except Warn as error:
        return Finding(name, "warning", str(error))
    except Exception as error:
        return Finding(name, "problem", " ".join(str(error).split()) or type(error).__name__)


def _sending() -> str:
    from guestlist.conf import conf

    return conf().email_sending


def _nothing_leaves() -> bool:
    return _sending() != "send"
