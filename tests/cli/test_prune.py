"""Messages that nobody needs to know of any more."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from guestlist.actions import pruning
from guestlist.models import Delivery, Event, Invitation

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)


@pytest.fixture
def sent(run, organization):
    """Invites people whose mail has left and whose invitation was revoked, a year ago."""

    def send(*emails, **changes):
        run("invitations", "send", "northwind", *emails)
        run("invitations", "revoke", "northwind", *emails)
        rows = Delivery.objects.filter(key__in=emails)
        ago = {"created_at": F("created_at") - YEAR}
        rows.update(**{"state": "sent", "next_at": None, **ago, **changes})

    return send


def left():
    return sorted(Delivery.objects.values_list("key", flat=True))


def test_old_messages_of_ended_invitations_are_deleted_and_nothing_else(run, sent):
    sent("jane@example.com", "john@example.com")
    events = Event.objects.count()
    result = run("prune")
    assert (result.exit_code, result.stdout) == (0, "2 messages deleted.\n")
    assert left() == []
    rows = Invitation.objects.for_display().order_by("key")
    assert [row.as_resource()["delivery"] for row in rows] == [None, None]
    assert Event.objects.count() == events
    assert run("prune", "--json").data == {"deleted": 0}


def test_what_is_owed_or_pending_or_young_is_kept(run, sent):
    sent("owed@example.com", state="deferred", next_at=F("created_at"))
    sent("young@example.com", created_at=F("created_at") - timedelta(days=179))
    run("invitations", "send", "northwind", "pending@example.com")
    ago = {"created_at": F("created_at") - YEAR}
    Delivery.objects.filter(key="pending@example.com").update(state="sent", next_at=None, **ago)
    assert run("prune").stdout == "0 messages deleted.\n"
    assert left() == ["owed@example.com", "pending@example.com", "young@example.com"]


def test_a_marked_address_stays_marked_and_one_that_recovered_stays_so(run, sent):
    sent("gone@example.com", state="bounced", hard=True)
    sent("back@example.com", state="bounced", hard=True)
    sent("back@example.com", created_at=F("created_at"))
    warnings = ("invitations", "send", "northwind", "gone@example.com", "back@example.com", "--dry-run")
    before = run(*warnings, "--json").data
    assert [each.get("warnings") for each in before["results"]] == [["bounced_before"], None]
    assert run("prune", "--json").data == {"deleted": 0}
    assert run(*warnings, "--json").data == before


def test_a_mark_of_another_organization_keeps_nothing(run, sent, beta):
    sent("jane@example.com")
    run("invitations", "send", "beta", "jane@example.com")
    theirs = Delivery.objects.filter(organization=beta)
    theirs.update(state="bounced", hard=True, next_at=None)
    assert run("prune", "--json").data == {"deleted": 1}
    assert theirs.exists()


def test_a_dry_run_says_how_many_and_deletes_nothing(run, sent):
    sent("jane@example.com")
    assert run("prune", "--dry-run").stdout == "1 message would be deleted.\n"
    assert run("prune", "--dry-run", "--json").data == {"would_delete": 1}
    assert left() == ["jane@example.com"]


def test_the_age_can_be_said_and_is_at_least_a_month(run, sent):
    sent("jane@example.com")
    assert run("prune", "--older-than", "400d").stdout == "0 messages deleted.\n"
    refused = run("prune", "--older-than", "29d", "--json")
    assert (refused.exit_code, refused.data["code"]) == (1, "too_soon")
    assert run("prune", "--older-than", "soon").exit_code == 2
    assert run("prune", "--older-than", "never").exit_code == 2
    assert left() == ["jane@example.com"]


def test_a_batch_takes_as_many_statements_for_one_as_for_ten(sent, monkeypatch):
    sent(*(f"p{n}@example.com" for n in range(10)))

    def prune(batch):
        monkeypatch.setattr(pruning, "BATCH", batch)
        with CaptureQueriesContext(connection) as queries:
            deleted = next(pruning.prune_deliveries(older_than=timedelta(days=180)))
        return deleted, len(queries)

    (one, statements), (rest, as_many) = prune(1), prune(100)
    assert (one, rest) == (1, 9)
    assert statements == as_many


def test_batches_follow_each_other(sent, monkeypatch):
    sent(*(f"p{n}@example.com" for n in range(5)))
    kept = Delivery.objects.order_by("pk")[2:3].get()
    Delivery.objects.filter(pk=kept.pk).update(state="queued", next_at=kept.created_at)
    monkeypatch.setattr(pruning, "BATCH", 2)
    assert list(pruning.prune_deliveries(older_than=timedelta(days=180))) == [2, 1, 1]
    assert left() == [kept.key]
