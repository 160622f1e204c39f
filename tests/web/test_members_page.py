"""The Members page, through the door."""

import pytest

from guestlist.models import Membership, Role
from tests.conftest import join, make_user
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/members"


def test_who_may_not(organization, charlie, mallory, client, as_user):
    assert client.get(URL).status_code == 302
    assert as_user(mallory).get(URL).status_code == 404
    assert as_user(charlie).get(URL).status_code == 403


@pytest.mark.parametrize("people", [1, 40])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, people, django_assert_num_queries
):
    for i in range(people):
        join(organization, make_user(f"m{i}@acme.test", f"M {i}"), None)
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


def test_whoever_has_just_joined_shows_assign_a_role(organization, alice, as_user):
    join(organization, make_user("new@acme.test", "New Person"), None)
    page = text_of(as_user(alice).get(URL))
    assert "Assign a role" in page
    assert "Needs a role 1" in page


def test_a_role_is_given_at_once_and_can_be_undone(organization, alice, charlie, as_user):
    client = as_user(alice)
    member = Membership.objects.get(user=charlie)
    admin = Role.objects.get(organization=organization, name="Admin")
    response = client.post(f"{URL}/{member.pk}/role", {"role": admin.pk}, headers=HTMX)
    assert "Charlie Cook is now Admin." in text_of(response)
    assert str(member.role_id) in response.content.decode()
    member.refresh_from_db()
    assert member.role == admin


def test_a_refusal_is_a_toast_with_the_reason(organization, alice, bob, as_user):
    member = Membership.objects.get(user=alice)
    role = Role.objects.get(organization=organization, name="Member")
    response = as_user(bob).post(f"{URL}/{member.pk}/role", {"role": role.pk}, headers=HTMX)
    assert response.status_code == 403
    assert "permissions that you don’t have yourself" in text_of(response)


@pytest.mark.parametrize("role", ["nonsense", "0199aaaa-0000-7000-8000-000000000000"])
def test_an_unknown_role_is_refused(organization, alice, charlie, as_user, role):
    member = Membership.objects.get(user=charlie)
    assert as_user(alice).post(f"{URL}/{member.pk}/role", {"role": role}).status_code == 422


def test_removing_asks_first(organization, alice, charlie, as_user):
    client = as_user(alice)
    member = Membership.objects.get(user=charlie)
    assert "Remove Charlie Cook?" in text_of(client.get(f"{URL}/{member.pk}/remove"))
    response = client.post(f"{URL}/{member.pk}/remove", follow=True)
    assert "Charlie Cook was removed." in text_of(response)
    assert as_user(charlie).get("/o/northwind/").status_code == 404


@pytest.mark.parametrize("sort", ["name", "-name", "email", "role", "-role", "joined", "-joined"])
@pytest.mark.parametrize("query", ["", "cook", "nobody-like-this"])
def test_search_and_sort(organization, alice, bob, charlie, as_user, sort, query):
    join(organization, make_user("new@acme.test", "New Person"), None)
    page = text_of(as_user(alice).get(URL, {"sort": sort, "q": query}))
    assert ("Charlie Cook" in page) == (query != "nobody-like-this")
    assert ("Bob Baker" in page) == (query == "")


def test_home_says_the_role_and_lets_people_leave(organization, alice, charlie, as_user):
    assert "Your role: Member" in text_of(as_user(charlie).get("/o/northwind/"))
    assert "only owner" in text_of(as_user(alice).get("/o/northwind/"))
    client = as_user(charlie)
    assert "Leave Northwind?" in text_of(client.get("/o/northwind/leave"))
    client.post("/o/northwind/leave")
    assert Membership.objects.get(user=charlie).state == "left"
    assert as_user(alice).post("/o/northwind/leave").status_code == 409
