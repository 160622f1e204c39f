"""The pages of webhooks, through the door."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from guestlist.actions.api_keys import create_api_key, revoke_api_key
from guestlist.actions.members import leave_organization
from guestlist.actions.roles import create_role
from guestlist.actions.webhook_log import send_test
from guestlist.actions.webhooks import create_webhook, secret_of
from guestlist.actors import Actor
from guestlist.links import webhook_secrets
from guestlist.models import Membership, Role, Webhook, WebhookDelivery
from guestlist.models.fields import new_id
from guestlist.webhook_messages import TYPES
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/webhooks"
# The settings of the tests are those of a server on loopback, whose webhooks may lead there.
TARGET = "http://127.0.0.1:9/hooks"
FORM = {"url": TARGET, "description": "CRM", "scope": "all"}
SOME = ["member.joined", "member.left"]


def form(client, **values):
    """What a browser sends."""
    found = re.search(r'name="once" value="([^"]+)"', client.get(f"{URL}/new").content.decode())
    return FORM | {"once": found[1]} | values


def ids_in(response):
    return re.findall(r'data-id="([^"]+)"', response.content.decode())


def secret_in(response):
    found = re.search(r'id="webhook-secret" value="(whsec_[^"]+)" readonly', response.content.decode())
    return found and unescape(found[1])


@pytest.fixture
def webhook(organization, alice):
    return create_webhook(
        actor=actor_of(alice), organization=organization, url=TARGET, description="CRM"
    ).webhook


@pytest.fixture
def page(webhook):
    return f"{URL}/{webhook.pk}"


@pytest.fixture
def call(organization, alice, webhook):
    """A call about an invitation to Jane that the receiver refused with something nasty."""
    send(organization, alice, "jane@example.com")
    entry = {"at": "2026-01-01T09:00:00Z", "state": "failed", "detail": "No <b>", "attempt": 1}
    rows = WebhookDelivery.objects.filter(webhook=webhook)
    rows.update(
        state="failed",
        next_at=None,
        at=Now(),
        detail="The receiver answered 400.",
        attempts=1,
        status=400,
        answer="<script>alert(1)</script>",
        history=[entry | {"seconds": 0.21, "status": 400}],
    )
    return rows.get()


@pytest.fixture
def clerk(organization, alice, charlie, as_user):
    """Charlie, whose role allows webhooks and nothing else."""
    Role.objects.filter(name="Member").update(permissions=["webhook.manage"])
    return as_user(charlie)


def test_who_may_not(organization, beta, dora, charlie, mallory, client, as_user, webhook, call):
    one = f"/{webhook.pk}"
    log = f"{one}/deliveries/{call.pk}"
    reads = ("", "/new", one, f"{one}/edit", f"{one}/off", f"{one}/delete", f"{one}/rotate", log)
    writes = ("/on", "/test", "/redeliver", "/off", "/delete", "/rotate", "/edit")
    before = list(Webhook.objects.values())
    for path in reads:
        assert client.get(URL + path).status_code == 302
        refused = as_user(charlie).get(URL + path)
        assert refused.status_code == 403
        assert "Webhook: Manage" in text_of(refused)
        for outsider in (mallory, dora):
            assert as_user(outsider).get(URL + path).status_code == 404
    for path in ("/new", f"{log}/redeliver", *(one + path for path in writes)):
        assert as_user(charlie).post(URL + path, FORM).status_code == 403
        assert as_user(dora).post(URL + path, FORM).status_code == 404
    assert list(Webhook.objects.values()) == before
    assert WebhookDelivery.objects.get().state == "failed"


def test_the_sidebar_shows_the_page_to_whoever_may_open_it(organization, alice, charlie, as_user):
    assert f'href="{URL}"' in as_user(alice).get("/o/northwind/").content.decode()
    assert f'href="{URL}"' not in as_user(charlie).get("/o/northwind/").content.decode()


def test_one_that_may_be_told_nothing_any_more_says_why(organization, alice, bob, as_user):
    about = {"actor": actor_of(bob), "organization": organization}
    permissions = ["webhook.manage", "member.manage"]
    key = create_api_key(**about, name="Key", permissions=permissions).key
    actor = Actor("api_key", str(key.pk), "Key", subject=key)
    by_key = create_webhook(actor=actor, organization=organization, url=TARGET).webhook
    by_bob = create_webhook(**about, url=TARGET).webhook
    by_operator = create_webhook(actor=Actor.operator(), organization=organization, url=TARGET).webhook

    def said():
        pages = [as_user(alice).get(f"{URL}/{row.pk}") for row in (by_key, by_bob, by_operator)]
        parts = "The API key that created it has ended.", "Whoever created it has left"
        return [[part in text_of(page) for part in parts] for page in pages]

    assert said() == [[False, False]] * 3
    assert "told nothing" not in text_of(as_user(alice).get(URL))
    revoke_api_key(actor=actor_of(alice), organization=organization, api_key_id=key.pk)
    assert said() == [[True, False], [False, False], [False, False]]
    leave_organization(**about)
    assert said() == [[True, False], [False, True], [False, False]]
    assert text_of(as_user(alice).get(URL)).count("On, but told nothing") == 2


@pytest.mark.parametrize("rows", [1, 40])
def test_the_list_takes_the_same_queries_for_any_number(
    organization, alice, as_user, rows, django_assert_num_queries
):
    about = {"organization": organization, "nonce": "A" * 22, "types": SOME, "created_by_name": "A"}
    Webhook.objects.bulk_create([Webhook(url=f"{TARGET}/{i}", **about) for i in range(rows)])
    client = as_user(alice)
    with django_assert_num_queries(7):
        response = client.get(URL)
    assert len(ids_in(response)) == rows


@pytest.mark.parametrize("rows", [1, 40])
def test_the_log_takes_the_same_queries_for_any_number(
    organization, alice, as_user, webhook, page, rows, django_assert_num_queries
):
    about = {"organization": organization, "webhook": webhook, "type": "member.joined", "body": "{}"}
    WebhookDelivery.objects.bulk_create(
        [WebhookDelivery(event_id=new_id(), number=i, subject_name=f"S{i}", **about) for i in range(rows)]
    )
    client = as_user(alice)
    with django_assert_num_queries(13):
        response = client.get(page)
    assert len(ids_in(response)) == rows


def test_without_webhooks_the_page_says_what_they_are_for(organization, alice, as_user):
    page = as_user(alice).get(URL)
    assert "No webhooks yet" in text_of(page)
    assert 'href="/api/v1/docs"' in page.content.decode()
    assert 'href="/help/#webhooks"' in page.content.decode()


def test_the_list_says_how_each_webhook_stands(organization, alice, as_user, webhook):
    client = as_user(alice)
    page = text_of(client.get(URL))
    for said in ("CRM", TARGET, "All events", "On", "Nothing delivered yet", "Turn Off"):
        assert said in page
    Webhook.objects.update(types=SOME, failing_since=Now(), delivered_at=Now())
    page = text_of(client.get(URL, headers=HTMX))
    assert "<html" not in client.get(URL, headers=HTMX).content.decode()
    for said in ("Member joined, Member left", "Failing since"):
        assert said in page
    for why, said in {
        "turned_off": "Off",
        "gone": "Off: gone (410)",
        "failing": "Off: failed for a day",
    }.items():
        Webhook.objects.update(why_off=why, off_since=Now())
        assert f" {said} " in text_of(client.get(URL))
        assert "Turn On" in text_of(client.get(URL))


def test_a_webhook_is_made_and_its_secret_shown_once(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(f"{URL}/new", form(client))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    row = Webhook.objects.get()
    assert secret_in(response) == secret_of(row)
    assert (row.url, row.description, row.types) == (TARGET, "CRM", list(TYPES))
    assert row.created_by == alice
    for path in (URL, f"{URL}/{row.pk}", f"{URL}/{row.pk}/edit", f"{URL}/{row.pk}/rotate"):
        html = client.get(path).content.decode()
        assert "whsec_" not in html
        assert row.nonce not in html


def test_a_form_that_is_sent_twice_makes_one_webhook(organization, alice, as_user):
    client = as_user(alice)
    sent = form(client)
    client.post(f"{URL}/new", sent)
    again = client.post(f"{URL}/new", sent, follow=True)
    assert again.redirect_chain == [(URL, 302)]
    assert "has been made already" in text_of(again)
    assert Webhook.objects.count() == 1


def test_only_what_is_ticked_is_told(organization, alice, as_user):
    client = as_user(alice)
    client.post(f"{URL}/new", form(client, scope="some", types=SOME))
    assert Webhook.objects.get().types == SOME


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"url": ""}, 422, "That is not the address of a webhook."),
        ({"url": "https://10.0.0.1/"}, 422, "This address is not on the public network"),
        ({"url": "http://1.1.1.1/"}, 422, "Use an address that begins with https://"),
        ({"url": "https://no-such-host.invalid/"}, 422, "There is no server called no-such-host.invalid."),
        ({"scope": "some", "types": []}, 422, "Choose at least one type of event."),
        ({"scope": "some", "types": ["api_key.created"]}, 422, "Webhooks carry no events of the type"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    organization, alice, as_user, typed, status, said
):
    client = as_user(alice)
    response = client.post(f"{URL}/new", form(client, description="My “CRM”", **typed))
    assert response.status_code == status
    html = response.content.decode()
    error = "types-error" if "types" in typed else "url-error"
    assert said in unescape(re.search(rf'id="{error}">(.*?)</p>', html)[1])
    assert 'value="My “CRM”"' in html
    assert not Webhook.objects.exists()


def test_beyond_ten_there_is_no_room(organization, alice, as_user, webhook):
    about = {"organization": organization, "nonce": "A" * 22, "url": TARGET}
    Webhook.objects.bulk_create([Webhook(**about) for _ in range(9)])
    client = as_user(alice)
    response = client.post(f"{URL}/new", form(client))
    assert response.status_code == 409
    assert "There is room for 10 webhooks." in text_of(response)
    assert f'value="{TARGET}"' in response.content.decode()


def test_types_above_ones_permissions_are_disabled_with_the_reason(organization, clerk):
    html = clerk.get(f"{URL}/new").content.decode()
    box = re.search(r'<input[^>]+value="member.joined"[^>]*>', html)[0]
    assert " disabled" in box
    assert "To read it you need the permission “Member: Manage”" in html
    assert " disabled" not in re.search(r'<input[^>]+value="organization.updated"[^>]*>', html)[0]
    assert "Every event that you may read" in html
    clerk.post(f"{URL}/new", form(clerk))
    assert Webhook.objects.get().types == ["organization.updated"]
    refused = clerk.post(f"{URL}/new", form(clerk, scope="some", types=SOME))
    assert refused.status_code == 403
    assert "you need the permission “Member: Manage”" in text_of(refused)


def test_whoever_may_not_read_a_type_leaves_it_as_it_is(organization, webhook, page, clerk):
    """Boxes that are disabled are not sent."""
    clerk.post(f"{page}/edit", {"url": TARGET, "description": "ERP", "scope": "some"})
    webhook.refresh_from_db()
    assert webhook.description == "ERP"
    assert webhook.types == [kind for kind in TYPES if kind != "organization.updated"]
    refused = clerk.post(f"{page}/edit", {"url": f"{TARGET}/mine", "scope": "all"})
    assert refused.status_code == 403
    webhook.refresh_from_db()
    assert webhook.url == TARGET


def test_a_webhook_is_edited(organization, alice, as_user, webhook, page):
    client = as_user(alice)
    html = client.get(f"{page}/edit").content.decode()
    assert f'value="{TARGET}"' in html
    assert 'value="all" checked' in html
    typed = {"url": "http://127.0.0.1:9/new", "description": "", "scope": "some", "types": SOME}
    response = client.post(f"{page}/edit", typed, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "The webhook is changed." in text_of(response)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.description, webhook.types) == ("http://127.0.0.1:9/new", "", SOME)
    html = client.get(f"{page}/edit").content.decode()
    assert 'value="some" checked' in html
    assert len(re.findall(r'name="types"[^>]* checked', html)) == 2
    bad = client.post(f"{page}/edit", typed | {"url": "https://10.0.0.1/"})
    assert bad.status_code == 422
    assert 'value="https://10.0.0.1/"' in bad.content.decode()


def test_an_address_that_stays_is_not_asked_for_again(organization, alice, as_user, webhook, page):
    Webhook.objects.update(url="https://no-such-host.invalid/")
    typed = {"url": "https://no-such-host.invalid/", "description": "Down", "scope": "all"}
    assert as_user(alice).post(f"{page}/edit", typed).status_code == 302
    assert Webhook.objects.get().description == "Down"


def test_turning_off_asks_and_turning_on_starts_clean(organization, alice, as_user, webhook, page):
    client = as_user(alice)
    send(organization, alice, "jane@example.com")
    assert "1 call that waits is canceled." in text_of(client.get(f"{page}/off", headers=HTMX))
    assert client.get(f"{page}/on").status_code == 405
    response = client.post(f"{page}/off", follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert Webhook.objects.get().why_off == "turned_off"
    assert "Send Test Event" not in text_of(response)
    assert WebhookDelivery.objects.get().state == "canceled"
    Webhook.objects.update(failures=3, failing_since=Now())
    answer = client.post(f"{page}/on", headers=HTMX)
    assert "guestlist:changed" in answer["HX-Trigger"]
    webhook.refresh_from_db()
    assert (webhook.why_off, webhook.failures, webhook.failing_since) == ("", 0, None)


@pytest.mark.parametrize(
    ("why", "said"), [("gone", "that it is gone (410)"), ("failing", "took nothing for a day")]
)
def test_one_that_was_turned_off_by_failure_says_why_and_what_to_do(
    organization, alice, as_user, page, why, said
):
    Webhook.objects.update(why_off=why, off_since=Now())
    text = text_of(as_user(alice).get(page))
    assert said in text
    assert "Look at what was answered, mend the receiver, and turn the webhook on." in text
    assert "Turn On" in text


def test_deleting_asks_first(organization, alice, as_user, webhook, page, call):
    client = as_user(alice)
    assert "Delete CRM?" in text_of(client.get(f"{page}/delete"))
    assert Webhook.objects.count() == 1
    response = client.post(f"{page}/delete", follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert not Webhook.objects.exists()


def test_the_secret_is_rotated_and_shown_once(organization, alice, as_user, webhook, page):
    client, former = as_user(alice), secret_of(webhook)
    html = client.get(f"{page}/rotate").content.decode()
    assert '<option value="24h" selected>' in html
    mark = re.search(r'name="mark" value="([^"]+)"', html)[1]
    response = client.post(f"{page}/rotate", {"mark": mark, "overlap": "24h"})
    assert "no-store" in response["Cache-Control"]
    webhook.refresh_from_db()
    assert secret_in(response) == secret_of(webhook) != former
    assert "each call is signed with the former secret too" in text_of(response)
    assert webhook_secrets(webhook.former_nonce, webhook.pk)[0] == former
    assert "Former secret signs until" in text_of(client.get(page))


def test_a_rotation_that_is_sent_twice_keeps_the_former_secret(organization, alice, as_user, webhook, page):
    client, former = as_user(alice), webhook.nonce
    mark = re.search(r'name="mark" value="([^"]+)"', client.get(f"{page}/rotate").content.decode())[1]
    for _ in range(2):
        again = client.post(f"{page}/rotate", {"mark": mark, "overlap": "24h"}, follow=True)
    assert again.redirect_chain == [(page, 302)]
    assert "This secret has been replaced already" in text_of(again)
    webhook.refresh_from_db()
    assert webhook.former_nonce == former


def test_a_test_is_on_top_of_the_log_which_looks_again(organization, alice, as_user, page, call):
    client = as_user(alice)
    assert "load delay" not in client.get(page).content.decode()
    answer = client.post(f"{page}/test", headers=HTMX)
    assert "guestlist:changed" in answer["HX-Trigger"]
    test = WebhookDelivery.objects.get(type="webhook.test")
    part = client.get(page, headers=HTMX)
    assert ids_in(part) == [str(test.pk), str(call.pk)]
    assert "load delay:1500ms" in part.content.decode()
    assert 'hx-push-url="true"' not in part.content.decode().split('class="tablebox"')[0]
    WebhookDelivery.objects.filter(pk=test.pk).update(state="delivered", next_at=None, at=Now())
    part = client.get(page, headers=HTMX).content.decode()
    assert "load delay" not in part
    assert 'id="webhook-state" hx-swap-oob="true"' in part


def test_without_a_worker_the_log_does_not_look_for_ever(organization, alice, as_user, webhook, page):
    send_test(actor=actor_of(alice), organization=organization, webhook_id=webhook.pk)
    WebhookDelivery.objects.update(next_at=F("created_at") - timedelta(minutes=2))
    assert "load delay" not in as_user(alice).get(page).content.decode()


def test_without_javascript_a_test_leads_back_to_the_webhook(organization, alice, as_user, page):
    response = as_user(alice).post(f"{page}/test", follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "A test is on its way." in text_of(response)


def test_the_log_is_filtered_by_state_and_searched(organization, alice, as_user, webhook, page, call):
    send(organization, alice, "john@example.com")
    client = as_user(alice)
    john = WebhookDelivery.objects.get(subject_name="john@example.com")
    assert ids_in(client.get(page)) == [str(john.pk), str(call.pk)]
    assert ids_in(client.get(f"{page}?state=failed")) == [str(call.pk)]
    assert ids_in(client.get(f"{page}?state=nonsense")) == [str(john.pk), str(call.pk)]
    assert ids_in(client.get(f"{page}?q=john")) == [str(john.pk)]
    assert ids_in(client.get(f"{page}?q={call.message_id}")) == [str(call.pk)]
    assert "No calls match “nobody”" in text_of(client.get(f"{page}?q=nobody"))
    assert "No calls in this state" in text_of(client.get(f"{page}?state=canceled"))
    text = text_of(client.get(f"{page}?state=failed"))
    for said in ("Invitation sent", "jane@example.com", "Failed", "400", "1 attempt", "answered 400."):
        assert said in text


def test_the_log_has_pages(organization, alice, as_user, webhook, page):
    about = {"organization": organization, "webhook": webhook, "type": "member.joined", "body": "{}"}
    WebhookDelivery.objects.bulk_create(
        [WebhookDelivery(event_id=new_id(), number=i, **about) for i in range(51)]
    )
    client = as_user(alice)
    assert len(ids_in(client.get(page))) == 50
    assert len(ids_in(client.get(f"{page}?page=2"))) == 1


def test_nobody_sees_calls_about_what_they_may_not_read(organization, alice, webhook, page, call, clerk):
    test = send_test(actor=actor_of(alice), organization=organization, webhook_id=webhook.pk)
    response = clerk.get(page)
    assert ids_in(response) == [str(test.pk)]
    assert "jane@example.com" not in response.content.decode()
    assert clerk.get(f"{page}/deliveries/{call.pk}").status_code == 404
    assert clerk.post(f"{page}/deliveries/{call.pk}/redeliver").status_code == 404
    since = {"since": "2020-01-01T00:00"}
    # Neither Jane's, nor the test.
    assert "There is no such call since" in text_of(clerk.get(f"{page}/redeliver", since, follow=True))


def test_one_call_shows_what_was_sent_and_answered(organization, alice, as_user, webhook, page, call):
    response = as_user(alice).get(f"{page}/deliveries/{call.pk}")
    html, text = response.content.decode(), unescape(text_of(response))
    assert "<script>alert(1)" not in html
    assert "<script>alert(1)</script>" in unescape(html)
    assert "No <b>" in text
    body = re.search(r"<pre[^>]*>(\{.*?\})</pre>", html, re.DOTALL)[1]
    assert json.loads(unescape(body)) == json.loads(call.body)
    for said in (
        f"POST {TARGET}",
        f"webhook-id: {call.message_id}",
        "content-type: application/json",
        "Attempt 1 · 0.21 seconds · answered 400",
        "invitation.sent",
    ):
        assert said in text
    assert "whsec_" not in html


def test_a_call_of_another_webhook_is_unknown(organization, alice, as_user, webhook, call):
    other = create_webhook(actor=actor_of(alice), organization=organization, url=TARGET).webhook
    client = as_user(alice)
    assert client.get(f"{URL}/{other.pk}/deliveries/{call.pk}").status_code == 404
    assert client.post(f"{URL}/{other.pk}/deliveries/{call.pk}/redeliver").status_code == 404


def test_a_call_is_made_again(organization, alice, as_user, webhook, page, call):
    response = as_user(alice).post(f"{page}/deliveries/{call.pk}/redeliver", follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "The call is made again." in text_of(response)
    call.refresh_from_db()
    assert call.state == "queued"
    assert call.next_at is not None
    assert "asked for by Alice Archer" in text_of(as_user(alice).get(f"{page}/deliveries/{call.pk}"))


def test_nothing_is_sent_again_to_one_that_is_off(organization, alice, as_user, page, call):
    Webhook.objects.update(why_off="turned_off", off_since=Now())
    client = as_user(alice)
    assert "Redeliver" not in text_of(client.get(page))
    for path in (f"deliveries/{call.pk}/redeliver", "test"):
        refused = client.post(f"{page}/{path}", headers=HTMX)
        assert refused.status_code == 409
        assert "This webhook is off" in text_of(refused)


def test_all_since_a_time_are_made_again_after_their_number_was_said(
    organization, alice, as_user, webhook, page, call
):
    send(organization, alice, "john@example.com")
    WebhookDelivery.objects.filter(subject_name="john@example.com").update(state="delivered", next_at=None)
    client = as_user(alice)
    asked = {"since": "2020-01-01T00:00", "only": "failed"}
    assert "Make 1 call again?" in text_of(client.get(f"{page}/redeliver", asked, headers=HTMX))
    question = client.get(f"{page}/redeliver", {"since": "2020-01-01T00:00"})
    assert "Make 2 calls again?" in text_of(question)
    fields = dict(re.findall(r'name="(since|only)" value="([^"]*)"', question.content.decode()))
    response = client.post(
        f"{page}/redeliver", {name: unescape(fields[name]) for name in fields}, follow=True
    )
    assert "2 calls are made again." in text_of(response)
    assert WebhookDelivery.objects.owed().count() == 2


def test_the_time_is_that_of_the_viewer(organization, alice, as_user, webhook, page, call):
    now = timezone.now()
    WebhookDelivery.objects.update(created_at=now)
    client = as_user(alice)
    client.cookies["timezone"] = "Asia/Tokyo"  # nine hours ahead
    for hours, found in ((8, True), (10, False)):
        since = (now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")
        text = text_of(client.get(f"{page}/redeliver", {"since": since}, follow=True))
        assert ("Make 1 call again?" in text) is found
        assert ("There is no such call since" in text) is not found


@pytest.mark.parametrize(
    "since", ["", "yesterday", "2026-13-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_a_time_that_is_none_is_said(organization, alice, as_user, webhook, page, since):
    for method in ("get", "post"):
        response = getattr(as_user(alice), method)(f"{page}/redeliver", {"since": since}, follow=True)
        assert response.status_code == 200
    assert not WebhookDelivery.objects.owed().exists()


def test_a_name_that_leads_elsewhere_is_shown_and_not_run(organization, alice, as_user):
    nasty = "<img src=x onerror=alert(1)>"
    row = create_webhook(
        actor=actor_of(alice), organization=organization, url=TARGET, description=nasty
    ).webhook
    client = as_user(alice)
    for path in ("", f"/{row.pk}", f"/{row.pk}/edit", f"/{row.pk}/off", f"/{row.pk}/rotate"):
        assert "<img src=x" not in client.get(URL + path).content.decode()


def test_whoever_created_it_bounds_what_all_means(organization, alice, bob, as_user):
    """Of a webhook that a clerk made, “all” is what the clerk may read, whoever edits it."""
    clerk = create_role(
        actor=actor_of(alice), organization=organization, name="Clerk", permissions=["webhook.manage"]
    )
    Membership.objects.filter(user=bob).update(role=clerk)
    row = create_webhook(actor=actor_of(bob), organization=organization, url=TARGET).webhook
    typed = {"url": TARGET, "scope": "all"}
    assert as_user(alice).post(f"{URL}/{row.pk}/edit", typed).status_code == 302
    row.refresh_from_db()
    assert row.types == ["organization.updated"]
    refused = as_user(alice).post(f"{URL}/{row.pk}/edit", typed | {"scope": "some", "types": SOME})
    assert refused.status_code == 409
    assert "Whoever created this webhook may not read" in text_of(refused)
