"""Addresses whose mail came back, or was unwanted, are said to be before they are invited again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist.actions.batches import Selection
from guestlist.actions.invitations import preview_invitations, revoke_invitations, send_invitations
from guestlist.actions.reports import note_report
from guestlist.addresses import parse_addresses
from guestlist.models import Delivery, Invitation
from tests.actions.test_send_invitations import send
from tests.cli.conftest import run  # noqa: F401  (a fixture)
from tests.conftest import actor_of


def preview(organization, user, text):
    parsed = parse_addresses(text)
    return preview_invitations(actor=actor_of(user), organization=organization, parsed=parsed)


def happened(organization, user, outcome="bounced", email="jane@acme.test", *, hard=True, again=True):
    """The newest mail to the address met that; unless told, its invitation is revoked."""
    send(organization, user, email)
    Delivery.objects.filter(state="queued").update(state="sent", next_at=None)
    mail = Delivery.objects.filter(organization=organization, key=email).order_by("pk").last()
    note_report(delivery_id=mail.pk, outcome=outcome, detail="550 5.1.1 no such user", hard=hard)
    if again:
        chosen = Selection(ids=[str(mail.invitation_id)])
        revoke_invitations(actor=actor_of(user), organization=organization, selection=chosen)


def warnings(batch):
    return {r["email"]: r.get("warnings") for r in batch.as_resource()["results"]}


@pytest.mark.parametrize(
    ("outcome", "warning"), [("bounced", "bounced_before"), ("complained", "complained_before")]
)
def test_preview_and_result_say_so_and_the_mail_goes(organization, alice, outcome, warning):
    happened(organization, alice, outcome)
    text = "jane@acme.test, sue@acme.test"
    expected = {"jane@acme.test": [warning], "sue@acme.test": None}
    assert warnings(preview(organization, alice, text)) == expected
    batch = send(organization, alice, text)
    assert warnings(batch) == expected
    assert batch.sent == 2


def test_an_address_that_was_refused_in_the_conversation_is_marked(organization, alice):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Delivery.objects.update(state="failed", hard=True, next_at=None, detail="550 no")
    Invitation.objects.filter(pk=row.pk).update(status="revoked", ended_at=row.invited_at)
    assert warnings(preview(organization, alice, "JANE@acme.test")) == {"JANE@acme.test": ["bounced_before"]}


def test_a_passing_bounce_marks_nobody(organization, alice):
    happened(organization, alice, hard=False)
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": None}


def test_who_is_still_invited_is_marked_as_well(organization, alice):
    happened(organization, alice, again=False)
    batch = preview(organization, alice, "jane@acme.test")
    assert [o.outcome for o in batch.outcomes] == ["already_invited"]
    assert warnings(batch) == {"jane@acme.test": ["bounced_before"]}


def test_what_happened_elsewhere_marks_nobody_here(organization, beta, alice, dora):
    happened(beta, dora)
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": None}
    assert warnings(preview(beta, dora, "jane@acme.test")) == {"jane@acme.test": ["bounced_before"]}


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_later_mail_that_did_not_come_back_takes_the_mark_away(organization, alice, state):
    happened(organization, alice)
    send(organization, alice, "jane@acme.test")
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": ["bounced_before"]}
    Delivery.objects.filter(state="queued").update(state=state, next_at=None)
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": None}


def test_the_same_mail_sent_once_more_takes_the_mark_away(organization, alice):
    happened(organization, alice)
    Delivery.objects.update(state="sent")
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": None}


def test_the_newest_mail_decides_what_is_said(organization, alice):
    happened(organization, alice, "complained")
    happened(organization, alice, "bounced")
    assert warnings(preview(organization, alice, "jane@acme.test")) == {"jane@acme.test": ["bounced_before"]}


def test_those_nobody_was_told_of_are_held_back_and_the_numbers_add_up(organization, alice):
    happened(organization, alice)
    happened(organization, alice, email="joe@acme.test")
    parsed = parse_addresses("jane@acme.test, joe@acme.test, sue@acme.test, x@y, sue@acme.test")
    batch = send_invitations(
        actor=actor_of(alice), organization=organization, parsed=parsed, seen=["joe@acme.test"]
    )
    assert [o.outcome for o in batch.outcomes] == ["held", "sent", "sent", "invalid", "duplicate"]
    assert str(batch) == "2 invitations sent. 1 held back. 1 listed twice. 1 to fix."
    pending = Invitation.objects.filter(status="pending").values_list("key", flat=True)
    assert set(pending) == {"joe@acme.test", "sue@acme.test"}


@pytest.mark.parametrize("number", [1, 300])
def test_marks_take_the_same_statements_for_one_and_for_many(organization, alice, number):
    text = "\n".join(f"p{person}@acme.test" for person in range(number))
    send(organization, alice, text)
    Delivery.objects.update(state="bounced", hard=True, next_at=None)
    with CaptureQueriesContext(connection) as queries:
        preview(organization, alice, text)
    asked = [q["sql"] for q in queries if 'FROM "guestlist_delivery"' in q["sql"]]
    assert len(asked) == 3


def test_the_command_line_says_so_and_sends(organization, alice, run):  # noqa: F811
    happened(organization, alice)
    for words in (("--dry-run",), ()):
        result = run("invitations", "send", "northwind", "jane@acme.test", *words)
        assert "  jane@acme.test: bounced before: 550 5.1.1 no such user\n" in result.stdout
        assert result.exit_code == 0
    assert Invitation.objects.filter(key="jane@acme.test", status="pending").exists()
