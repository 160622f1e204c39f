"""The page of join links, through the door."""

import re

import pytest

from guestlist.actions.join_links import create_join_link, join_by_link, url_of
from guestlist.actions.members import leave_organization
from guestlist.models import Event, JoinLink, Role
from tests.conftest import actor_of, join, make_user
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/join-links"
FORM = {"name": "Summer", "choice": "7d", "expires": "", "max_uses": "10", "domains": "acme.test"}


def make(organization, alice, name="Team", **values):
    return create_join_link(actor=actor_of(alice), organization=organization, name=name, **values)


@pytest.fixture
def link(organization, alice):
    return make(organization, alice, max_uses="10")


def test_who_may_not(organization, alice, charlie, mallory, client, as_user, link):
    for page in (URL, f"{URL}/new", f"{URL}/{link.pk}", f"{URL}/{link.pk}/edit", f"{URL}/{link.pk}/off"):
        assert client.get(page).status_code == 302
        assert as_user(mallory).get(page).status_code == 404
        assert as_user(charlie).get(page).status_code == 403
    for page in (f"{URL}/new", f"{URL}/{link.pk}/edit", f"{URL}/{link.pk}/off", f"{URL}/{link.pk}/on"):
        assert as_user(charlie).post(page, FORM).status_code == 403
    assert list(JoinLink.objects.values_list("name", "enabled")) == [("Team", True)]


def test_a_link_of_another_organization_is_unknown(organization, alice, beta, dora, as_user, link):
    for name in ("", "/edit", "/off"):
        page = f"/o/beta/admin/join-links/{link.pk}{name}"
        assert as_user(dora).get(page).status_code == 404
    assert url_of(link) not in text_of(as_user(dora).get("/o/beta/admin/join-links"))


def test_whoever_may_only_change_settings_sees_no_links(organization, as_user, link):
    role = Role.objects.create(organization=organization, name="Host", permissions=["organization.update"])
    user = make_user("host@northwind.test", "Host")
    join(organization, user, "Host")
    assert role.permissions
    assert as_user(user).get(URL).status_code == 403
    assert "Join links" not in text_of(as_user(user).get("/o/northwind/admin/domains"))


@pytest.mark.parametrize("links", [1, 40])
def test_the_list_takes_the_same_queries_for_any_number(
    organization, alice, as_user, links, django_assert_num_queries
):
    for i in range(links):
        make(organization, alice, f"Link {i}")
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


@pytest.mark.parametrize("people", [1, 40])
def test_a_link_takes_the_same_queries_for_any_number_of_people(
    organization, alice, as_user, people, django_assert_num_queries
):
    link = make(organization, alice)
    for i in range(people):
        join_by_link(actor=actor_of(make_user(f"m{i}@acme.test", f"M {i}")), join_link=link)
    client = as_user(alice)
    with django_assert_num_queries(9):
        assert client.get(f"{URL}/{link.pk}").status_code == 200


def test_the_list_says_what_each_link_is(organization, alice, as_user, link):
    JoinLink.objects.update(uses=3)
    page = text_of(as_user(alice).get(URL))
    for said in ("Team", "3 of 10", "Never expires", "On", "Created by Alice Archer"):
        assert said in page
    assert "They have no role until somebody gives them one." in page


@pytest.mark.parametrize("sort", ["name", "uses", "expires", "status", "created"])
def test_every_column_sorts_both_ways(organization, alice, as_user, sort):
    for i, name in enumerate(("B", "A", "C")):
        row = make(organization, alice, name, expires=f"{i + 1}d")
        JoinLink.objects.filter(pk=row.pk).update(uses=i, enabled=i != 1)
    client = as_user(alice)
    up, down = (
        re.findall(r'data-id="([^"]+)"', client.get(f"{URL}?sort={sign}{sort}").content.decode())
        for sign in ("", "-")
    )
    assert len(up) == 3
    assert up == down[::-1]


def test_the_page_says_which_role_people_get(organization, alice, as_user, link):
    organization.refresh_from_db()
    organization.new_member_role = Role.objects.get(organization=organization, name="Member")
    organization.save(update_fields=["new_member_role"])
    for page in (URL, f"{URL}/new", f"{URL}/{link.pk}"):
        assert "role for new members: Member." in text_of(as_user(alice).get(page))


def test_a_link_is_made_and_shown(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(f"{URL}/new", FORM)
    row = JoinLink.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{URL}/{row.pk}")
    page = client.get(response["Location"])
    assert url_of(row) in page.content.decode()
    assert "acme.test" in text_of(page)
    # It is computed, so it is shown any time.
    assert url_of(row) in client.get(f"{URL}/{row.pk}").content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "see evil.test"}, "web address"),
        ({"choice": "day", "expires": ""}, "Choose a day"),
        ({"choice": "day", "expires": "2001-01-01"}, "Choose a day"),
        ({"choice": "nonsense"}, "Choose a day"),
        ({"max_uses": "0"}, "from 1 to"),
        ({"domains": "acme test"}, "is not a mail domain"),
    ],
)
def test_what_was_typed_stays_with_the_reason(organization, alice, as_user, changed, said):
    response = as_user(alice).post(f"{URL}/new", FORM | changed)
    assert response.status_code == 422
    assert said in text_of(response)
    typed = (FORM | changed)["domains"]
    assert typed in response.content.decode()
    assert not JoinLink.objects.exists()


def test_a_link_is_edited(organization, alice, as_user, link):
    client = as_user(alice)
    assert 'value="Team"' in client.get(f"{URL}/{link.pk}/edit").content.decode()
    response = client.post(f"{URL}/{link.pk}/edit", FORM | {"choice": "never"})
    assert response.status_code == 302
    row = JoinLink.objects.get()
    assert (row.name, row.domains, row.nonce) == ("Summer", ["acme.test"], link.nonce)
    JoinLink.objects.update(uses=5)
    response = client.post(f"{URL}/{link.pk}/edit", FORM | {"max_uses": "4"})
    assert response.status_code == 422
    assert "from 5 to" in text_of(response)


def test_a_link_is_turned_off_after_a_question_and_on_at_once(organization, alice, as_user, link):
    client = as_user(alice)
    assert "Turn off “Team”?" in text_of(client.get(f"{URL}/{link.pk}/off"))
    assert JoinLink.objects.get().enabled
    assert client.post(f"{URL}/{link.pk}/off").status_code == 302
    assert not JoinLink.objects.get().enabled
    assert "Nobody can join by “Team” now." in text_of(client.get(URL))
    assert "is on again." in text_of(client.post(f"{URL}/{link.pk}/on", headers=HTMX))
    assert Event.objects.filter(type="join_link.updated").count() == 2


def test_it_says_who_joined_and_who_has_gone_since(organization, alice, as_user, link):
    for name in ("vera", "will"):
        join_by_link(actor=actor_of(make_user(f"{name}@acme.test", name.title())), join_link=link)
    will = make_user("other@acme.test", "Other")
    join(organization, will, None)
    vera = type(will).objects.get(name="Vera")
    leave_organization(actor=actor_of(vera), organization=organization)
    page = text_of(as_user(alice).get(f"{URL}/{link.pk}"))
    assert page.index("Will") < page.index("Vera")
    assert "Left" in page
    assert "Other" not in page


def test_only_the_newest_fifty_are_shown_with_the_count(organization, alice, as_user, link, monkeypatch):
    monkeypatch.setattr("guestlist.web.join_links.MOST_SHOWN", 1)
    link = make(organization, alice, "Free")
    for name in ("vera", "will"):
        join_by_link(actor=actor_of(make_user(f"{name}@acme.test", name.title())), join_link=link)
    page = text_of(as_user(alice).get(f"{URL}/{link.pk}"))
    assert "Who joined 2" in page
    assert "The newest 1 are shown." in page
    assert "vera@acme.test" not in page


def test_hostile_names_are_escaped(organization, alice, as_user):
    make(organization, alice, '"><b>x</b>')
    assert "<b>x</b>" not in as_user(alice).get(URL).content.decode()


def test_the_token_is_in_no_event(organization, alice, as_user):
    as_user(alice).post(f"{URL}/new", FORM)
    row = JoinLink.objects.get()
    token = url_of(row).rpartition("/")[2]
    for event in Event.objects.values():
        assert token not in str(event)
        assert row.nonce not in str(event)
