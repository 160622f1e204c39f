"""The Invitations page, through the door."""

import re

import pytest

from guestlist.models import Event, Invitation
from tests.actions.test_send_invitations import send

ANY_ID = "01890000-0000-7000-8000-000000000000"
URL = "/o/northwind/admin/invitations"
HTMX = {"HX-Request": "true"}


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize("path", ["", "/new", "/revoke?ids=x"])
def test_signed_out_people_sign_in_and_come_back(organization, client, path):
    response = client.get(URL + path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/o/northwind/admin/invitations")


def test_a_session_that_ended_keeps_the_page_and_goes_to_sign_in(organization, client):
    response = client.post(
        f"{URL}/new", {"emails": "a@b.test"}, headers=HTMX | {"HX-Current-URL": f"http://testserver{URL}"}
    )
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/accounts/login/?next={URL}"


def test_an_outsider_sees_what_an_unknown_organization_shows(organization, mallory, as_user):
    client = as_user(mallory)
    ours, unknown = client.get(URL), client.get("/o/nowhere/admin/invitations")
    assert (ours.status_code, unknown.status_code) == (404, 404)
    assert ours.content == unknown.content


def test_a_member_without_the_permission_gets_403_that_names_it(organization, charlie, as_user):
    client = as_user(charlie)
    response = client.get(URL)
    assert response.status_code == 403
    assert "Member: Manage" in text_of(response)
    assert f'href="{URL}"' not in response.content.decode()
    for path in ("/new", "/preview", "/revoke", "/resend"):
        assert client.post(URL + path, {"emails": "a@b.test"}).status_code == 403
    assert not Invitation.objects.exists()


def test_the_page_lists_pending_invitations_newest_first(organization, alice, as_user):
    send(organization, alice, "first@acme.test")
    send(organization, alice, "second@acme.test")
    html = as_user(alice).get(URL).content.decode()
    assert html.index("Select second@acme.test") < html.index("Select first@acme.test")
    page = re.sub(r"<[^>]+>", " ", html)
    for header in ("Email", "Status", "Invited", "Expires", "Actions"):
        assert header in page
    assert "in 7 days" in page


@pytest.mark.parametrize("rows", [1, 50])
def test_the_page_takes_the_same_queries_for_1_and_for_50_rows(
    organization, alice, as_user, rows, django_assert_num_queries
):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(rows)))
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


def test_sending_without_javascript_redirects_with_the_message(organization, alice, bob, as_user):
    response = as_user(alice).post(
        f"{URL}/new", {"emails": "a@x.test, b@x.test\nc@x.test, bob@northwind.test"}, follow=True
    )
    assert response.redirect_chain == [(URL, 302)]
    assert "3 invitations sent. 1 already a member, skipped." in text_of(response)
    assert 'role="status"' in response.content.decode()


def test_sending_by_htmx_answers_a_toast_and_closes_the_dialog(organization, alice, as_user):
    response = as_user(alice).post(f"{URL}/new", {"emails": "a@x.test"}, headers=HTMX)
    assert response.status_code == 200
    assert "1 invitation sent." in text_of(response)
    assert set(re.findall(r"guestlist:\w+", response["HX-Trigger"])) == {
        "guestlist:sent",
        "guestlist:changed",
    }


def test_part_sent_leaves_only_the_bad_text_in_the_box(organization, alice, as_user):
    response = as_user(alice).post(f"{URL}/new", {"emails": "a@x.test, x@y, <script>@z.test"})
    assert response.status_code == 200
    html = response.content.decode()
    assert "1 invitation sent." in html
    box = re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.S)[1]
    assert "a@x.test" not in box
    assert "x@y" in box
    assert "<script>@" not in html


@pytest.mark.parametrize(
    ("text", "status", "answer"),
    [
        ("", 422, "Enter at least one email address."),
        ("x@y", 422, "None of these addresses can be invited."),
        ("bob@northwind.test", 422, "1 already a member, skipped."),
        ("a" * 1_000_001, 413, "too much text"),
        ("\n".join(f"p{i}@x.test" for i in range(10_001)), 422, "10,001 addresses"),
    ],
    ids=["nothing", "bad", "member", "too large", "too many"],
)
def test_what_cannot_be_sent_says_why_and_keeps_what_was_typed(
    organization, alice, bob, as_user, text, status, answer
):
    response = as_user(alice).post(f"{URL}/new", {"emails": text})
    assert response.status_code == status
    assert answer in response.content.decode()
    box = re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.S)[1]
    assert box.strip("\n") == text
    assert not Invitation.objects.exists()


def test_the_preview_is_the_servers_and_sends_nothing(organization, alice, bob, as_user):
    response = as_user(alice).post(
        f"{URL}/preview",
        {"emails": "a@x.test, a@x.test, bob@northwind.test, x@y, sam@gmial.com"},
        headers=HTMX,
    )
    text = text_of(response)
    for part in (
        "2 will be invited",
        "1 to fix",
        "1 already a member, skipped",
        "1 listed twice",
        "gmail.com?",
    ):
        assert part in text
    assert not Invitation.objects.exists()


def test_revoking_asks_first_and_names_the_address(organization, alice, as_user):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    client = as_user(alice)
    question = client.get(f"{URL}/{row.pk}/revoke")
    assert "Revoke invitation?" in text_of(question)
    assert "jane@acme.test" in question.content.decode()
    row.refresh_from_db()
    assert row.status == "pending"
    dialog = client.get(f"{URL}/{row.pk}/revoke", headers=HTMX).content.decode()
    assert 'role="alertdialog"' in dialog
    response = client.post(f"{URL}/{row.pk}/revoke", follow=True)
    assert "Invitation revoked." in text_of(response)
    row.refresh_from_db()
    assert row.status == "revoked"


def test_revoking_what_was_accepted_meanwhile_tells_the_truth(organization, alice, as_user):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Invitation.objects.update(status="accepted", ended_at=row.invited_at)
    response = as_user(alice).post(f"{URL}/{row.pk}/revoke", headers=HTMX)
    assert response.status_code == 409
    assert "it is accepted" in text_of(response)


def test_a_selection_is_revoked_after_a_question(organization, alice, as_user):
    send(organization, alice, "a@x.test, b@x.test, c@y.test")
    ids = [str(pk) for pk in Invitation.objects.filter(key__endswith="x.test").values_list("pk", flat=True)]
    client = as_user(alice)
    question = client.get(f"{URL}/revoke", {"ids": ids, "status": "pending"})
    assert "Revoke 2 invitations?" in text_of(question)
    client.post(f"{URL}/revoke", {"ids": ids})
    assert Invitation.objects.filter(status="revoked").count() == 2


@pytest.mark.parametrize(("method", "path"), [("get", "revoke"), ("post", "revoke"), ("post", "resend")])
def test_with_nothing_selected_the_page_says_what_to_do_first(organization, alice, as_user, method, path):
    send(organization, alice, "jane@acme.test")
    response = getattr(as_user(alice), method)(f"{URL}/{path}")
    assert response.status_code == 422
    assert "Select at least one invitation first." in text_of(response)
    assert Invitation.objects.get().sent_count == 1


@pytest.mark.parametrize(
    ("path", "done"), [("revoke", "1 invitation revoked."), ("resend", "1 invitation sent again.")]
)
def test_what_is_gone_or_there_twice_is_called_what_it_is(organization, alice, as_user, path, done):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    response = as_user(alice).post(f"{URL}/{path}", {"ids": [row.pk, row.pk, ANY_ID]}, follow=True)
    assert f"{done} 1 skipped: not found. 1 listed twice." in text_of(response)


def test_all_that_match_travels_as_the_filter(organization, alice, as_user):
    send(organization, alice, "\n".join(f"p{i}@x.test" for i in range(60)) + "\nq@y.test")
    client = as_user(alice)
    assert "Select all 60 that match" in text_of(client.get(URL, {"q": "@x"}))
    client.post(f"{URL}/resend", {"all": "1", "status": "pending", "q": "@x"})
    assert Event.objects.filter(type="invitation.resent").count() == 60


def test_another_organizations_invitation_is_answered_like_an_unknown_one(
    organization, beta, alice, dora, as_user
):
    row = send(beta, dora, "jane@acme.test").outcomes[0].invitation
    client = as_user(alice)
    for method in (client.get, client.post):
        theirs = method(f"{URL}/{row.pk}/revoke")
        unknown = method(f"{URL}/0199aaaa-0000-7000-8000-000000000000/revoke")
        assert (theirs.status_code, theirs.content) == (404, unknown.content)
    row.refresh_from_db()
    assert row.status == "pending"


@pytest.mark.parametrize(
    "sort", ["email", "-email", "status", "-status", "invited", "-invited", "expires", "-expires"]
)
def test_every_column_sorts_both_ways(organization, alice, as_user, sort):
    send(organization, alice, "b@x.test, a@x.test")
    html = as_user(alice).get(URL, {"sort": sort}).content.decode()
    direction = "descending" if sort.startswith("-") else "ascending"
    assert f'aria-sort="{direction}"' in html
    if "email" in sort:
        assert (html.index("Select a@x.test") < html.index("Select b@x.test")) == (sort == "email")


@pytest.mark.parametrize(
    "query", ["sort=evil", "after=!!!", "page=999999999999", "page=-1", "status=x", "q=%25_%00"]
)
def test_a_nonsense_address_never_breaks_the_page(organization, alice, as_user, query):
    send(organization, alice, "b@x.test")
    assert as_user(alice).get(f"{URL}?{query}").status_code in (200, 422)


def test_post_without_a_csrf_token_is_refused(organization, alice):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(f"{URL}/new", {"emails": "a@x.test"}).status_code == 403
    assert not Invitation.objects.exists()


def test_no_token_is_on_any_page(organization, alice, as_user):
    send(organization, alice, "b@x.test")
    client = as_user(alice)
    for path in (URL, "/o/northwind/admin/members", "/o/northwind/"):
        assert "gli_" not in client.get(path).content.decode()


def test_a_body_over_four_megabytes_is_refused_before_it_is_read(organization, alice, as_user):
    client = as_user(alice)
    for headers in ({}, HTMX):
        response = client.post(f"{URL}/new", {"emails": "a" * 4_100_000}, headers=headers)
        assert response.status_code == 413
        assert "too much text" in text_of(response)
    assert not Invitation.objects.exists()


def test_bytes_that_are_no_text_are_answered_not_fatal(organization, alice, as_user):
    response = as_user(alice).post(
        f"{URL}/new", b"emails=jane%FF%FE@acme.test\xff", content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 422
    assert not Invitation.objects.exists()


def test_mail_that_failed_shows_on_its_row_with_the_servers_words(organization, alice, as_user):
    from guestlist.models import Delivery

    send(organization, alice, "jane@acme.test")
    Delivery.objects.update(state="failed", detail="550 No such user", next_at=None)
    page = as_user(alice).get(URL).content.decode()
    assert "Email failed" in page
    assert "550 No such user" in page


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "nonsense"])
def test_a_form_in_another_charset_is_refused(db, client, charset):
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    assert client.generic("POST", "/accounts/login/", b"a=1", content_type=kind).status_code == 415


def test_inviting_who_is_pending_offers_to_resend_with_one_click(organization, alice, as_user):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    client = as_user(alice)
    html = client.post(f"{URL}/new", {"emails": "jane@acme.test"}).content.decode()
    assert "Resend 1" in html
    assert f'name="ids" value="{row.pk}"' in html
    client.post(f"{URL}/resend", {"emails": "jane@acme.test", "ids": [str(row.pk)]})
    row.refresh_from_db()
    assert row.sent_count == 2


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x", "\\u0000"])
def test_a_forged_cursor_is_refused(organization, alice, as_user, when):
    import base64

    text = f'["invited","{when}","0199aaaa-0000-7000-8000-000000000000"]'
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    response = as_user(alice).get(URL, {"sort": "invited", "after": cursor})
    assert response.status_code in (200, 422)


def test_text_typed_before_the_session_ended_is_shown_again(organization, client):
    page = {"Referer": f"http://testserver{URL}/new"}
    response = client.post(f"{URL}/new", {"emails": "a@x.test, b@x.test"}, headers=page)
    assert response.status_code == 401
    assert "a@x.test, b@x.test" in response.content.decode()
    assert f"next={URL}/new" in response.content.decode()


@pytest.mark.parametrize("referer", ["https://evil.test/x", "//evil.test", "http://[", "javascript:1", ""])
def test_signing_in_again_never_leads_to_an_address_that_takes_only_forms(organization, client, referer):
    answer = client.post(f"/invitations/{ANY_ID}/accept", headers={"Referer": referer})
    assert answer.status_code == 401
    assert "next=/&quot;" in answer.content.decode() or 'next=/"' in answer.content.decode()


def test_a_page_that_names_no_address_leads_to_the_start(organization, client):
    answer = client.post(f"{URL}/new", headers={"HX-Request": "true", "HX-Current-URL": "http://["})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/accounts/login/?next=/")
