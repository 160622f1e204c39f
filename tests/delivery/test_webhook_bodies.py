"""What webhooks are told: each type of event with its subject as REST shows it at that moment."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F

from guestlist.actions.acceptance import accept_invitation, decline_invitation
from guestlist.actions.batches import Selection
from guestlist.actions.expiry import expire_due
from guestlist.actions.invitations import resend_invitation, revoke_invitations
from guestlist.actions.members import change_role, leave_organization, remove_member
from guestlist.actions.organizations import update_organization
from guestlist.actions.reports import note_report
from guestlist.actions.roles import create_role, delete_role, update_role
from guestlist.models import Delivery, Invitation, Membership, Organization, Role, WebhookDelivery
from guestlist.webhook_messages import TYPES
from tests.api.conftest import ApiClient
from tests.conftest import actor_of, deliver_due, make_user
from tests.delivery.webhook_script import call_due, secret_of

pytestmark = pytest.mark.django_db(transaction=True)


class Story:
    """What is done so that each thing happens; afterwards the path of what it happened to."""

    def __init__(self, organization, alice, invite, deliver):
        self.organization, self.alice = organization, alice
        self.actor, self.invite, self.deliver = actor_of(alice), invite, deliver
        self.own = {"actor": self.actor, "organization": organization}

    def tell(self, kind):
        return getattr(self, kind.replace(".", "_"))()

    def invitation(self):
        [row] = self.invite("jane@acme.test")
        return row

    def _member(self):
        jane, row = make_user("jane@acme.test", "Jane"), self.invitation()
        accept_invitation(actor=actor_of(jane), invitation=row)
        return jane, Membership.objects.get(user=jane)

    def invitation_sent(self):
        return f"/invitations/{self.invitation().pk}"

    def invitation_resent(self):
        row = self.invitation()
        Invitation.objects.update(last_sent_at=F("last_sent_at") - timedelta(hours=1))
        resend_invitation(**self.own, invitation_id=row.pk)
        return f"/invitations/{row.pk}"

    def _reported(self, outcome):
        row = self.invitation()
        self.deliver()
        mail = Delivery.objects.get(invitation=row)
        note_report(delivery_id=mail.pk, outcome=outcome, detail="550 5.1.1 unknown", hard=True)
        return f"/invitations/{row.pk}"

    def invitation_delivered(self):
        return self._reported("delivered")

    def invitation_bounced(self):
        return self._reported("bounced")

    def invitation_failed(self):
        row = self.invitation()
        self.deliver(refused="550 5.1.1 unknown")
        return f"/invitations/{row.pk}"

    def invitation_accepted(self):
        self._member()
        return f"/invitations/{Invitation.objects.get().pk}"

    def invitation_declined(self):
        row, jane = self.invitation(), make_user("jane@acme.test", "Jane")
        decline_invitation(actor=actor_of(jane), invitation=row, note="No, thank you.")
        return f"/invitations/{row.pk}"

    def invitation_revoked(self):
        row = self.invitation()
        revoke_invitations(**self.own, selection=Selection(ids=[str(row.pk)]))
        return f"/invitations/{row.pk}"

    def invitation_expired(self):
        row, month = self.invitation(), timedelta(days=30)
        Invitation.objects.update(invited_at=F("invited_at") - month, expires_at=F("expires_at") - month)
        assert expire_due() == 1
        return f"/invitations/{row.pk}"

    def member_joined(self):
        return f"/members/{self._member()[1].pk}"

    def member_role_changed(self):
        _jane, member = self._member()
        change_role(**self.own, member_id=member.pk, role_id=Role.objects.get(name="Admin").pk)
        return f"/members/{member.pk}"

    def member_removed(self):
        _jane, member = self._member()
        shown = self.show(f"/members/{member.pk}")
        remove_member(**self.own, member_id=member.pk)
        return shown

    def member_left(self):
        jane, member = self._member()
        shown = self.show(f"/members/{member.pk}")
        leave_organization(actor=actor_of(jane), organization=self.organization)
        return shown

    def role_created(self):
        return f"/roles/{create_role(**self.own, name='Clerk', permissions=['role.read']).pk}"

    def role_updated(self):
        role = create_role(**self.own, name="Clerk", permissions=["role.read"])
        update_role(**self.own, role_id=role.pk, name="Scribe")
        return f"/roles/{role.pk}"

    def role_deleted(self):
        role = create_role(**self.own, name="Clerk", permissions=["role.read"])
        shown = self.show(f"/roles/{role.pk}")
        delete_role(**self.own, role_id=role.pk)
        return shown

    def organization_updated(self):
        update_organization(**self.own, name="Northwind & Sons")
        return ""

    show = None


@pytest.fixture
def story(organization, alice, invite, server, make_key):
    def deliver(refused=None):
        server.at["RCPT"] = refused
        deliver_due(uuid4())

    api = ApiClient(make_key(organization, permissions=["member.manage", "role.read"]))

    def show(path):
        answer = api("GET", f"northwind{path}")
        assert answer.status_code == 200, answer.data
        return answer.data

    story = Story(organization, alice, invite, deliver)
    story.show = show
    return story


@pytest.mark.parametrize("kind", TYPES)
def test_a_body_is_the_event_with_its_subject_as_the_api_shows_it(receiver, webhook, story, kind):
    path = story.tell(kind)
    shown = path if isinstance(path, dict) else story.show(path)
    call_due()
    [call] = [call for call in receiver.taken if call.message["type"] == kind]
    message = call.verify(secret_of(webhook))
    assert list(message) == ["type", "timestamp", "data"]
    assert message["data"] == shown
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", message["timestamp"])


@pytest.mark.parametrize("kind", TYPES)
def test_a_body_opens_nothing(receiver, webhook, story, kind):
    story.tell(kind)
    call_due()
    nonces = Invitation.objects.values_list("nonce", flat=True)
    for call in receiver.taken:
        text = call.body.decode("ascii")
        assert not re.search(r"gl[a-z]_", text)
        assert not any(nonce in text for nonce in nonces)
        assert webhook.nonce not in text
        assert secret_of(webhook) not in text
    assert receiver.taken


def test_a_body_stays_as_it_was_when_the_event_happened(receiver, webhook, organization, story):
    story.invitation_revoked()
    Organization.objects.update(name="Other")
    call_due()
    sent, revoked = (json.loads(row.body) for row in WebhookDelivery.objects.order_by("number"))
    assert (sent["data"]["status"], revoked["data"]["status"]) == ("pending", "revoked")
    assert [call.message for call in receiver.taken] == [sent, revoked]
