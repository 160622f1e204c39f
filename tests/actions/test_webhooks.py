"""Webhooks: who makes and changes them, what they may be told, what becomes of their calls."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guestlist import errors
from guestlist.actions.api_keys import create_api_key
from guestlist.actions.roles import create_role
from guestlist.actions.webhook_log import (
    calls_of,
    find_call,
    is_under_way,
    redeliver,
    redeliver_since,
    send_test,
    whole_call,
)
from guestlist.actions.webhooks import (
    create_webhook,
    delete_webhook,
    rotate_secret,
    secret_of,
    turn_off_webhook,
    turn_on_webhook,
    update_webhook,
)
from guestlist.actors import Actor
from guestlist.links import webhook_secrets
from guestlist.models import Event, Webhook, WebhookDelivery
from guestlist.webhook_messages import TYPES
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db
URL = "https://1.1.1.1/hooks"


@pytest.fixture
def who(organization, alice):
    return {"actor": actor_of(alice), "organization": organization}


@pytest.fixture
def webhook(who):
    return create_webhook(**who, url=URL, description="CRM").webhook


@pytest.fixture
def which(who, webhook):
    return who | {"webhook_id": webhook.pk}


@pytest.fixture
def clerk(organization, alice):
    """Somebody who may manage webhooks and nothing else."""
    create_role(
        actor=actor_of(alice), organization=organization, name="Clerk", permissions=["webhook.manage"]
    )
    user = make_user("clerk@northwind.test", "Clerk")
    join(organization, user, "Clerk")
    return actor_of(user)


def key_actor(organization, creator, *permissions):
    new = create_api_key(actor=creator, organization=organization, name="Key", permissions=permissions)
    return Actor("api_key", str(new.key.pk), "Key", subject=new.key)


def finish(webhook, state="delivered", **values):
    WebhookDelivery.objects.filter(webhook=webhook).update(state=state, next_at=None, **values)


def actions(which):
    """Everything that can be done with a webhook."""
    call = UUID(int=0)
    return [
        lambda: update_webhook(**which, description="Mine"),
        lambda: turn_off_webhook(**which),
        lambda: turn_on_webhook(**which),
        lambda: rotate_secret(**which),
        lambda: delete_webhook(**which),
        lambda: send_test(**which),
        lambda: calls_of(**which),
        lambda: find_call(**which, delivery_id=call),
        lambda: redeliver(**which, delivery_id=call),
        lambda: redeliver_since(**which, since=timezone.now()),
    ]


def test_whoever_may_not_manage_webhooks_does_nothing_with_them(organization, charlie, webhook):
    which = {"actor": actor_of(charlie), "organization": organization, "webhook_id": webhook.pk}
    for act in actions(which):
        with pytest.raises(errors.NotAllowed):
            act()
    with pytest.raises(errors.NotAllowed):
        create_webhook(actor=actor_of(charlie), organization=organization, url=URL)
    assert list(Webhook.objects.values_list("description", "why_off", "nonce")) == [
        ("CRM", "", webhook.nonce)
    ]
    assert not WebhookDelivery.objects.exists()


def test_a_webhook_of_another_organization_is_not_found(beta, dora, organization, webhook):
    for target in (beta, organization):
        which = {"actor": actor_of(dora), "organization": target, "webhook_id": webhook.pk}
        for act in actions(which):
            with pytest.raises(errors.NotFound):
                act()
    assert Webhook.objects.get().why_off == ""


def test_making_one_is_in_the_log_without_its_secret(who, alice):
    new = create_webhook(**who, url="HTTPS://1.1.1.1:443/Hooks", types=["member.left", "member.joined"])
    row = Webhook.objects.get()
    assert (row.url, row.types) == ("https://1.1.1.1/Hooks", ["member.joined", "member.left"])
    assert (row.created_by, row.created_by_name, row.api_key) == (alice, "Alice Archer", None)
    event = Event.objects.get(type="webhook.created")
    assert (event.subject_id, event.subject_name) == (str(row.pk), row.url)
    assert event.changes["url"] == [None, row.url]
    assert event.changes["types"] == [None, row.types]
    assert new.secret == webhook_secrets(row.nonce, row.pk)[0]
    assert new.secret.startswith("whsec_")
    for secret in (new.secret, row.nonce):
        assert secret not in str(event.changes)
        assert secret not in str(row.as_resource())


def test_without_types_it_is_told_all_that_its_creator_may_read(who, organization, clerk):
    assert create_webhook(**who, url=URL).webhook.types == list(TYPES)
    mine = create_webhook(actor=clerk, organization=organization, url=URL).webhook
    assert mine.types == ["organization.updated"]


def test_nobody_is_told_what_they_may_not_read(organization, clerk, webhook):
    about = {"actor": clerk, "organization": organization}
    with pytest.raises(errors.WebhookTypeUnreadable, match="“Member: Manage”"):
        create_webhook(**about, url=URL, types=["organization.updated", "invitation.sent"])
    mine = create_webhook(**about, url=URL).webhook
    with pytest.raises(errors.WebhookTypeUnreadable, match="“Role: Read”"):
        update_webhook(**about, webhook_id=mine.pk, types=["organization.updated", "role.created"])
    assert Webhook.objects.get(pk=mine.pk).types == ["organization.updated"]


def test_nobody_leads_elsewhere_what_they_may_not_read(organization, clerk, webhook):
    which = {"actor": clerk, "organization": organization, "webhook_id": webhook.pk}
    with pytest.raises(errors.WebhookTypeUnreadable):
        update_webhook(**which, url="https://1.0.0.1/mine")
    assert Webhook.objects.get().url == URL
    fewer = update_webhook(**which, types=["organization.updated", "member.joined"], description="Less")
    assert (fewer.types, fewer.url) == (["member.joined", "organization.updated"], URL)
    with pytest.raises(errors.WebhookTypeUnreadable):
        update_webhook(**which, types=["organization.updated", "member.left"])


def test_of_one_that_a_key_made_the_key_is_kept(organization, alice, webhook):
    for creator, owner in ((actor_of(alice), alice), (Actor.operator(), None)):
        actor = key_actor(organization, creator, "webhook.manage", "role.read")
        row = create_webhook(actor=actor, organization=organization, url=URL).webhook
        assert (row.created_by, row.api_key) == (owner, actor.subject)
        assert row.types == ["role.created", "role.updated", "role.deleted", "organization.updated"]


def test_owed_calls_are_not_led_elsewhere_by_taking_their_types_away(organization, clerk, which, webhook):
    hidden, other = add_call(which, 1), add_call(which, 2, type="organization.updated")
    test = send_test(**which)
    mine = {"actor": clerk, "organization": organization, "webhook_id": webhook.pk}
    with pytest.raises(errors.WebhookTypeUnreadable, match="“Member: Manage”"):
        update_webhook(**mine, url="https://9.9.9.9/mine", types=["organization.updated"])
    assert Webhook.objects.get().url == URL
    update_webhook(**mine, types=["organization.updated"])
    assert set(WebhookDelivery.objects.owed()) == {other, test}
    hidden.refresh_from_db()
    assert (hidden.state, hidden.detail) == (
        "canceled",
        "Not sent: the webhook is not told of this any more.",
    )
    assert hidden.history[-1]["detail"] == hidden.detail
    assert update_webhook(**mine, url="https://9.9.9.9/mine").url == "https://9.9.9.9/mine"


def test_a_call_that_was_asked_for_again_is_not_led_elsewhere_either(organization, clerk, which, webhook):
    call = add_call(which, 1)
    mine = {"actor": clerk, "organization": organization, "webhook_id": webhook.pk}
    update_webhook(**which, types=["organization.updated"])
    redeliver(**which, delivery_id=call.pk)
    with pytest.raises(errors.WebhookTypeUnreadable):
        update_webhook(**mine, url="https://9.9.9.9/mine")
    finish(webhook)
    update_webhook(**mine, url="https://9.9.9.9/mine")


def test_nothing_is_added_that_its_creator_would_never_be_told(organization, alice, who):
    actor = key_actor(organization, actor_of(alice), "webhook.manage", "role.read")
    which = who | {"webhook_id": create_webhook(actor=actor, organization=organization, url=URL).webhook.pk}
    with pytest.raises(errors.WebhookCreatorMayNotRead, match=r"“member\.joined”"):
        update_webhook(**which, types=["role.created", "member.joined"])
    update_webhook(**which, types=["role.created"])
    assert update_webhook(**which, types=["role.deleted"], url="https://1.0.0.1/x").types == ["role.deleted"]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"types": ["member.joined", "audit.read"]}, errors.WebhookTypeUnknown),
        ({"types": ["*"]}, errors.WebhookTypeUnknown),
        ({"types": ["webhook.test"]}, errors.WebhookTypeUnknown),
        ({"types": []}, errors.WebhookWithoutTypes),
        ({"url": ""}, errors.WebhookUrlInvalid),
        ({"url": "https://10.0.0.1/"}, errors.WebhookTargetForbidden),
        ({"url": "http://1.1.1.1/"}, errors.WebhookUrlInsecure),
    ],
)
def test_what_is_wrong_is_refused(who, which, values, refusal):
    with pytest.raises(refusal):
        create_webhook(**who | {"url": URL} | values)
    with pytest.raises(refusal):
        update_webhook(**which, **values)
    assert Webhook.objects.get().url == URL
    assert not Event.objects.filter(type="webhook.updated").exists()


def test_there_is_room_for_ten(who):
    for _ in range(10):
        create_webhook(**who, url=URL)
    with pytest.raises(errors.TooManyWebhooks, match="10"):
        create_webhook(**who, url=URL)
    delete_webhook(**who, webhook_id=Webhook.objects.first().pk)
    create_webhook(**who, url=URL)


def test_a_description_is_one_line(which):
    assert update_webhook(**which, description=" a\n\x00b\u202e " + "c" * 90).description == "a b " + "c" * 76


def test_a_change_is_in_the_log_and_none_is_not(which, webhook):
    update_webhook(**which, url=URL, description="CRM", types=webhook.types, enabled=True)
    assert not Event.objects.filter(type="webhook.updated").exists()
    update_webhook(**which, url="https://1.0.0.1/x", types=["member.left"], description="")
    event = Event.objects.get(type="webhook.updated")
    assert event.changes == {
        "url": [URL, "https://1.0.0.1/x"],
        "types": [list(TYPES), ["member.left"]],
        "description": ["CRM", ""],
    }


def test_calls_that_are_owed_go_to_the_new_address_at_once(which, webhook):
    send_test(**which)
    later = timezone.now() + timedelta(hours=1)
    WebhookDelivery.objects.update(state="deferred", next_at=later)
    Webhook.objects.update(failures=5, failing_since=timezone.now(), paused_until=later)
    update_webhook(**which, description="Other")
    assert WebhookDelivery.objects.get().next_at == later
    update_webhook(**which, url="https://1.0.0.1/x")
    row = Webhook.objects.get()
    assert (row.failures, row.failing_since, row.paused_until) == (0, None, None)
    assert WebhookDelivery.objects.get().next_at < later


def test_turning_off_cancels_what_is_owed_and_nothing_more_is(which, webhook, organization, alice):
    send(organization, alice, "jane@example.com")
    call = WebhookDelivery.objects.get()
    turned = turn_off_webhook(**which)
    assert (turned.why_off, turned.as_resource()["disabled_reason"]) == ("turned_off", "turned_off")
    assert turned.off_since
    call.refresh_from_db()
    assert (call.state, call.next_at, call.detail) == ("canceled", None, "The webhook was turned off.")
    assert call.history[-1]["state"] == "canceled"
    assert Event.objects.get(type="webhook.updated").changes == {"enabled": [True, False]}
    send(organization, alice, "john@example.com")
    assert WebhookDelivery.objects.count() == 1
    turn_off_webhook(**which)
    assert Event.objects.filter(type="webhook.updated").count() == 1


@pytest.mark.parametrize("why", ["turned_off", "gone", "failing"])
def test_turned_on_it_starts_clean(which, webhook, organization, alice, why):
    now = timezone.now()
    Webhook.objects.update(why_off=why, off_since=now, failures=9, failing_since=now, paused_until=now)
    row = turn_on_webhook(**which)
    assert row == Webhook.objects.get()
    assert (row.why_off, row.off_since, row.failures, row.failing_since) == ("", None, 0, None)
    assert row.paused_until is None
    assert Event.objects.get(type="webhook.updated").changes == {"enabled": [False, True]}
    send(organization, alice, "jane@example.com")
    assert WebhookDelivery.objects.get().state == "queued"


def test_a_new_secret_leaves_the_former_one_for_a_day_unless_told(which, webhook):
    before = secret_of(webhook)
    new = rotate_secret(**which)
    row = Webhook.objects.get()
    assert new.secret == secret_of(row) != before
    assert webhook_secrets(row.former_nonce, row.pk)[0] == before
    event = Event.objects.get(type="webhook.secret_rotated")
    assert row.former_until == event.at + timedelta(days=1)
    assert event.changes.keys() == {"former_until"}
    rotate_secret(**which, overlap="7d")
    newest = Webhook.objects.get()
    assert newest.former_nonce == row.nonce
    rotate_secret(**which, overlap="0")
    row = Webhook.objects.get()
    assert (row.former_nonce, row.former_until) == ("", None)
    assert row.nonce not in str(list(Event.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize("overlap", ["8d", "never", "-1h", "soon", "", "169h"])
def test_an_overlap_that_is_none_is_refused(which, webhook, overlap):
    with pytest.raises(errors.OverlapInvalid):
        rotate_secret(**which, overlap=overlap)
    assert Webhook.objects.get().nonce == webhook.nonce


def test_with_a_webhook_go_its_calls(which, webhook, organization, alice):
    send(organization, alice, "jane@example.com")
    delete_webhook(**which)
    assert not Webhook.objects.exists()
    assert not WebhookDelivery.objects.exists()
    event = Event.objects.get(type="webhook.deleted")
    assert (event.subject_name, event.changes["url"]) == ("CRM", [URL, None])
    with pytest.raises(errors.NotFound):
        delete_webhook(**which)


def test_deleting_takes_few_statements_for_many_calls(which, django_assert_max_num_queries):
    for call in range(40):
        add_call(which, call)
    with django_assert_max_num_queries(12):
        delete_webhook(**which)


def add_call(which, number, **values):
    """A call of the webhook about somebody."""
    row = Webhook.objects.get(pk=which["webhook_id"])
    about = {"subject_id": str(number), "subject_name": f"p{number}@x.test", "type": "member.joined"}
    return WebhookDelivery.objects.create(
        **{"organization": row.organization, "webhook": row, "event_id": uuid4(), "number": number}
        | about
        | {"body": "{}"}
        | values
    )


def test_a_test_tells_of_the_webhook_itself(which, webhook):
    Webhook.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    send_test(**which)
    call = WebhookDelivery.objects.get()
    assert (call.type, call.number, call.state, call.subject_name) == ("webhook.test", 0, "queued", "CRM")
    body = json.loads(call.body)
    assert body.keys() == {"type", "timestamp", "data"}
    assert (body["type"], body["data"]["id"], body["data"]["url"]) == ("webhook.test", str(webhook.pk), URL)
    assert secret_of(webhook) not in call.body
    assert Webhook.objects.get().paused_until is None


def test_a_test_replaces_one_that_is_still_owed(which, webhook):
    first, second = send_test(**which), send_test(**which)
    first.refresh_from_db()
    assert (first.state, first.detail) == ("canceled", "A newer test was sent.")
    held = {"leased_by": uuid4(), "leased_until": timezone.now() + timedelta(seconds=60)}
    Webhook.objects.update(**held)
    WebhookDelivery.objects.filter(pk=second.pk).update(attempts=1)
    send_test(**which)
    second.refresh_from_db()
    assert second.state == "queued"


def test_to_one_that_is_off_nothing_is_sent(which, webhook):
    call = send_test(**which)
    turn_off_webhook(**which)
    for act in (
        lambda: send_test(**which),
        lambda: redeliver(**which, delivery_id=call.pk),
        lambda: redeliver_since(**which, since=webhook.created_at),
    ):
        with pytest.raises(errors.WebhookOff):
            act()
    assert WebhookDelivery.objects.get().state == "canceled"


@pytest.mark.parametrize("state", ["queued", "deferred", "delivered", "failed", "canceled"])
def test_a_call_is_made_again_as_it_was(which, webhook, state):
    owed = {"next_at": timezone.now() + timedelta(hours=1)} if state in ("queued", "deferred") else {}
    long_ago = timezone.now() - timedelta(days=3)
    call = add_call(which, 1, state=state, attempts=4, owed_since=long_ago, **{"next_at": None} | owed)
    Webhook.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    again = redeliver(**which, delivery_id=call.pk)
    assert (again.state, again.body, again.message_id) == ("queued", call.body, call.message_id)
    assert again.next_at == again.owed_since > timezone.now() - timedelta(minutes=1)
    assert (again.attempts, again.history[-1]["by"]) == (4, "Alice Archer")
    assert Webhook.objects.get().paused_until is None


def test_a_call_that_is_being_made_is_left_alone(which, webhook):
    entry = {"at": None, "state": "deferred", "detail": "", "attempt": 1}
    call = add_call(which, 1, attempts=2, history=[entry])
    Webhook.objects.update(leased_by=uuid4(), leased_until=timezone.now() + timedelta(seconds=60))
    with pytest.raises(errors.CallUnderWay):
        redeliver(**which, delivery_id=call.pk)
    Webhook.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert redeliver(**which, delivery_id=call.pk).state == "queued"
    call.history.append(entry | {"attempt": 2})
    assert not is_under_way(call, webhook, timezone.now())


def test_all_since_a_time_are_made_again(which, webhook):
    now = timezone.now()
    for number, state in enumerate(("failed", "delivered", "failed", "canceled")):
        at = now - timedelta(hours=number)
        add_call(which, number, state=state, next_at=None, created_at=at)
    since = now - timedelta(hours=2, minutes=1)
    assert redeliver_since(**which, since=since, state="failed").redelivered == 2
    states = WebhookDelivery.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["queued", "delivered", "queued", "canceled"]
    done = redeliver_since(**which, since=since)
    assert (done.redelivered, str(done)) == (3, "3 calls are made again.")
    assert WebhookDelivery.objects.get(number=3).state == "canceled"
    assert redeliver_since(**which, since=now + timedelta(hours=1)).as_resource() == {"redelivered": 0}
    with pytest.raises(errors.InvalidFilter):
        redeliver_since(**which, since=since, state="lost")


def test_tests_are_not_made_again_with_all_since_a_time(which, webhook):
    """Two of them, one of which replaced the other, would both be sent before what matters."""
    for _ in range(2):
        send_test(**which)
    add_call(which, 1, state="failed", next_at=None)
    finish(webhook, "failed")
    assert redeliver_since(**which, since=webhook.created_at).redelivered == 1
    assert list(WebhookDelivery.objects.owed().values_list("type", flat=True)) == ["member.joined"]


def test_one_and_many_are_made_again_by_as_many_statements(which, webhook):
    counted = []
    for number in (1, 40):
        for call in range(number):
            add_call(which, call, state="failed", next_at=None)
        with CaptureQueriesContext(connection) as queries:
            redeliver_since(**which, since=webhook.created_at)
        counted.append(len(queries))
        assert not WebhookDelivery.objects.filter(state="failed").exists()
    assert counted[0] == counted[1] <= 12


def test_nobody_sees_or_repeats_calls_about_what_they_may_not_read(organization, clerk, which, webhook):
    hidden, shown = add_call(which, 1), add_call(which, 2, type="organization.updated")
    test = send_test(**which)
    mine = {"actor": clerk, "organization": organization, "webhook_id": webhook.pk}
    assert set(calls_of(**mine)) == {shown, test}
    assert set(calls_of(**which)) == {hidden, shown, test}
    for act in (find_call, redeliver):
        with pytest.raises(errors.NotFound):
            act(**mine, delivery_id=hidden.pk)
    finish(webhook, "failed")
    assert redeliver_since(**mine, since=webhook.created_at).redelivered == 1
    hidden.refresh_from_db()
    assert hidden.state == "failed"


def test_a_call_of_another_webhook_is_not_found(who, which, webhook):
    call = add_call(which, 1)
    other = who | {"webhook_id": create_webhook(**who, url=URL).webhook.pk}
    for act in (find_call, redeliver):
        with pytest.raises(errors.NotFound):
            act(**other, delivery_id=call.pk)


def test_calls_are_found_by_state_subject_and_message(which, webhook):
    jane = add_call(which, 1, subject_name="Jane@x.test", state="failed", next_at=None)
    john = add_call(which, 2, subject_name="john@x.test")
    assert list(calls_of(**which, state="failed")) == [jane]
    assert list(calls_of(**which, q="JOHN")) == [john]
    assert list(calls_of(**which, q=jane.message_id)) == [jane]
    assert set(calls_of(**which, q="x.test")) == {jane, john}
    assert not calls_of(**which, q="msg_nope\x00").exists()
    with pytest.raises(errors.InvalidFilter):
        calls_of(**which, state="sent")


def test_a_call_is_shown_with_what_was_said(which, webhook):
    entry = {"at": "2026-03-01T09:30:00.5Z", "state": "deferred", "detail": "No", "attempt": 1}
    entry |= {"seconds": 0.2, "status": 500}
    call = add_call(which, 1, status=500, answer="oops", history=[entry], attempts=1)
    shown = whole_call(find_call(**which, delivery_id=call.pk))
    assert shown["request"] == {
        "url": URL,
        "headers": {
            "content-type": "application/json",
            "webhook-id": call.message_id,
            "webhook-timestamp": "1772357400",
        },
        "body": "{}",
    }
    assert shown["answer"] == {"status": 500, "body": "oops"}
    assert shown["history"] == [entry | {"by": None, "unclear": False, "interrupted": False}]
    assert whole_call(find_call(**which, delivery_id=add_call(which, 2).pk))["answer"] is None


def test_a_call_is_shown_with_where_it_went(which):
    entry = {"at": "2026-03-01T09:30:00.5Z", "state": "delivered", "attempt": 1, "status": 200, "url": URL}
    went = add_call(which, 1, state="delivered", next_at=None, status=200, history=[entry], attempts=1)
    waits = add_call(which, 2)
    update_webhook(**which, url="https://9.9.9.9/new")
    urls = [whole_call(find_call(**which, delivery_id=each.pk))["request"]["url"] for each in (went, waits)]
    assert urls == [URL, "https://9.9.9.9/new"]
