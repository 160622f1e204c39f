"""The same thing done at the page, over REST and on the command line ends in the same rows.

Each scenario of `scenarios.py`, which says how to add one, is played once for each door on equal databases.
What then stands in any table of Guestlist has to be equal but for who did it, and so has what was answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from guestlist.actions.webhooks import create_webhook
from guestlist.actors import Actor, Origin
from guestlist.models import ApiKey, Invitation, Organization
from guestlist.models.invitation import NEVER
from tests.conftest import actor_of
from tests.doors.doors import Answer, CommandLine, Page, Reconcile, Rest, Send, SendFile
from tests.doors.givens import WORDS
from tests.doors.rows import Look, Tables
from tests.doors.scenarios import SCENARIOS, Scenario, Step
from tests.headcounts import assert_headcounts_hold

pytestmark = pytest.mark.django_db
USUAL_HOURS = 7 * 24
Door = Page | Rest | CommandLine


@dataclass(frozen=True)
class Played:
    """What came of a scenario at one door. `wholes` are the answers in JSON, told like rows; `events` are the
    types of what was written down, `calls` of what the webhook is owed.
    """

    door: str
    before: Tables
    after: Tables
    answers: list[Answer]
    wholes: list[Any]
    invitations: list[str]
    events: list[str]
    calls: list[str]


@pytest.fixture
def doors(organization, alice, bob, make_key, as_user, limit) -> list[Door]:
    """The three; limits, which the operator does not have, are off for the others too. A webhook is told."""
    limit()
    create_webhook(actor=actor_of(alice), organization=organization, url="https://1.1.1.1/hooks")
    secret = make_key(organization)
    key = ApiKey.objects.get()
    return [
        Page(as_user(bob), actor_of(bob)),
        Rest(secret, Actor("api_key", str(key.pk), key.name, origin=Origin("api"))),
        CommandLine(Actor.operator()),
    ]


@contextmanager
def undone() -> Iterator[None]:
    """Nothing that happens within stays."""
    cache.clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def play(scenario: Scenario, door: Door, organization: Organization) -> Played:
    """The scenario at one door, on a database that is as it was afterwards."""
    with undone():
        for word, *values in scenario.given:
            WORDS[word](Organization.objects.get(pk=organization.pk), *values)
        before = Look()
        answers = [do(door, step) for step in scenario.steps]
        after = Look()
        assert_headcounts_hold()
        rows = Invitation.objects.for_display().filter(organization=organization).order_by("pk")
        return Played(
            door.name,
            before.told(),
            after.told_by(door.actor, before),
            answers,
            [answer.whole and after.answer(answer.whole, door.actor) for answer in answers],
            [summary(row) for row in rows],
            after.new_types("event", before),
            after.new_types("webhookdelivery", before),
        )


def do(door: Door, step: Step) -> Answer:
    """One step."""
    match step:
        case Send():
            return door.send(step)
        case SendFile():
            return door.send_file(step)
        case Reconcile():
            assert not isinstance(door, Page), "say without=NO_FORM"
            return door.reconcile(step)
    return door.change(step)


def summary(row: Invitation) -> str:
    """`jane@acme.test pending canceled queued, de, 36 hours`: the states of the mails to the invited in their
    order, and what is not as the server has it.
    """
    mails = row.deliveries.filter(kind="invitation").order_by("pk").values_list("state", flat=True)
    left = round((row.expires_at - timezone.now()) / timedelta(hours=1))
    lasts = "never" if row.expires_at == NEVER else f"{left} hours"
    usual = row.status_now != "pending" or left == USUAL_HOURS
    words = [row.language] * bool(row.language) + [lasts] * (not usual)
    return ", ".join((" ".join((row.email, row.status_now, *mails)), *words))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_doors_end_in_the_same_rows(scenario, doors, organization):
    assert_all_the_same(scenario, doors, organization)


def test_without_mail_the_doors_end_in_the_same_rows(doors, organization, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    scenario = next(each for each in SCENARIOS if each.name == "every standing gets its own answer")
    played = assert_all_the_same(scenario, doors, organization)
    assert [one.wholes[0] and one.wholes[0]["warnings"] for one in played] == [
        None,
        ["email_not_configured"],
        ["email_not_configured"],
    ]


def assert_all_the_same(scenario: Scenario, doors: list[Door], organization: Organization) -> list[Played]:
    """As the table says at each door, and the same at all of them."""
    played = [play(scenario, door, organization) for door in doors if door.name not in scenario.without]
    for one in played:
        assert_as_written(scenario, one)
    first = played[0]
    for other in played[1:]:
        assert other.before == first.before
        assert other.after == first.after
        assert_same_answers(first, other)
    return played


def assert_as_written(scenario: Scenario, one: Played) -> None:
    """What the table says by hand."""
    for answer, told in zip(one.answers, scenario.answers, strict=True):
        refused = answer.counts is None
        assert refused == told.startswith("refused: "), one.door
        assert answer.short in (told, None), one.door
    assert one.invitations == list(scenario.invitations), one.door
    assert one.events == one.calls == list(scenario.events), one.door
    assert (one.after == one.before) == (not scenario.events), one.door


def assert_same_answers(first: Played, other: Played) -> None:
    """Where both doors tell something, they tell the same."""
    for one, two in zip(first.answers, other.answers, strict=True):
        for part in ("counts", "status", "sentence", "code"):
            said = [getattr(answer, part) for answer in (one, two)]
            assert None in said or said[0] == said[1], part
    for one, two in zip(first.wholes, other.wholes, strict=True):
        assert None in (one, two) or one == two
