"""Messages over REST."""

import uuid
from typing import get_args

import pytest
from pydantic import TypeAdapter

from guestlist.api.resources import deliveries as resources
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import Kind, State
from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/deliveries"


@pytest.fixture
def failed(invite):
    """A message to Jane that the mail server refused."""
    (invitation,) = invite("jane@example.com")
    entry = {
        "at": "2026-01-01T00:00:00Z",
        "state": "failed",
        "detail": "550 No",
        "attempt": 1,
        "seconds": 0.1,
    }
    Delivery.objects.update(state="failed", next_at=None, detail="550 No", attempts=1, history=[entry])
    return Delivery.objects.get(invitation=invitation["id"])


def test_a_message_says_what_became_of_it(manager, failed):
    response = manager("GET", URL)
    assert response.status_code == 200
    TypeAdapter(resources.MessageList).validate_python(response.data)
    (item,) = response.data["items"]
    assert item == {
        "id": str(failed.pk),
        "kind": "invitation",
        "to": "jane@example.com",
        "invitation_id": str(failed.invitation_id),
        "message_id": failed.message_id,
        "created_at": item["created_at"],
        "state": "failed",
        "detail": "550 No",
        "attempts": 1,
        "at": None,
        "next_at": None,
        "history": [
            {
                "at": "2026-01-01T00:00:00Z",
                "state": "failed",
                "detail": "550 No",
                "attempt": 1,
                "seconds": 0.1,
                "by": None,
                "unclear": False,
                "interrupted": False,
            }
        ],
    }
    assert (response.data["next_cursor"], response.data["total"]) == (None, 1)


def test_no_answer_holds_a_token(manager, failed):
    for path in (URL, f"northwind/invitations/{failed.invitation_id}/deliveries"):
        content = manager("GET", path).content.decode()
        assert "gli_" not in content
        assert Invitation.objects.get().nonce not in content


def test_messages_are_chosen_by_state_and_address(manager, invite, failed):
    invite("john@example.com", "joan@other.test")

    def found(query):
        return [item["to"] for item in manager("GET", f"{URL}?{query}").data["items"]]

    assert found("state=failed") == ["jane@example.com"]
    assert found("state=queued&q=JOHN") == ["john@example.com"]
    assert found("q=example.com&sort=to") == ["jane@example.com", "john@example.com"]
    assert found("sort=-to&limit=1") == ["john@example.com"]
    assert len(found("")) == 3
    assert_problem(manager("GET", f"{URL}?state=lost"), 422, "invalid_filter")
    assert_problem(manager("GET", f"{URL}?sort=kind"), 422, "invalid_filter")
    assert_problem(manager("GET", f"{URL}?status=failed"), 422, "invalid_input")


@pytest.mark.parametrize("sort", ["to", "-state", "created", "-created"])
def test_pages_follow_one_another(manager, invite, failed, sort):
    invite(*(f"p{n}@x.test" for n in range(4)))
    seen, cursor = [], ""
    while cursor is not None:
        page = manager("GET", f"{URL}?limit=2&sort={sort}&cursor={cursor}").data
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5


def test_an_invitation_lists_its_own_messages(manager, invite, failed):
    (other,) = invite("john@example.com")
    page = manager("GET", f"northwind/invitations/{failed.invitation_id}/deliveries").data
    assert [item["id"] for item in page["items"]] == [str(failed.pk)]
    for unknown in (uuid.uuid4(), "nope"):
        assert_problem(manager("GET", f"northwind/invitations/{unknown}/deliveries"), 404, "not_found")
    assert manager("GET", f"northwind/invitations/{other['id']}").data["delivery"].keys() == {
        "state",
        "detail",
        "attempts",
        "at",
        "next_at",
    }


def test_the_messages_of_another_organization_are_not_there(stranger, failed):
    assert stranger("GET", "beta/deliveries").data["items"] == []
    assert_problem(stranger("GET", f"beta/invitations/{failed.invitation_id}/deliveries"), 404, "not_found")
    assert_problem(stranger("POST", f"beta/deliveries/{failed.pk}/retry"), 404, "not_found")
    assert stranger("POST", "beta/deliveries/retry").data == {"retried": 0, "skipped": 0}
    assert Delivery.objects.get().state == "failed"


def test_a_failed_message_is_tried_again(manager, failed):
    response = manager("POST", f"{URL}/{failed.pk}/retry")
    assert response.status_code == 200
    TypeAdapter(resources.Message).validate_python(response.data)
    assert (response.data["state"], response.data["detail"]) == ("queued", None)
    assert response.data["history"][-1]["by"] == "Test key"
    again = manager("POST", f"{URL}/{failed.pk}/retry")
    assert_problem(again, 409, "not_retryable")
    assert again.data["delivery_state"] == "queued"
    assert "queued already" in again.data["detail"]


def test_all_failed_ones_are_tried_again(manager, invite, failed):
    invite("john@example.com")
    Delivery.objects.update(state="failed", next_at=None)
    Invitation.objects.filter(email="john@example.com").update(
        status="revoked", ended_at="2026-01-01T00:00:00Z"
    )
    assert manager("POST", f"{URL}/retry").data == {"retried": 1, "skipped": 1}
    assert Delivery.objects.get(pk=failed.pk).state == "queued"


@pytest.mark.parametrize("path", [f"{URL}/nope/retry", f"{URL}/0197f0e0-0000-7000-8000-000000000000/retry"])
def test_an_unknown_message_is_not_found(manager, organization, path):
    assert_problem(manager("POST", path), 404, "not_found")


def test_one_message_is_shown_as_in_the_list(manager, stranger, failed):
    response = manager("GET", f"{URL}/{failed.pk}")
    assert response.status_code == 200
    resources.Message.model_validate(response.data)
    assert response.data == manager("GET", URL).data["items"][0]
    for unknown in ("nope", uuid.uuid4()):
        assert_problem(manager("GET", f"{URL}/{unknown}"), 404, "not_found")
    assert_problem(stranger("GET", f"beta/deliveries/{failed.pk}"), 404, "not_found")


def test_every_kind_of_message_is_described():
    assert set(get_args(resources.Message.model_fields["kind"].annotation)) == set(Kind.values)
    assert set(get_args(resources.Message.model_fields["state"].annotation)) == set(State.values)
