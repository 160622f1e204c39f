"""The Delivery page, and the note on every page while no mail can be sent, through the door."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from guestlist.models import Delivery, Event, Invitation, MailQueue
from tests.actions.test_send_invitations import send

ANY_ID = "01890000-0000-7000-8000-000000000000"
URL = "/o/northwind/admin/delivery"
HTMX = {"HX-Request": "true"}
REASON = "The mail server refused the sign-in: 535 5.7.8 Bad <b>password</b>."


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def rows_of(response):
    return re.findall(r'data-id="([0-9a-f-]+)"', response.content.decode())


@pytest.fixture
def failed(organization, alice):
    """A message to Jane that the mail server refused; one to John was delivered."""
    send(organization, alice, "jane@example.com\njohn@example.com")
    Delivery.objects.filter(key="john@example.com").update(state="delivered", next_at=None, at=Now())
    rows = Delivery.objects.filter(key="jane@example.com")
    rows.update(state="failed", next_at=None, at=Now(), detail="550 No such <i>user</i>")
    return rows.get()


@pytest.fixture
def trouble(db):
    """No mail can be sent at all, since two days and for ten minutes more."""
    return MailQueue.objects.create(
        failing_since=timezone.now() - timedelta(days=2),
        paused_until=timezone.now() + timedelta(minutes=10),
        reason=REASON,
        failures=3,
    )


CALLS = [
    ("get", ""),
    ("get", "/retry"),
    ("post", "/retry"),
    ("post", "/try-again"),
    ("post", f"/{ANY_ID}/retry"),
]
each_call = pytest.mark.parametrize(("method", "path"), CALLS)


@each_call
def test_signed_out_people_sign_in_first(organization, client, method, path):
    assert getattr(client, method)(URL + path).status_code == (302 if method == "get" else 401)


@each_call
def test_an_outsider_sees_nothing(organization, mallory, as_user, failed, method, path):
    assert getattr(as_user(mallory), method)(URL + path).status_code == 404


@each_call
def test_a_member_without_the_permission_gets_403_that_names_it(
    organization, charlie, as_user, failed, trouble, method, path
):
    response = getattr(as_user(charlie), method)(URL + path)
    assert response.status_code == 403
    assert "Member: Manage" in text_of(response)
    assert f'href="{URL}"' not in response.content.decode()
    assert "jane@" not in text_of(response)
    failed.refresh_from_db()
    assert failed.state == "failed"
    assert MailQueue.objects.get().paused_until


def test_the_page_says_what_became_of_each_message(organization, alice, as_user, failed):
    response = as_user(alice).get(URL)
    page = text_of(response)
    for words in (
        "All 2",
        "Failed 1",
        "Delivered 1",
        "Bounced 0",
        "To",
        "Message",
        "State",
        "When",
        "Detail",
    ):
        assert words in page
    assert "550 No such &lt;i&gt;user" in response.content.decode()
    assert 'aria-label="Retry message to jane@example.com"' in response.content.decode()
    assert "Retry message to john" not in response.content.decode()
    assert f"/invitations/{failed.invitation_id}" in response.content.decode()


@pytest.mark.parametrize("rows", [1, 50])
def test_the_page_takes_the_same_queries_for_1_and_for_50_rows(
    organization, alice, as_user, rows, django_assert_num_queries
):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(rows)))
    client = as_user(alice)
    with django_assert_num_queries(9):
        assert client.get(URL).status_code == 200


def test_messages_are_chosen_by_state_and_address_and_sorted(organization, alice, as_user, failed):
    client = as_user(alice)
    other = str(Delivery.objects.get(key="john@example.com").pk)
    assert rows_of(client.get(f"{URL}?state=failed")) == [str(failed.pk)]
    assert rows_of(client.get(f"{URL}?q=JOHN")) == [other]
    assert rows_of(client.get(f"{URL}?sort=to")) == [str(failed.pk), other]
    assert rows_of(client.get(f"{URL}?sort=-to")) == [other, str(failed.pk)]
    assert rows_of(client.get(f"{URL}?state=lost")) == rows_of(client.get(URL))
    assert "No messages match “nobody”" in text_of(client.get(f"{URL}?q=nobody"))
    assert "No messages in this state" in text_of(client.get(f"{URL}?state=bounced"))


@pytest.mark.parametrize(
    "query",
    [
        "sort=nope",
        "page=0",
        "page=999999999999",
        "after=x",
        "before=%00",
        "q=%00%ff",
        "state=%00",
        "sort=-created&q=",
    ],
)
def test_no_query_breaks_the_page(organization, alice, as_user, failed, query):
    assert as_user(alice).get(f"{URL}?{query}").status_code in (200, 422)


def test_what_is_newest_or_comes_next_stands_first(organization, alice, as_user, failed):
    send(organization, alice, "late@example.com")
    later = Delivery.objects.filter(key="late@example.com")
    later.update(state="deferred", next_at=Now() + timedelta(hours=1))
    assert rows_of(as_user(alice).get(URL))[0] == str(later.get().pk)


def test_it_says_what_is_due_and_for_how_long(organization, alice, as_user, failed):
    client = as_user(alice)
    assert "due now" not in text_of(client.get(URL))
    send(organization, alice, "a@example.com\nb@example.com")
    Delivery.objects.filter(key="a@example.com").update(next_at=Now() - timedelta(minutes=5))
    assert "2 messages are due now; the oldest has waited 5 minutes." in text_of(client.get(URL))
    Delivery.objects.filter(key="a@example.com").update(
        leased_until=Now() + timedelta(minutes=1), leased_by=uuid4()
    )
    assert "1 message is due now; it has waited less than a minute." in text_of(client.get(URL))


def test_an_organization_that_mailed_nothing_is_told_what_comes(organization, alice, as_user):
    page = text_of(as_user(alice).get(URL))
    assert "Nothing has been mailed yet" in page
    assert "Retry All Failed" not in page


def test_htmx_gets_the_list_alone_and_what_changes_around_it(organization, alice, as_user, failed, trouble):
    html = as_user(alice).get(URL, headers=HTMX).content.decode()
    assert "<!doctype" not in html
    for part in (
        'id="results"',
        'id="tabs"',
        'id="mail-note"',
        'id="retry-failed"',
        'id="count-invitations-a"',
    ):
        assert html.count(part) == 1
    assert "Try Again Now" in html


def test_another_organizations_messages_are_not_there(organization, beta, dora, as_user, failed):
    client = as_user(dora)
    assert "jane@" not in text_of(client.get("/o/beta/admin/delivery"))
    assert client.post(f"/o/beta/admin/delivery/{failed.pk}/retry").status_code == 404


def test_one_message_is_tried_again_without_javascript(organization, alice, as_user, failed):
    response = as_user(alice).post(f"{URL}/{failed.pk}/retry", follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert "Trying again. jane@example.com" in text_of(response)
    failed.refresh_from_db()
    assert (failed.state, failed.history[-1]["by"]) == ("queued", "Alice Archer")
    assert Event.objects.get(type="invitation.retried").door == "web"


def test_by_htmx_the_list_follows_when_the_message_has_had_time(organization, alice, as_user, failed):
    client = as_user(alice)
    response = client.post(f"{URL}/{failed.pk}/retry", headers=HTMX)
    assert response["HX-Trigger"] == '{"guestlist:later": {}}'
    refused = client.post(f"{URL}/{failed.pk}/retry", headers=HTMX)
    assert refused.status_code == 409
    assert "This message can’t be sent again: it is queued already." in text_of(refused)


def test_before_all_failed_ones_are_tried_it_says_how_many(organization, alice, as_user, failed):
    send(organization, alice, "a@x.test\nb@x.test")
    Delivery.objects.filter(key__endswith="@x.test").update(state="failed", next_at=None)
    Invitation.objects.filter(key="b@x.test").update(status="revoked", ended_at=Now())
    client = as_user(alice)
    assert "Retry All Failed" in text_of(client.get(URL))
    page = text_of(client.get(f"{URL}/retry"))
    assert "Retry 2 failed messages?" in page
    assert "1 is left out" in page
    assert "<dialog" in client.get(f"{URL}/retry", headers=HTMX).content.decode()
    assert Delivery.objects.filter(state="failed").count() == 3
    response = client.post(f"{URL}/retry", follow=True)
    assert "2 messages are tried again. 1 skipped, not wanted any more." in text_of(response)
    assert Delivery.objects.filter(state="queued").count() == 2
    assert "None of the failed messages is wanted any more." in text_of(
        client.get(f"{URL}/retry", follow=True)
    )


PAGES = ["members", "invitations", "delivery", "settings"]


@pytest.mark.parametrize("page", PAGES)
def test_while_no_mail_can_be_sent_every_page_says_since_when_and_why(
    organization, alice, as_user, trouble, page
):
    client = as_user(alice)
    client.cookies["timezone"] = "Asia/Tokyo"
    response = client.get(f"/o/northwind/admin/{page}")
    local = (trouble.failing_since + timedelta(hours=9)).strftime("%b %-d, %Y, %H:%M")
    said = f"Email sending has failed since {local}: The mail server refused the sign-in: 535 5.7.8 Bad "
    assert (
        said + "&lt;b&gt;password&lt;/b&gt;. Invitations are kept and go out as soon as it works."
        in re.sub(r"\s+", " ", response.content.decode())
    )
    assert f'href="{URL}"' in response.content.decode()
    assert ("Try Again Now" in text_of(response)) == (page == "delivery")


def test_a_failure_of_today_says_the_time_alone(organization, alice, as_user, trouble):
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    MailQueue.objects.update(failing_since=midnight)
    client = as_user(alice)
    client.cookies["timezone"] = "UTC"
    assert "Email sending has failed since 00:00:" in text_of(client.get("/o/northwind/admin/members"))


@pytest.mark.parametrize("page", PAGES)
def test_while_mail_goes_out_no_page_speaks_of_it(organization, alice, as_user, page):
    MailQueue.objects.create()
    response = as_user(alice).get(f"/o/northwind/admin/{page}")
    assert "Email sending has failed" not in text_of(response)
    assert re.search(r'id="mail-note"\s+hidden', response.content.decode())


def test_for_who_may_not_manage_members_nobody_asks(
    organization, alice, charlie, as_user, trouble, django_assert_max_num_queries
):
    for who, asked in ((alice, True), (charlie, False)):
        with django_assert_max_num_queries(30) as queries:
            response = as_user(who).get("/o/northwind/")
        assert any("mailqueue" in query["sql"] for query in queries.captured_queries) == asked
        assert "Email sending" not in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_trying_again_now_ends_the_pause_and_what_waits_is_due(
    organization, alice, as_user, failed, trouble, headers
):
    Delivery.objects.update(state="deferred", next_at=trouble.paused_until)
    response = as_user(alice).post(f"{URL}/try-again", headers=headers, follow=True)
    assert "Trying again now." in text_of(response)
    queue = MailQueue.objects.get()
    assert (queue.paused_until, queue.failing_since) == (None, trouble.failing_since)
    assert Delivery.objects.due().count() == 2
    assert "It is being tried again." in text_of(as_user(alice).get(URL))
