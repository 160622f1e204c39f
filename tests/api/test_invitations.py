"""Invitations over REST."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from guestlist.api.resources import invitations as resources
from guestlist.models import Delivery, Event, Invitation, Membership, Organization, Suppression
from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/invitations"
ANY = "01890000-0000-7000-8000-000000000000"


def expire(*ids):
    rows = Invitation.objects.filter(pk__in=ids)
    rows.update(
        invited_at=F("invited_at") - timedelta(days=30), expires_at=F("expires_at") - timedelta(days=20)
    )


def test_each_address_gets_its_own_answer(manager, bob):
    emails = ["Jane@Example.com", bob.email, "jane@example.com", "jane@", "eve@example.com"]
    response = manager("POST", URL, {"emails": emails})
    assert response.status_code == 201
    data = response.data
    assert {k: data[k] for k in ("sent", "skipped", "duplicates", "invalid")} == {
        "sent": 2,
        "skipped": 1,
        "duplicates": 1,
        "invalid": 1,
    }
    outcomes = [result["outcome"] for result in data["results"]]
    assert outcomes == ["sent", "already_member", "duplicate", "invalid", "sent"]
    assert data["results"][0]["email"] == "Jane@example.com"
    assert data["results"][3] == {"input": "jane@", "outcome": "invalid", "reason": "missing_domain"}
    resources.Batch.model_validate(data)
    assert Delivery.objects.filter(state="queued").count() == 2


def test_raw_text_is_understood_as_pasted(manager, organization):
    response = manager("POST", URL, {"text": "Jane Doe <jane@example.com>, bob@example.com\n"})
    assert response.status_code == 201
    assert response.data["sent"] == 2


def test_inviting_again_sends_nothing_and_is_200(manager, invite):
    (invitation,) = invite("jane@example.com")
    response = manager("POST", URL, {"emails": ["JANE@example.com"]})
    assert response.status_code == 200
    assert response.data["results"][0]["outcome"] == "already_invited"
    assert response.data["results"][0]["invitation"] == invitation


def test_a_preview_changes_nothing(manager, organization):
    response = manager("POST", f"{URL}/preview", {"emails": ["jane@example.com", "jane@"]})
    assert response.status_code == 200
    assert [r["outcome"] for r in response.data["results"]] == ["would_send", "invalid"]
    assert not Invitation.objects.exists()
    assert not Event.objects.filter(type__startswith="invitation").exists()


def test_no_role_can_be_chosen_when_inviting(manager, organization):
    extra = {"role": "owner", "is_admin": True, "org": "beta", "status": "accepted", "expires_at": "2099"}
    response = manager("POST", URL, {"emails": ["jane@example.com"], **extra})
    assert_problem(response, 422, "invalid_input")
    assert {(e["field"], e["code"]) for e in response.data["errors"]} == {(f, "unknown_field") for f in extra}
    assert not Invitation.objects.exists()


def test_the_mailed_link_is_in_no_answer(manager, invite):
    (invitation,) = invite("jane@example.com")
    nonce = Invitation.objects.get().nonce
    for path in (URL, f"{URL}/{invitation['id']}"):
        content = manager("GET", path).content.decode()
        assert "gli_" not in content
        assert nonce not in content


@pytest.mark.parametrize("body", [{}, {"emails": ["a@example.com"], "text": "b@example.com"}])
def test_exactly_one_source_of_addresses_is_taken(manager, organization, body):
    assert_problem(manager("POST", URL, body), 422, "invalid_input")


@pytest.mark.parametrize("body", [{"emails": []}, {"text": ""}, {"text": " ,;\n"}])
def test_no_address_at_all_is_422(manager, organization, body):
    assert_problem(manager("POST", URL, body), 422, "no_addresses")


@pytest.mark.parametrize("key", ["emails", "text"])
def test_more_than_ten_thousand_addresses_send_nothing(manager, organization, key):
    addresses = [f"p{i}@example.com" for i in range(10_001)]
    body = {key: addresses if key == "emails" else "\n".join(addresses)}
    assert_problem(manager("POST", URL, body), 422, "too_many_addresses")
    assert not Invitation.objects.exists()


def test_sending_costs_as_many_queries_for_one_as_for_five_hundred(manager, organization):
    manager("GET", "northwind")  # writes the time of use

    def queries(count):
        emails = [f"p{i}of{count}@example.com" for i in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert manager("POST", URL, {"emails": emails}).data["sent"] == count
        return len(captured)

    assert queries(1) == queries(500)


def test_a_spoofed_display_name_sends_nothing(manager, organization):
    response = manager("POST", URL, {"text": "ceo@acme.test <mallory@evil.test>"})
    assert response.status_code == 200
    assert response.data["sent"] == 0
    assert response.data["results"][0]["reason"] == "display_name_mismatch"
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("token", ["<script>alert(1)</script>", "\x1b]0;x\x07@x", "jane@", "é@x.test"])
def test_what_was_refused_is_echoed_as_it_was_sent(manager, organization, token):
    response = manager("POST", URL, {"emails": [token]})
    assert response.status_code == 200
    assert response.data["results"][0]["outcome"] == "invalid"
    assert response.data["results"][0]["input"] == token
    assert response.content.isascii()
    assert b"\x1b" not in response.content


def test_an_echo_is_cut(manager, organization):
    response = manager("POST", URL, {"emails": ["x" * 5000]})
    assert len(response.data["results"][0]["input"]) <= 320


def test_invitations_are_listed_newest_first_and_paged(manager, invite):
    invite(*(f"p{i}@example.com" for i in range(5)))
    seen, cursor = [], ""
    while cursor is not None:
        page = manager("GET", f"{URL}?limit=2&sort=email&cursor={cursor}").data
        resources.InvitationList.model_validate(page)
        assert page["total"] == 5
        seen += [item["email"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"p{i}@example.com" for i in range(5)]


def test_a_list_is_filtered_by_status_and_text(manager, invite):
    jane, *_ = invite("jane@example.com", "bob@example.com")
    manager("POST", f"{URL}/{jane['id']}/revoke")
    assert [i["email"] for i in manager("GET", f"{URL}?status=revoked").data["items"]] == ["jane@example.com"]
    assert [i["email"] for i in manager("GET", f"{URL}?q=BOB").data["items"]] == ["bob@example.com"]
    assert manager("GET", URL).data["total"] == 2
    assert manager("GET", f"{URL}?status=pending&q=jane").data["total"] == 0


def test_beyond_ten_thousand_the_total_is_null(manager, invite, monkeypatch):
    invite("jane@example.com", "bob@example.com")
    for module in ("models.headcount", "api.paging"):
        monkeypatch.setattr(f"guestlist.{module}.COUNT_LIMIT", 1)
    assert manager("GET", URL).data["total"] is None
    assert manager("GET", f"{URL}?status=accepted").data["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "status=nope",
        "sort=nope",
        "sort=--email",
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=nope",
        "cursor=%F0%9F%98%80",
        "stauts=pending",
        "q=%00",
        "q=" + "x" * 321,
    ],
)
def test_a_list_refuses_what_it_does_not_understand(manager, invite, query):
    response = manager("GET", f"{URL}?{query}")
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "cursor",
    ['["email", "\\u0000", "{id}"]', '["email", "\\ud800", "{id}"]', '["-invited", "x", "{id}"]', "[1]"],
)
def test_a_forged_cursor_is_refused(manager, invite, cursor):
    import base64

    text = base64.urlsafe_b64encode(cursor.replace("{id}", str(uuid.uuid4())).encode()).decode()
    sort = "email" if "email" in cursor else "-invited"
    response = manager("GET", f"{URL}?sort={sort}&cursor={text}")
    assert response.status_code in (200, 422)


def test_one_invitation_is_shown(manager, invite):
    (invitation,) = invite("jane@example.com")
    assert manager("GET", f"{URL}/{invitation['id']}").data == invitation
    resources.Invitation.model_validate(invitation)


@pytest.mark.parametrize("nothing", ["nope", "0", ANY, "%00", "é"])
@pytest.mark.parametrize(("method", "verb"), [("GET", ""), ("POST", "/revoke"), ("POST", "/resend")])
def test_an_id_of_nothing_is_404(manager, organization, method, verb, nothing):
    assert_problem(manager(method, f"{URL}/{nothing}{verb}"), 404, "not_found")


def test_revoking_cancels_the_mail_and_says_so(manager, invite):
    (invitation,) = invite("jane@example.com")
    response = manager("POST", f"{URL}/{invitation['id']}/revoke")
    assert response.status_code == 200
    assert response.data["status"] == "revoked"
    assert response.data["delivery"]["state"] == "canceled"
    assert response.data == manager("GET", f"{URL}/{invitation['id']}").data


def test_what_has_ended_can_be_neither_revoked_nor_resent(manager, invite):
    (invitation,) = invite("jane@example.com")
    manager("POST", f"{URL}/{invitation['id']}/revoke")
    for verb in ("revoke", "resend"):
        response = manager("POST", f"{URL}/{invitation['id']}/{verb}")
        assert_problem(response, 409, "not_pending")
        assert response.data["invitation_status"] == "revoked"


def test_resending_a_pending_invitation_keeps_its_id(manager, invite):
    (invitation,) = invite("jane@example.com")
    again = manager("POST", f"{URL}/{invitation['id']}/resend").data
    assert (again["id"], again["sent_count"]) == (invitation["id"], 2)
    assert again == manager("GET", f"{URL}/{invitation['id']}").data


def test_resending_an_expired_invitation_answers_with_a_new_one(manager, invite):
    (invitation,) = invite("jane@example.com")
    expire(invitation["id"])
    assert manager("GET", f"{URL}/{invitation['id']}").data["status"] == "expired"
    again = manager("POST", f"{URL}/{invitation['id']}/resend").data
    assert again["id"] != invitation["id"]
    assert again["status"] == "pending"
    resources.Invitation.model_validate(again)


def test_bulk_by_ids_answers_in_their_order(manager, invite):
    jane, bob = invite("jane@example.com", "bob@example.com")
    ids = [bob["id"], "nope", jane["id"], str(uuid.uuid4()), "\x00\ud800"]
    response = manager("POST", f"{URL}/revoke", {"ids": ids})
    assert response.status_code == 200
    outcomes = ["revoked", "not_found", "revoked", "not_found", "not_found"]
    assert [r["outcome"] for r in response.data["results"]] == outcomes
    assert [r["id"] for r in response.data["results"]] == ids
    assert (response.data["revoked"], response.data["skipped"]) == (2, 3)
    resources.Revoked.model_validate({**response.data, "results": response.data["results"][:4]})


@pytest.mark.parametrize(("verb", "done"), [("revoke", "revoked"), ("resend", "resent")])
def test_an_id_given_again_is_a_duplicate_and_the_numbers_add_up(manager, invite, verb, done):
    jane, bob = invite("jane@example.com", "bob@example.com")
    ids = [jane["id"], jane["id"].upper(), "nope", bob["id"], "nope", jane["id"]]
    response = manager("POST", f"{URL}/{verb}", {"ids": ids})
    outcomes = [done, "duplicate", "not_found", done, "duplicate", "duplicate"]
    assert [r["outcome"] for r in response.data["results"]] == outcomes
    assert (response.data[done], response.data["skipped"]) == (2, 4)
    model = {"revoke": resources.Revoked, "resend": resources.Resent}[verb]
    model.model_validate(response.data)


def test_bulk_by_filter_takes_any_number(manager, invite):
    invite("jane@example.com", "jan@example.com", "bob@example.com")
    response = manager("POST", f"{URL}/resend", {"status": "pending", "q": "jan"})
    assert (response.data["resent"], response.data["skipped"]) == (2, 0)
    resources.Resent.model_validate(response.data)
    assert manager("POST", f"{URL}/revoke", {"status": "pending"}).data["revoked"] == 3


def test_ten_thousand_ids_are_taken(manager, invite):
    (jane,) = invite("jane@example.com")
    ids = [*(str(uuid.uuid4()) for _ in range(9_999)), jane["id"]]
    response = manager("POST", f"{URL}/revoke", {"ids": ids})
    assert response.status_code == 200
    assert (response.data["revoked"], response.data["skipped"]) == (1, 9_999)
    assert [r["id"] for r in response.data["results"]] == ids
    assert response.data["results"][-1]["outcome"] == "revoked"


def test_bulk_by_filter_lists_the_first_hundred_that_were_skipped(manager, invite):
    ended = {i["id"] for i in invite(*(f"p{n}@example.com" for n in range(101)))}
    assert manager("POST", f"{URL}/revoke", {"status": "pending"}).data["revoked"] == 101
    invite("jane@example.com")
    response = manager("POST", f"{URL}/revoke", {"q": "example"})
    assert (response.data["revoked"], response.data["skipped"]) == (1, 101)
    assert {r["outcome"] for r in response.data["results"]} == {"not_pending"}
    listed = {r["id"] for r in response.data["results"]}
    assert len(response.data["results"]) == len(listed) == 100
    assert listed < ended


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing_chosen"),
        ({"q": "", "status": ""}, "nothing_chosen"),
        ({"q": " "}, "nothing_chosen"),
        ({"q": " \u200b", "status": ""}, "nothing_chosen"),
        ({"status": "nope"}, "invalid_filter"),
        ({"ids": ["x"] * 10_001}, "too_many_ids"),
        ({"ids": [], "status": "pending"}, "invalid_input"),
        ({"ids": "all"}, "invalid_input"),
        ({"ids": [1]}, "invalid_input"),
        ({"status": None}, "invalid_input"),
        ({"q": "\ud800"}, "invalid_input"),
        ({"q": "\x00"}, "invalid_input"),
        ({"all": True}, "invalid_input"),
    ],
)
@pytest.mark.parametrize("verb", ["revoke", "resend"])
def test_bulk_needs_a_choice(manager, invite, verb, body, code):
    invite("jane@example.com")
    assert_problem(manager("POST", f"{URL}/{verb}", body), 422, code)
    assert Invitation.objects.get().sent_count == 1


def test_a_member_who_joined_has_no_role_until_given_one(manager, charlie, organization):
    assert Membership.objects.active().filter(organization=organization, user=charlie).exists()
    with pytest.raises(ValidationError):
        resources.Invitation.model_validate({"id": "x"})


def test_an_address_that_asked_not_to_be_invited_is_skipped_and_not_mailed_again(
    manager, invite, organization, beta
):
    (pending,) = invite("vera@acme.test")
    Suppression.objects.create(key="vera@acme.test")
    Suppression.objects.create(key="other@acme.test", organization=beta)
    body = {"emails": ["vera@acme.test", "no@acme.test", "other@acme.test"]}
    Suppression.objects.create(key="no@acme.test", organization=organization)
    response = manager("POST", "northwind/invitations", body)
    outcomes = [result["outcome"] for result in response.data["results"]]
    assert outcomes == ["already_invited", "suppressed", "sent"]
    assert (response.data["sent"], response.data["skipped"]) == (1, 2)
    path = f"northwind/invitations/{pending['id']}/resend"
    assert_problem(manager("POST", path), status=409, code="suppressed")
    many = manager("POST", "northwind/invitations/resend", {"ids": [pending["id"], ANY]}).data
    assert [result["outcome"] for result in many["results"]] == ["suppressed", "not_found"]
    assert (many["resent"], many["skipped"]) == (0, 2)


def test_requests_for_a_new_invitation_are_a_filter(manager, invite):
    invite("vera@acme.test", "second@acme.test")
    Invitation.objects.filter(email="vera@acme.test").update(asked_at=Now(), asking=True)
    listed = manager("GET", "northwind/invitations?status=asked").data
    assert [row["email"] for row in listed["items"]] == ["vera@acme.test"]
    assert_problem(manager("GET", "northwind/invitations?status=lost"), status=422, code="invalid_filter")


def test_invitations_last_as_long_as_the_call_says(manager, organization):
    for lifetime, hours in (("36h", 36), ("2d", 48)):
        data = manager("POST", URL, {"emails": [f"j{lifetime}@example.com"], "lifetime": lifetime}).data
        invitation = Invitation.objects.get(pk=data["results"][0]["invitation"]["id"])
        assert invitation.expires_at - invitation.invited_at == timedelta(hours=hours)
    answer = manager("POST", URL, {"emails": ["eve@example.com"], "lifetime": "never"})
    assert answer.data["results"][0]["invitation"]["expires_at"] is None


@pytest.mark.parametrize("path", [URL, f"{URL}/preview"])
@pytest.mark.parametrize("lifetime", ["59m", "3651d", "soon", "-1d", "\u0000"])
def test_a_lifetime_that_is_none_sends_nothing(manager, organization, path, lifetime):
    response = manager("POST", path, {"emails": ["jane@example.com"], "lifetime": lifetime})
    assert_problem(response, 422, "lifetime_invalid")
    assert response.data["errors"][0]["field"] == "lifetime"
    assert not Invitation.objects.exists()


def test_an_address_that_is_not_allowed_is_invalid_with_its_reason(manager, organization):
    Organization.objects.update(denied_domains=["*.evil.test"])
    response = manager("POST", URL, {"emails": ["x@a.evil.test", "jane@example.com"]})
    assert response.status_code == 201
    refused = {"input": "x@a.evil.test", "outcome": "invalid", "reason": "domain_not_allowed"}
    assert response.data["results"][0] == refused
    assert (response.data["sent"], response.data["invalid"]) == (1, 1)
    resources.Batch.model_validate(response.data)
    again = manager("POST", URL, {"emails": ["x@a.evil.test"]})
    assert again.status_code == 200
    assert again.data["results"] == [refused]


def test_an_expired_one_is_not_resent_where_the_organization_does_not_allow_it_any_more(manager, invite):
    (invitation,) = invite("jane@evil.test")
    expire(invitation["id"])
    Organization.objects.update(allowed_domains=["example.com"])
    response = manager("POST", f"{URL}/{invitation['id']}/resend")
    assert_problem(response, 409, "domain_not_allowed")
    several = manager("POST", f"{URL}/resend", {"ids": [invitation["id"]]})
    assert several.data["results"] == [{"id": invitation["id"], "outcome": "domain_not_allowed"}]
    resources.Resent.model_validate(several.data)
