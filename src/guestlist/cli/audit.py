"""The audit log on the command line: list it, export it, prove that it is whole."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer
from django.utils.dateparse import parse_date, parse_datetime

from guestlist import errors
from guestlist.actions.audit import Filters, Log
from guestlist.actions.audit_proof import Verdict, broken_guards, verify, verify_all
from guestlist.cli import completion, output
from guestlist.csv_lines import csv_lines
from guestlist.events import TYPES
from guestlist.models import Event, Organization
from guestlist.models.fields import timestamp
from guestlist.models.listing import COUNT_LIMIT

app = output.group("Read the audit log, export it, prove that nothing is missing.")
Type = Annotated[
    str,
    typer.Option(
        "--type",
        help="Only this type, such as invitation.sent.",
        autocompletion=completion.choices(*sorted(TYPES)),
    ),
]
Person = Annotated[str, typer.Option(help="Only by or about whoever has this name or address.")]
Since = Annotated[str, typer.Option(metavar="TIME", help="Only from then on: 2026-03-01, in UTC.")]


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


class InvalidTime(errors.GuestlistError):
    """“{text}” is not a time. Write for example 2026-03-01 or 2026-03-01T14:05Z."""

    code, status, field = "invalid_time", 422, "since"


@app.command("list", epilog=output.example("audit list northwind --type member.removed --since 2026-03-01"))
def list_(
    slug: output.Slug,
    type_: Type = "",
    person: Person = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=1, help="No more than that many.")] = 50,
    as_json: output.Json = False,
) -> None:
    """List events, the newest first."""
    with output.refusals(as_json=as_json):
        log = _log(slug, type_, person, since)
        read = list(islice(log.all(), limit + 1))
        found = read[:limit]
        total = log.capped_count() if as_json else None
    if as_json:
        following = str(found[-1].number) if len(read) > limit else None
        total = total if total is not None and total <= COUNT_LIMIT else None
        items = [event.as_resource() for event in found]
        output.print_json({"items": items, "next_cursor": following, "total": total})
    elif found:
        output.print_table(("NUMBER", "WHEN", "WHO", "WHAT", "SUBJECT", "FROM"), [_row(e) for e in found])
    else:
        output.say("There are no such events.")


@app.command(epilog=output.example("audit export northwind --format jsonl > northwind.jsonl"))
def export(
    slug: output.Slug,
    format_: Annotated[Format, typer.Option("--format", help="csv or jsonl.")] = Format.JSONL,
    type_: Type = "",
    person: Person = "",
    since: Since = "",
) -> None:
    """Print the whole log, the oldest first, as CSV or with one JSON object to a line."""
    with output.refusals(as_json=False):
        log = _log(slug, type_, person, since)
        events = output.progress(
            log.all(oldest_first=True), label="Events", length=log.count(), shown=output.is_piped()
        )
        for part in _csv(events) if format_ == Format.CSV else _json_lines(events):
            typer.echo(part, nl=False)


@app.command("verify", epilog=output.example("audit verify", "audit verify northwind"))
def verify_(
    slug: Annotated[str, typer.Argument(metavar="[ORG]", help="One organization; all without.")] = "",
    as_json: output.Json = False,
) -> None:
    """Prove that no event is missing and that none can be changed or deleted."""
    with output.refusals(as_json=as_json):
        verdicts = (
            filter(None, [verify(output.find_organization(slug))]) if slug else _verify_all(as_json=as_json)
        )
        found, verified = [], 0
        for verdict in verdicts:
            verified += 1
            if as_json or not verdict.whole:
                found.append(verdict)
        problems = broken_guards()
    if as_json:
        ok = not problems and all(verdict.whole for verdict in found)
        answer = {"ok": ok, "problems": problems, "items": [verdict.as_resource() for verdict in found]}
        output.print_json(answer)
    else:
        ok = not problems and not found
        _say(found, problems, verified)
    raise typer.Exit(0 if ok else 1)


def _verify_all(*, as_json: bool) -> Iterator[Verdict]:
    number = Organization.objects.count()
    return output.progress(verify_all(), label="Organizations", length=number, shown=not as_json)


def _say(broken: list[Verdict], problems: list[str], verified: int) -> None:
    for verdict in broken:
        output.say(f"PROBLEM  {verdict.organization.slug}: {_wrong(verdict)}")
    for problem in problems:
        output.say(f"PROBLEM  {problem}")
    if not broken and not problems:
        what = "The audit log is" if verified == 1 else f"The audit logs of {verified} organizations are"
        output.say(f"{what} whole, and can only grow.")


def _wrong(verdict: Verdict) -> str:
    ranges = ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in verdict.missing)
    parts = []
    if ranges:
        parts.append(f"missing of {verdict.last} events: {ranges}{' and more' if verdict.more else ''}")
    if verdict.unknown:
        parts.append(f"{verdict.unknown} too many, the last number is {verdict.last}")
    return "; ".join(parts)


def _log(slug: str, type_: str, person: str, since: str) -> Log:
    organization = output.find_organization(slug)
    if type_ and type_ not in TYPES:
        raise errors.InvalidFilter(field="type", value=output.shown(type_), choices=", ".join(sorted(TYPES)))
    return Log(organization, Filters(type=type_, person=output.shown(person), since=moment(since)))


def moment(text: str) -> datetime | None:
    """A time, or the beginning of a day, in UTC unless it says otherwise."""
    if not text:
        return None
    try:
        day = parse_date(text)
        at = parse_datetime(f"{day}T00:00:00") if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None or not 1900 < at.year < 9999:
        raise InvalidTime(text=output.shown(text))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _csv(events: Iterator[Event]) -> Iterator[bytes]:
    return csv_lines(Event.HEADER, (event.as_row() for event in events))


def _json_lines(events: Iterator[Event]) -> Iterator[str]:
    return (json.dumps(event.as_resource()) + "\n" for event in events)


def _row(event: Event) -> tuple[str, ...]:
    at = (timestamp(event.at) or "")[:19].replace("T", " ")
    where = f"{event.door} {event.ip or ''}".strip()
    return str(event.number), at, event.actor_name, event.type, event.subject_name, where
