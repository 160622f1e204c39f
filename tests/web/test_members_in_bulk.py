"""Selecting members, changing their role, removing them, and the list as a file, through the door."""

import csv

import pytest

from guestlist.actions.api_keys import create_api_key
from guestlist.models import ApiKey, Event, Invitation, Membership, Role
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/members"


def ids_of(*users):
    return [str(Membership.objects.get(user=user, state="active").pk) for user in users]


def role_id(organization, name):
    return str(Role.objects.get(organization=organization, name=name).pk)


def exported(response):
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("path", ["/role", "/remove", "/export.csv"])
def test_who_may_not(organization, alice, charlie, mallory, client, as_user, path):
    fields = {"ids": ids_of(charlie), "new_role": "none", "all": "1"}
    for method in ("get", "post"):
        if path == "/export.csv" and method == "post":
            continue
        assert getattr(client, method)(URL + path, fields).status_code in (302, 401)
        assert getattr(as_user(mallory), method)(URL + path, fields).status_code == 404
        response = getattr(as_user(charlie), method)(URL + path, fields)
        assert response.status_code == 403
        assert "Member: Manage" in text_of(response)
        assert "alice@" not in text_of(response)
    assert Membership.objects.active().count() == 2


def test_rows_can_be_selected_and_more_rows_than_the_page_by_their_filter(organization, alice, as_user):
    for i in range(55):
        join(organization, make_user(f"m{i}@acme.test", f"M {i}"), "Member")
    page = as_user(alice).get(URL, {"role": role_id(organization, "Member"), "q": "acme"})
    html = page.content.decode()
    assert html.count('name="ids"') == 50
    assert "Select all 55 that match" in text_of(page)
    bulk = html[html.index('<form class="bulk"') : html.index('data-count="')]
    assert f'name="role" value="{role_id(organization, "Member")}"' in bulk
    assert 'name="q" value="acme"' in bulk


def test_removing_several_asks_first_and_names_what_stops(organization, alice, bob, charlie, as_user):
    send(organization, alice, "friend@acme.test")
    create_api_key(actor=actor_of(bob), organization=organization, name="CI", permissions=["member.manage"])
    client, ids = as_user(alice), ids_of(alice, bob, charlie)
    question = client.get(f"{URL}/remove", {"ids": ids}, headers=HTMX)
    assert "Remove 2 members?" in text_of(question)
    assert "The API key CI stops working." in text_of(question)
    assert "pending invitation" not in text_of(question)
    for pk in ids:
        assert pk in question.content.decode()
    answer = client.post(f"{URL}/remove", {"ids": ids}, follow=True)
    assert "2 members removed. 1 skipped: you." in text_of(answer)
    assert not ApiKey.objects.usable().exists()
    assert Invitation.objects.get().status == "pending"
    assert as_user(bob).get("/o/northwind/").status_code == 404


def test_all_that_match_are_removed_by_the_filter(organization, alice, bob, charlie, as_user):
    client, fields = as_user(alice), {"all": "1", "role": role_id(organization, "Member"), "q": "charlie"}
    question = client.get(f"{URL}/remove", fields)
    assert "Remove 1 member?" in text_of(question)
    assert 'name="all" value="1"' in question.content.decode()
    client.post(f"{URL}/remove", fields)
    assert Membership.objects.get(user=charlie).state == "removed"
    assert Membership.objects.active().count() == 2


def test_a_role_is_chosen_for_several(organization, alice, bob, charlie, as_user):
    client, ids = as_user(alice), ids_of(bob, charlie)
    question = client.get(f"{URL}/role", {"ids": ids}, headers=HTMX)
    assert "Change the role of 2 members?" in text_of(question)
    assert "No role" in text_of(question)
    fields = {"ids": ids, "new_role": role_id(organization, "Admin")}
    answer = client.post(f"{URL}/role", fields, headers=HTMX)
    assert "1 member is now Admin. 1 had this role already." in text_of(answer)
    assert Membership.objects.get(user=charlie).role.name == "Admin"
    client.post(f"{URL}/role", {"ids": ids, "new_role": "none"})
    assert Membership.objects.filter(role=None).count() == 2


def test_an_admin_is_not_offered_what_is_beyond_them(organization, alice, bob, charlie, as_user):
    html = as_user(bob).get(f"{URL}/role", {"ids": ids_of(charlie)}).content.decode()
    assert f'value="{role_id(organization, "Owner")}" disabled' in html
    assert f'value="{role_id(organization, "Admin")}">' in html


@pytest.mark.parametrize("new_role", ["", "nonsense", "0199aaaa-0000-7000-8000-000000000000"])
def test_a_role_that_is_none_is_refused(organization, alice, charlie, as_user, new_role):
    fields = {"ids": ids_of(charlie), "new_role": new_role}
    assert as_user(alice).post(f"{URL}/role", fields).status_code == 422
    assert Membership.objects.get(user=charlie).role.name == "Member"


@pytest.mark.parametrize("path", ["/role", "/remove"])
def test_with_nobody_selected_it_says_so(organization, alice, as_user, path):
    for method in ("get", "post"):
        response = getattr(as_user(alice), method)(URL + path, {"new_role": "none"})
        assert response.status_code == 422
        assert "Select at least one member first." in text_of(response)


def test_a_form_that_was_open_when_its_role_was_taken_is_refused(organization, alice, bob, charlie, as_user):
    """S04"""
    client, fields = as_user(bob), {"ids": ids_of(charlie), "new_role": "none"}
    assert client.get(f"{URL}/role", fields).status_code == 200
    assert client.get(f"{URL}/remove", fields).status_code == 200
    (bobs,) = ids_of(bob)
    as_user(alice).post(f"{URL}/{bobs}/role", {"role": role_id(organization, "Member")})
    (charlies,) = ids_of(charlie)
    for path in ("/role", "/remove", f"/{charlies}/role", f"/{charlies}/remove"):
        response = client.post(URL + path, fields)
        assert response.status_code == 403
        assert "Member: Manage" in text_of(response)
    assert Membership.objects.get(user=charlie, state="active").role.name == "Member"


def test_the_list_is_exported_as_the_page_shows_it(organization, alice, bob, charlie, as_user):
    rows = exported(as_user(alice).get(f"{URL}/export.csv", {"sort": "-name"}))
    assert [row["name"] for row in rows] == ["Charlie Cook", "Bob Baker", "Alice Archer"]
    alices = rows[2]
    assert alices["joined_at"].endswith("Z")
    assert (alices["email"], alices["email_verified"], alices["role"]) == (alice.email, "yes", "Owner")
    assert (alices["joined_via"], alices["invited_by"]) == ("founded", "")
    admins = {"role": role_id(organization, "Admin"), "q": "o"}
    assert [row["name"] for row in exported(as_user(alice).get(f"{URL}/export.csv", admins))] == ["Bob Baker"]
    assert as_user(alice).get(f"{URL}/export.csv", {"sort": "nonsense"}).status_code == 422


def test_the_file_is_a_download_that_excel_reads_as_utf_8(organization, alice, as_user):
    join(organization, make_user("jose@acme.test", "José"), None)
    response = as_user(alice).get(f"{URL}/export.csv")
    assert response["Content-Disposition"] == 'attachment; filename="northwind-members.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    body = b"".join(response.streaming_content)
    assert body.startswith(b"\xef\xbb\xbfname,email,email_verified,role,joined_at,joined_via,invited_by\r\n")
    assert "José".encode() in body


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_no_cell_of_the_file_is_a_formula(organization, alice, as_user, name):
    user = make_user("+tag@acme.test", "Plain")
    member = join(organization, user, None)
    Membership.objects.filter(pk=member.pk).update(name=name)
    names = {row["name"]: row["email"] for row in exported(as_user(alice).get(f"{URL}/export.csv"))}
    assert names[f"'{name}"] == "'+tag@acme.test"


@pytest.mark.parametrize("name", ["x;=1+1", 'x; "@SUM(A1)', "x;\t-1"])
def test_no_part_behind_a_semicolon_is_a_formula(organization, alice, as_user, name):
    member = join(organization, make_user("plain@acme.test", "Plain"), None)
    Membership.objects.filter(pk=member.pk).update(name=name)
    cells = [row["name"] for row in exported(as_user(alice).get(f"{URL}/export.csv"))]
    (cell,) = [cell for cell in cells if cell.startswith("x;")]
    assert cell.partition(";")[2].strip(' \t"').startswith("'")


def test_a_search_for_very_long_text_chooses_nobody(organization, alice, as_user):
    as_user(alice).post(f"{URL}/remove", {"all": "1", "q": "charlie" * 9_000})
    assert not Membership.objects.filter(state="removed").exists()


def test_exporting_is_reading(organization, alice, as_user):
    before = Event.objects.count()
    exported(as_user(alice).get(f"{URL}/export.csv"))
    assert Event.objects.count() == before
    assert as_user(alice).post(f"{URL}/export.csv").status_code == 405
