"""Join links over REST."""

import pytest

from guestlist.api.resources import join_links as resources
from guestlist.links import new_nonce
from guestlist.models import Event, JoinLink
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/join-links"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def made(manager):
    """A join link, as creating it answers."""
    return manager("POST", URL, {"name": "Summer camp"}).data


def test_only_whoever_manages_members_sees_what_opens_a_link(reader, manager, made):
    for method, path, body in (
        ("GET", "", None),
        ("GET", f"/{made['id']}", None),
        ("POST", "", {"name": "x"}),
    ):
        response = reader(method, URL + path, body)
        assert_problem(response, 403, "not_allowed")
        assert "glj_" not in response.content.decode()


def test_the_list_and_the_log_do_not_hold_what_opens_a_link(organization, make_key, manager, made):
    auditor = ApiClient(make_key(organization, permissions=["audit.read"]))
    token = made["url"].rpartition("/")[2]
    assert token.startswith("glj_")
    answers = [
        manager("GET", URL),
        manager("PATCH", f"{URL}/{made['id']}", {"name": "Camp"}),
        manager("POST", f"{URL}/{made['id']}/turn-off"),
        auditor("GET", "northwind/events"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert token not in answer.content.decode()
        assert JoinLink.objects.get().nonce not in answer.content.decode()


def test_a_link_is_made_and_opens(manager, client):
    body = {
        "name": "Summer camp",
        "expires": "2030-12-31",
        "max_uses": 20,
        "domains": ["Acme.com", "*.acme.com"],
    }
    response = manager("POST", URL, body)
    assert response.status_code == 201
    resources.OpenJoinLink.model_validate(response.data)
    assert response.data == {
        "id": response.data["id"],
        "name": "Summer camp",
        "status": "on",
        "expires_at": response.data["expires_at"],
        "max_uses": 20,
        "uses": 0,
        "domains": ["acme.com", "*.acme.com"],
        "created_at": response.data["created_at"],
        "url": response.data["url"],
    }
    assert response.data["expires_at"].startswith("2030-12-31")
    assert manager("GET", f"{URL}/{response.data['id']}").data == response.data
    path = response.data["url"].partition("/j/")[2]
    assert client.get(f"/j/{path}").status_code == 200
    assert Event.objects.latest("number").type == "join_link.created"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_input"),
        ({"name": "x", "max_uses": "3"}, "invalid_input"),
        ({"name": "x", "max_uses": True}, "invalid_input"),
        ({"name": "x", "domains": "acme.com"}, "invalid_input"),
        ({"name": "x", "uses": 3}, "invalid_input"),
        ({"name": ""}, "name_empty"),
        ({"name": "win.example.com"}, "name_has_link"),
        ({"name": "x", "expires": "soon"}, "expiry_invalid"),
        ({"name": "x", "expires": "2001-01-01"}, "expiry_invalid"),
        ({"name": "x", "max_uses": 0}, "max_uses_invalid"),
        ({"name": "x", "max_uses": -1}, "max_uses_invalid"),
        ({"name": "x", "max_uses": 10**30}, "max_uses_invalid"),
        ({"name": "x", "domains": ["a b@"]}, "domain_invalid"),
        ({"name": "x", "domains": [f"d{n}.test" for n in range(201)]}, "too_many_domains"),
    ],
)
def test_what_will_not_do_makes_no_link(manager, organization, body, code):
    assert_problem(manager("POST", URL, body), 422, code)
    assert not JoinLink.objects.exists()


def test_what_is_not_given_stays(manager):
    body = {"name": "Camp", "expires": "2030-12-31", "max_uses": 5, "domains": ["acme.com"]}
    before = manager("POST", URL, body).data
    path = f"{URL}/{before['id']}"
    shown = {name: value for name, value in before.items() if name != "url"}
    for change, after in [
        ({"name": "Trip"}, {"name": "Trip"}),
        ({"max_uses": None}, {"max_uses": None}),
        ({"expires": None}, {"expires_at": None}),
        ({"domains": []}, {"domains": []}),
    ]:
        response = manager("PATCH", path, change)
        assert response.status_code == 200
        resources.JoinLink.model_validate(response.data)
        shown |= after
        assert response.data == shown
    assert manager("GET", path).data == shown | {"url": before["url"]}
    changed = Event.objects.filter(type="join_link.updated").order_by("number")
    assert [list(event.changes) for event in changed] == [["name"], ["max_uses"], ["expires_at"], ["domains"]]


@pytest.mark.parametrize("body", [{}, {"name": None}, {"enabled": False}, {"url": "x"}])
def test_a_change_of_nothing_is_refused(manager, made, body):
    assert_problem(manager("PATCH", f"{URL}/{made['id']}", body), 422, "invalid_input")


def test_a_link_is_turned_off_and_on(manager, made, client):
    token = made["url"].partition("/j/")[2]
    off = manager("POST", f"{URL}/{made['id']}/turn-off")
    assert (off.status_code, off.data["status"]) == (200, "off")
    resources.JoinLink.model_validate(off.data)
    assert client.get(f"/j/{token}").status_code != 200
    assert manager("POST", f"{URL}/{made['id']}/turn-on").data["status"] == "on"
    assert client.get(f"/j/{token}").status_code == 200


def test_an_unknown_link_is_not_found(manager, organization, beta):
    theirs = JoinLink.objects.create(organization=beta, name="Theirs", nonce=new_nonce()).pk
    for unknown in ("nope", ANY, theirs):
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"name": "x"}),
            ("POST", "/turn-off", None),
            ("POST", "/turn-on", None),
        ]:
            assert_problem(manager(method, f"{URL}/{unknown}{path}", body), 404, "not_found")


@pytest.mark.parametrize("sort", ["name", "-uses", "expires", "-status", "created"])
def test_links_are_listed_by_every_column_a_page_at_a_time(manager, organization, sort):
    for n in range(5):
        manager("POST", URL, {"name": f"Link {n}", "expires": "7d" if n % 2 else None})
    seen, cursor = [], ""
    while cursor is not None:
        page = manager("GET", f"{URL}?limit=2&sort={sort}&cursor={cursor}").data
        resources.JoinLinkList.model_validate(page)
        seen += [link["id"] for link in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    assert [link["name"] for link in manager("GET", f"{URL}?q=LINK+3").data["items"]] == ["Link 3"]
    assert_problem(manager("GET", f"{URL}?sort=url"), 422, "invalid_filter")


def test_a_list_of_40_takes_as_many_queries_as_one_of_1(manager, organization, statements):
    counts = set()
    for n in (1, 39):
        JoinLink.objects.bulk_create(
            JoinLink(organization=organization, name="Camp", nonce=new_nonce()) for _ in range(n)
        )
        counts.add(statements(manager, "GET", URL))
    assert len(counts) == 1
