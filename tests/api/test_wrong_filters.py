"""Which parameter of a list was wrong."""

import pytest

from guestlist.actions.webhooks import create_webhook
from guestlist.permissions import all_permissions
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("invitations?status=nope", "status"),
        ("invitations?sort=nope", "sort"),
        ("invitations?status=pending&sort=nope", "sort"),
        ("deliveries?state=nope", "state"),
        ("deliveries?sort=nope", "sort"),
        ("members?role=nope", "role"),
        ("members.csv?role=nope", "role"),
        ("members?sort=nope", "sort"),
        ("api-keys?status=nope", "status"),
        ("join-requests?status=nope", "status"),
        ("events?type=nope", "type"),
        ("events.csv?sort=nope", "sort"),
        ("webhooks/{webhook}/deliveries?state=nope", "state"),
    ],
)
def test_the_parameter_that_was_wrong_is_named(organization, alice, make_key, path, field):
    api = ApiClient(make_key(organization, permissions=sorted(all_permissions())))
    new = create_webhook(actor=actor_of(alice), organization=organization, url="https://1.1.1.1/hooks")
    response = api("GET", f"northwind/{path.format(webhook=new.webhook.pk)}")
    assert_problem(response, 422, "invalid_filter")
    assert [each["field"] for each in response.data["errors"]] == [field]


@pytest.mark.parametrize("verb", ["remove", "change-role"])
def test_of_a_choice_of_members_the_filter_is_named(manager, verb):
    body = {"with_role": "nope"} | ({"role": None} if verb == "change-role" else {})
    response = manager("POST", f"northwind/members/{verb}", body)
    assert_problem(response, 422, "invalid_filter")
    assert [each["field"] for each in response.data["errors"]] == ["with_role"]


def test_of_a_choice_of_invitations_the_filter_is_named(manager):
    response = manager("POST", "northwind/invitations/revoke", {"status": "nope"})
    assert [each["field"] for each in response.data["errors"]] == ["status"]
