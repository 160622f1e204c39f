"""Members over REST."""

import pytest

from guestlist.api.resources import members as resources
from guestlist.models import Membership, Role
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db
URL = "northwind/members"
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def member_of(organization):
    """The membership of a user in Northwind."""
    return lambda user: Membership.objects.get(organization=organization, user=user)


@pytest.fixture
def role(organization):
    """A role of Northwind by name."""
    return lambda name: Role.objects.get(organization=organization, name=name)


@pytest.fixture
def full(organization, make_key):
    """A key that may do what an Owner may."""
    from guestlist.permissions import all_permissions

    return ApiClient(make_key(organization, permissions=sorted(all_permissions())))


def test_a_key_can_make_nobody_more_than_it_is(manager, charlie, member_of, role):
    path = f"{URL}/{member_of(charlie).pk}"
    for name in ("Owner", "Admin"):
        assert_problem(manager("PATCH", path, {"role": str(role(name).pk)}), 403, "above_own_role")
    assert member_of(charlie).role.name == "Member"


def test_a_key_can_remove_nobody_who_is_more_than_it(manager, alice, bob, member_of):
    for user in (alice, bob):
        assert_problem(manager("DELETE", f"{URL}/{member_of(user).pk}"), 403, "above_own_role")
        assert member_of(user).state == "active"


def test_the_last_owner_stays(full, alice, member_of, role):
    path = f"{URL}/{member_of(alice).pk}"
    assert_problem(full("DELETE", path), 409, "last_owner")
    assert_problem(full("PATCH", path, {"role": None}), 409, "last_owner")
    assert_problem(full("PATCH", path, {"role": str(role("Admin").pk)}), 409, "last_owner")


@pytest.mark.parametrize("value", ["nope", ANY, "", "\ud800"])
def test_an_unknown_role_takes_nothing_away(full, charlie, member_of, value):
    response = full("PATCH", f"{URL}/{member_of(charlie).pk}", {"role": value})
    assert_problem(response, 422, "unknown_role")
    assert member_of(charlie).role.name == "Member"


def test_a_role_of_another_organization_is_unknown(full, beta, charlie, member_of):
    theirs = Role.objects.get(organization=beta, name="Member")
    response = full("PATCH", f"{URL}/{member_of(charlie).pk}", {"role": str(theirs.pk)})
    assert_problem(response, 422, "unknown_role")


@pytest.mark.parametrize("body", [{}, {"role": 1}, {"role": None, "name": "x"}, {"rolle": None}])
def test_a_change_has_to_say_which_role(full, charlie, member_of, body):
    assert_problem(full("PATCH", f"{URL}/{member_of(charlie).pk}", body), 422, "invalid_input")
    assert member_of(charlie).role.name == "Member"


@pytest.mark.parametrize("nothing", ["nope", ANY])
def test_an_id_of_nobody_is_404(full, organization, nothing):
    assert_problem(full("PATCH", f"{URL}/{nothing}", {"role": None}), 404, "not_found")
    assert_problem(full("DELETE", f"{URL}/{nothing}"), 404, "not_found")


def test_members_are_listed_searched_and_filtered(manager, alice, bob, charlie, role):
    page = manager("GET", URL).data
    resources.MemberList.model_validate(page)
    assert page["total"] == 3
    names = [member["name"] for member in page["items"]]
    assert names == sorted(names)
    assert [m["email"] for m in manager("GET", f"{URL}?q={bob.email}").data["items"]] == [bob.email]
    owners = manager("GET", f"{URL}?role={role('Owner').pk}").data["items"]
    assert [m["email"] for m in owners] == [alice.email]
    assert manager("GET", f"{URL}?role=none").data["items"] == []
    assert_problem(manager("GET", f"{URL}?role=nope"), 422, "invalid_filter")


@pytest.mark.parametrize("sort", ["name", "-email", "role", "-role", "joined"])
def test_members_page_by_every_column(manager, alice, bob, charlie, sort):
    seen, cursor = [], ""
    while cursor is not None:
        page = manager("GET", f"{URL}?limit=1&sort={sort}&cursor={cursor}").data
        seen += [member["id"] for member in page["items"]]
        cursor = page["next_cursor"]
    assert len(set(seen)) == len(seen) == 3


def test_a_role_is_given_and_taken_away(full, charlie, member_of, role):
    path = f"{URL}/{member_of(charlie).pk}"
    given = full("PATCH", path, {"role": str(role("Admin").pk)})
    assert given.status_code == 200
    resources.Member.model_validate(given.data)
    assert given.data["role"] == {"id": str(role("Admin").pk), "name": "Admin"}
    assert full("PATCH", path, {"role": None}).data["role"] is None


def test_a_removed_member_is_gone(full, charlie, member_of):
    path = f"{URL}/{member_of(charlie).pk}"
    response = full("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    assert member_of(charlie).state == "removed"
    assert_problem(full("DELETE", path), 404, "not_found")


def test_one_member_is_shown_as_in_the_list(manager, bob, beta, member_of):
    response = manager("GET", f"{URL}/{member_of(bob).pk}")
    assert response.status_code == 200
    resources.Member.model_validate(response.data)
    assert response.data in manager("GET", URL).data["items"]
    theirs = Membership.objects.get(organization=beta).pk
    for unknown in ("nope", ANY, theirs):
        assert_problem(manager("GET", f"{URL}/{unknown}"), 404, "not_found")


def test_who_was_removed_is_not_shown(full, charlie, member_of):
    path = f"{URL}/{member_of(charlie).pk}"
    full("DELETE", path)
    assert_problem(full("GET", path), 404, "not_found")


def test_of_several_each_is_answered_by_itself(full, alice, bob, charlie, beta, member_of, role):
    theirs = str(Membership.objects.get(organization=beta).pk)
    ids = [str(member_of(user).pk) for user in (alice, bob, charlie)]
    response = full(
        "POST", f"{URL}/change-role", {"ids": [*ids, theirs, "nope"], "role": str(role("Member").pk)}
    )
    assert response.status_code == 200
    resources.Changed.model_validate(response.data)
    outcomes = ["last_owner", "changed", "unchanged", "not_found", "not_found"]
    assert [each["id"] for each in response.data["results"]] == [*ids, theirs, "nope"]
    assert [each["outcome"] for each in response.data["results"]] == outcomes
    assert (response.data["changed"], response.data["skipped"]) == (1, 4)
    assert full("POST", f"{URL}/change-role", {"ids": ids[1:2], "role": None}).data["changed"] == 1
    assert member_of(bob).role is None
    assert Membership.objects.get(organization=beta).role.name == "Owner"


def test_several_are_removed_and_the_last_owner_stays(full, alice, bob, charlie, member_of):
    ids = [str(member_of(user).pk) for user in (alice, bob, charlie)]
    response = full("POST", f"{URL}/remove", {"ids": ids})
    assert response.status_code == 200
    resources.Removed.model_validate(response.data)
    assert [each["outcome"] for each in response.data["results"]] == ["last_owner", "removed", "removed"]
    assert [m["email"] for m in full("GET", URL).data["items"]] == [alice.email]


def test_a_key_changes_and_removes_nobody_who_is_more_than_it(manager, alice, bob, charlie, member_of, role):
    ids = [str(member_of(user).pk) for user in (alice, bob, charlie)]
    changed = manager("POST", f"{URL}/change-role", {"ids": ids, "role": None}).data
    above = ["above_own_role", "above_own_role"]
    assert [each["outcome"] for each in changed["results"]] == [*above, "changed"]
    given = manager("POST", f"{URL}/change-role", {"ids": ids, "role": str(role("Admin").pk)}).data
    assert given["changed"] == 0
    removed = manager("POST", f"{URL}/remove", {"ids": ids}).data
    assert [each["outcome"] for each in removed["results"]] == [*above, "removed"]


def test_whoever_made_the_key_is_skipped(organization, make_key, bob, charlie, member_of):
    own = ApiClient(make_key(organization, permissions=["member.manage"], actor=actor_of(bob)))
    ids = [str(member_of(bob).pk)]
    answers = [
        own("POST", f"{URL}/change-role", {"ids": ids, "role": None}),
        own("POST", f"{URL}/remove", {"ids": ids}),
    ]
    assert [a.data["results"][0]["outcome"] for a in answers] == ["own_role", "own_membership"]
    resources.Changed.model_validate(answers[0].data)
    resources.Removed.model_validate(answers[1].data)
    assert member_of(bob).state == "active"


def test_several_are_chosen_by_a_filter(full, alice, bob, charlie, member_of, role):
    body = {"with_role": str(role("Member").pk), "role": str(role("Admin").pk)}
    response = full("POST", f"{URL}/change-role", body)
    assert response.data == {"changed": 1, "skipped": 0, "results": []}
    assert member_of(charlie).role.name == "Admin"
    response = full("POST", f"{URL}/remove", {"with_role": str(role("Owner").pk)})
    assert response.data["results"] == [{"id": str(member_of(alice).pk), "outcome": "last_owner"}]
    assert full("POST", f"{URL}/remove", {"q": "BOB"}).data == {"removed": 1, "skipped": 0, "results": []}


@pytest.mark.parametrize("call", ["change-role", "remove"])
@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({}, "nothing_chosen"),
        ({"ids": []}, "nothing_chosen"),
        ({"q": ""}, "nothing_chosen"),
        ({"q": " \u200b"}, "nothing_chosen"),
        ({"with_role": ""}, "nothing_chosen"),
        ({"ids": [ANY] * 10_001}, "too_many_ids"),
        ({"with_role": "nope"}, "invalid_filter"),
        ({"ids": [ANY], "q": "x"}, "invalid_input"),
        ({"ids": ANY}, "invalid_input"),
        ({"everybody": True}, "invalid_input"),
    ],
)
def test_an_empty_choice_is_nobody(full, alice, bob, charlie, call, choice, code):
    body = choice | ({"role": None} if call == "change-role" else {})
    assert_problem(full("POST", f"{URL}/{call}", body), 422, code)
    assert not Membership.objects.exclude(state="active", role__isnull=False).exists()


def test_several_get_a_role_only_if_it_is_said_which(full, charlie, member_of):
    ids = [str(member_of(charlie).pk)]
    assert_problem(full("POST", f"{URL}/change-role", {"ids": ids}), 422, "invalid_input")
    assert_problem(full("POST", f"{URL}/change-role", {"ids": ids, "role": ANY}), 422, "unknown_role")
    assert_problem(full("POST", f"{URL}/change-role", {"ids": ids, "role": "nope"}), 422, "unknown_role")


@pytest.mark.parametrize("call", ["change-role", "remove"])
def test_40_members_take_as_many_queries_as_2(full, organization, role, call, statements):
    counts = set()
    for last in (2, 42):
        for n in range(last - 40 if last > 2 else 0, last):
            join(organization, make_user(f"p{n}@x.test", f"P{n}"), "Member")
        body = {"q": "@x.test"} | ({"role": str(role("Admin").pk)} if call == "change-role" else {})
        counts.add(statements(full, "POST", f"{URL}/{call}", body))
        Membership.objects.filter(email__endswith="@x.test", state="active").update(role=role("Member"))
    assert len(counts) == 1


def test_members_are_downloaded_as_the_filters_choose(manager, alice, bob, charlie, role):
    response = manager("GET", f"{URL}.csv?role={role('Member').pk}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="northwind-members.csv"'
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "name,email,email_verified,role,joined_at,joined_via,invited_by"
    assert [line.split(",")[1] for line in lines[1:]] == [charlie.email]
    everybody = b"".join(manager("GET", f"{URL}.csv?sort=-email").streaming_content).decode().splitlines()
    assert [line.split(",")[1] for line in everybody[1:]] == [charlie.email, bob.email, alice.email]
    for query in ("role=nope", "sort=age"):
        assert_problem(manager("GET", f"{URL}.csv?{query}"), 422, "invalid_filter")
    assert_problem(manager("GET", f"{URL}.csv?limit=1"), 422, "invalid_input")


@pytest.mark.parametrize("query", ["", "?q=@x.test", "?role=none&q=p"])
def test_a_list_of_40_takes_as_many_queries_as_one_of_1(manager, organization, statements, query):
    counts = set()
    for first, last in ((0, 1), (1, 40)):
        for n in range(first, last):
            join(organization, make_user(f"p{n}@x.test", f"P{n}"), None)
        counts.add(statements(manager, "GET", f"{URL}{query}"))
    assert len(counts) == 1
