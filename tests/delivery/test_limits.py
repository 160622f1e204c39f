"""Mail to one address from many organizations: it waits, and nobody learns of the others."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist.actions.invitations import send_invitations
from guestlist.actions.organizations import create_organization
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.models import Delivery, Event, Organization
from tests.api.conftest import ApiClient
from tests.delivery.conftest import make_due

JANE = "jane@acme.test"
pytestmark = pytest.mark.django_db


@pytest.fixture
def organizations(alice):
    """Twelve, all of Alice's."""
    return [
        create_organization(actor=Actor.operator(), name=f"Guild {i}", slug=f"guild-{i}", owner=alice)
        for i in range(12)
    ]


def test_the_eleventh_organizations_mail_waits_and_its_answer_is_like_any_other(
    smtp, mailbox, drain, organizations, make_key
):
    calls = [ApiClient(make_key(each)) for each in organizations]
    urls = [f"{each.slug}/invitations" for each in organizations]
    first, *others = [call("POST", url, {"emails": [JANE]}) for call, url in zip(calls, urls, strict=True)]
    assert {response.status_code for response in (first, *others)} == {201}
    assert len({tuple(response.data["results"][0]) for response in (first, *others)}) == 1
    drain()
    assert mailbox.addresses == [JANE] * 10
    waiting = Delivery.objects.owed()
    assert [(row.state, row.attempts) for row in waiting] == [("deferred", 0)] * 2
    oldest = Delivery.objects.filter(state="sent").order_by("at").first()
    assert {row.next_at for row in waiting} == {oldest.at + timedelta(days=1)}
    assert not Event.objects.filter(type="invitation.failed").exists()
    last = calls[11]("GET", urls[11]).data["items"][0]
    assert (last["status"], last["sent_count"]) == ("pending", 1)
    told = str(last) + str(list(waiting.values_list("detail", "history")))
    assert not any(each.name in told or each.slug in told for each in organizations[:11])


def test_what_waited_leaves_when_there_is_room(smtp, mailbox, drain, organizations):
    for each in organizations:
        send_invitations(actor=Actor.operator(), organization=each, parsed=parse_items([JANE]))
    drain()
    Delivery.objects.filter(state="sent").update(at=F("at") - timedelta(days=1))
    make_due()
    drain()
    assert mailbox.addresses == [JANE] * 12


def test_mail_to_others_does_not_wait(smtp, mailbox, drain, organizations):
    for each in organizations:
        send_invitations(
            actor=Actor.operator(), organization=each, parsed=parse_items([JANE, f"{each.slug}@acme.test"])
        )
    drain()
    assert len(mailbox.addresses) == 10 + 12
    assert Organization.objects.count() == 12
