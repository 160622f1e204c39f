"""My organizations, the switcher, and the way back to the organization that was seen last."""

import re

import pytest
from django.db import transaction

from guestlist.actions.organizations import create_organization
from guestlist.actors import Actor
from guestlist.models import Membership, Organization
from tests.conftest import join
from tests.web.test_invitations_page import HTMX, text_of

URL = "/organizations"
COOKIE = "guestlist_organization"


def belong_to(user, number):
    """Make `user` the owner of that many more organizations, named Org 001 and so on."""
    with transaction.atomic():
        for i in range(1, number + 1):
            create_organization(actor=Actor.operator(), name=f"Org {i:03}", slug=f"org-{i:03}", owner=user)


def menu_of(response):
    return re.search(r'<div class="menu" id="org-menu-a".*?<nav ', response.content.decode(), re.S)[0]


def test_signed_out_people_sign_in_and_come_back(organization, client):
    assert client.get(URL)["Location"] == "/accounts/login/?next=/organizations"
    assert client.get(URL, headers=HTMX).status_code == 401


def test_nobody_sees_an_organization_that_is_not_theirs(organization, beta, charlie, mallory, as_user):
    page = text_of(as_user(charlie).get(URL))
    assert "Northwind" in page
    assert "Beta" not in page
    assert "Northwind" not in text_of(as_user(mallory).get(URL, {"q": "north"}))
    fragment = as_user(charlie).get(URL, {"q": ""}, headers=HTMX | {"HX-Target": "org-list-a"})
    assert "Beta" not in text_of(fragment)


def test_whoever_left_no_longer_sees_it(organization, alice, charlie, as_user):
    client = as_user(charlie)
    client.post("/o/northwind/leave")
    assert "Northwind" not in text_of(client.get(URL)).replace("left Northwind", "")


def test_the_list_says_role_and_day_of_joining(organization, beta, charlie, as_user):
    join(beta, charlie, None)
    member = Membership.objects.get(user=charlie, organization=organization)
    page = text_of(as_user(charlie).get(URL))
    assert "Northwind Member" in page
    assert "No role yet" in page
    assert f"{member.joined_at:%b} {member.joined_at.day}, {member.joined_at.year}" in page


def test_somebody_without_an_organization_is_told_how_to_get_in(mallory, as_user):
    client = as_user(mallory)
    for path in (URL, "/"):
        response = client.get(path)
        assert "You don’t belong to an organization yet" in text_of(response)
        assert 'href="/invitations"' in response.content.decode()
        assert "Create Organization" not in text_of(response)


@pytest.mark.parametrize(
    ("query", "seen"), [("org 00", 9), ("ORG-012", 1), ("nothing like it", 0), ("\x00", 13), ("'%_", 0)]
)
def test_search_finds_names_and_short_names(organization, alice, as_user, query, seen):
    belong_to(alice, 12)
    response = as_user(alice).get(URL, {"q": query}, headers=HTMX)
    assert response.content.decode().count("data-id=") == seen
    assert ("No organizations match" in text_of(response)) == (not seen)


@pytest.mark.parametrize("sort", ["name", "-name", "role", "-role", "joined", "-joined"])
def test_every_column_sorts(organization, alice, beta, as_user, sort):
    join(beta, alice, None)
    response = as_user(alice).get(URL, {"sort": sort})
    assert response.status_code == 200
    assert 'aria-sort="' in response.content.decode()


@pytest.mark.parametrize("number", [1, 60])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, number, django_assert_num_queries
):
    belong_to(alice, number)
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


def test_with_7_organizations_the_switcher_lists_them_without_a_search(organization, alice, as_user):
    belong_to(alice, 6)
    menu = menu_of(as_user(alice).get("/o/northwind/"))
    assert menu.count("/o/") == 7
    assert 'aria-current="true"' in menu
    assert "<input" not in menu
    assert f'href="{URL}"' in menu


def test_with_8_the_browser_searches(organization, alice, as_user):
    belong_to(alice, 7)
    menu = menu_of(as_user(alice).get("/o/northwind/"))
    assert 'data-filter="org-list-a"' in menu
    assert "hx-get" not in menu


def test_with_too_many_to_list_the_server_searches(organization, alice, as_user, django_assert_num_queries):
    belong_to(alice, 60)
    client = as_user(alice)
    with django_assert_num_queries(7):
        menu = menu_of(client.get("/o/northwind/"))
    assert menu.count("/o/") == 51
    assert 'hx-get="/organizations"' in menu
    target = HTMX | {"HX-Target": "org-list-a"}
    links = client.get(URL, {"q": "org 06", "except": "northwind"}, headers=target).content.decode()
    assert links.count("/o/") == 1
    everything = client.get(URL, {"q": "", "except": "northwind"}, headers=target).content.decode()
    assert everything.count("/o/") == 50
    assert "northwind" not in everything
    assert "No organization matches." in text_of(client.get(URL, {"q": "zzz"}, headers=target))


def test_the_start_page_leads_to_the_organization_seen_last(organization, beta, alice, as_user):
    join(beta, alice, "Member")
    client = as_user(alice)
    assert client.get("/")["Location"] == "/o/beta/"
    response = client.get("/o/northwind/")
    cookie = response.cookies[COOKIE]
    assert cookie.value == "northwind"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 365 * 24 * 60 * 60
    assert not cookie["secure"]
    assert client.get("/")["Location"] == "/o/northwind/"
    assert COOKIE not in client.get("/o/northwind/").cookies


def test_the_cookie_is_secure_where_the_session_is(organization, alice, as_user, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = as_user(alice)
    assert client.get("/o/northwind/").cookies[COOKIE]["secure"]


@pytest.mark.parametrize("value", ["beta", "nowhere", "../x", '"\\000"', "a" * 5000, ""])
def test_a_cookie_that_names_no_organization_of_theirs_changes_nothing(
    organization, beta, alice, as_user, value
):
    client = as_user(alice)
    client.cookies[COOKIE] = value
    assert client.get("/")["Location"] == "/o/northwind/"


def test_an_outsider_gets_no_cookie(organization, mallory, as_user):
    assert COOKIE not in as_user(mallory).get("/o/northwind/").cookies


def test_a_name_is_text_everywhere(organization, alice, as_user):
    Organization.objects.filter(pk=organization.pk).update(name="<img src=x onerror=alert(1)>")
    client = as_user(alice)
    for path in (URL, "/o/northwind/"):
        assert "<img" not in client.get(path).content.decode()


@pytest.mark.parametrize("on", [True, False])
def test_single_keys_are_switched_off_for_whoever_wants_that(organization, alice, as_user, on):
    alice.shortcuts = on
    alice.save()
    html = as_user(alice).get("/o/northwind/").content.decode()
    assert ("<body data-shortcuts>" in html) == on
    assert ("<dt>Search</dt>" in html) == on
    assert ("Single keys are switched off" in html) != on
