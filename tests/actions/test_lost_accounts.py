"""An account that loses its last address to the real owner keeps nothing that acts for it."""

import pytest

from guestlist.actions.api_keys import create_api_key
from guestlist.actions.invitations import send_invitations
from guestlist.actions.webhooks import create_webhook
from guestlist.addresses import parse_items
from guestlist.models import ApiKey, Event, Webhook, WebhookDelivery
from guestlist_server.accounts.sign_up import remove_keys
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db


def test_its_keys_and_webhooks_end_with_their_events(organization, alice, bob):
    about = {"actor": actor_of(bob), "organization": organization}
    create_api_key(**about, name="CI", permissions=["member.manage"])
    create_webhook(**about, url="https://hooks.example.com/")
    others = create_webhook(
        actor=actor_of(alice), organization=organization, url="https://hooks.example.com/"
    )
    send = {"actor": actor_of(alice), "organization": organization}
    send_invitations(**send, parsed=parse_items(["before@acme.test"]))
    remove_keys(bob)
    send_invitations(**send, parsed=parse_items(["after@acme.test"]))
    assert ApiKey.objects.get().revoked_at
    off = Webhook.objects.exclude(pk=others.webhook.pk).get()
    assert off.why_off == "turned_off"
    assert [row.state for row in WebhookDelivery.objects.filter(webhook=off)] == ["canceled"]
    assert WebhookDelivery.objects.filter(webhook=others.webhook, state="queued").count() == 2
    types = Event.objects.filter(actor_type="system").values_list("type", flat=True)
    assert sorted(types) == ["api_key.revoked", "webhook.updated"]
