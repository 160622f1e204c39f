"""The Roles pages, through the door."""

import re

import pytest

from guestlist.models import Membership, Organization, Role
from tests.conftest import join, make_user
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/roles"


def role(organization, name):
    return Role.objects.get(organization=organization, name=name)


def allow(organization, name, *permissions):
    Role.objects.filter(organization=organization, name=name).update(permissions=list(permissions))


def test_who_may_not(organization, charlie, mallory, dora, beta, client, as_user):
    assert client.get(URL).status_code == 302
    for outsider in (mallory, dora):
        assert as_user(outsider).get(URL).status_code == 404
    refused = as_user(charlie).get(URL)
    assert refused.status_code == 403
    assert "Role: Read" in text_of(refused)


@pytest.mark.parametrize(
    ("path", "permission"),
    [("new", "create"), ("{}", "update"), ("{}/duplicate", "create"), ("{}/delete", "delete")],
)
def test_a_post_needs_the_permission_of_its_verb(organization, charlie, as_user, path, permission):
    held = {f"role.{verb}" for verb in ("read", "create", "update", "delete")} - {f"role.{permission}"}
    allow(organization, "Member", *held)
    target = Role.objects.create(organization=organization, name="Target")
    response = as_user(charlie).post(
        f"{URL}/{path.format(target.pk)}", {"name": "Taken over", "successor": "none"}
    )
    assert response.status_code == 403
    assert f"Role: {permission.capitalize()}" in text_of(response)
    assert role(organization, "Target")
    assert Role.objects.filter(organization=organization).count() == 4


@pytest.mark.parametrize("roles", [1, 40])
def test_the_page_takes_the_same_queries_for_any_number(
    organization, alice, as_user, roles, django_assert_num_queries
):
    for i in range(roles):
        Role.objects.create(organization=organization, name=f"Role {i}")
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


def test_the_list_names_members_and_permissions(organization, alice, bob, charlie, as_user):
    allow(organization, "Member", "role.read", "audit.read")
    page = as_user(alice).get(URL)
    text = text_of(page)
    assert re.search(r"Owner\W+Your role\W+1 member\W+All", text)
    assert re.search(r"Admin\W+1 member\W+9 permissions", text)
    assert re.search(r"Member\W+1 member\W+Role: Read, Audit: Read", text)
    assert f"/o/northwind/admin/members?role={role(organization, 'Admin').pk}" in page.content.decode()


def test_whoever_only_reads_has_no_buttons(organization, charlie, as_user):
    allow(organization, "Member", "role.read")
    client = as_user(charlie)
    html = client.get(URL).content.decode()
    for word in ("Create Role", "Duplicate Admin", "Edit Admin", "Delete Admin", "members?role="):
        assert word not in html
    page = client.get(f"{URL}/{role(organization, 'Admin').pk}")
    assert "Member: Manage" in text_of(page)
    assert "This needs the permission “Role: Update”" in text_of(page)
    assert 'name="permissions"' not in page.content.decode()


def test_buttons_that_do_nothing_say_why(organization, alice, bob, as_user):
    html = as_user(bob).get(URL).content.decode()
    owner = role(organization, "Owner")
    for verb in ("edit", "delete"):
        assert f'aria-describedby="{verb}-{owner.pk}"' in html
    assert "can’t be changed or deleted" in html
    assert f'aria-describedby="copy-{owner.pk}"' in html
    html = as_user(alice).get(URL).content.decode()
    assert f'aria-describedby="copy-{owner.pk}"' not in html


@pytest.mark.parametrize(
    ("sort", "first"), [("", "Owner"), ("name", "Admin"), ("-name", "Owner"), ("-members", "Member")]
)
def test_the_list_sorts(organization, alice, as_user, sort, first):
    for i in range(2):
        join(organization, make_user(f"m{i}@acme.test", f"M {i}"), "Member")
    html = as_user(alice).get(URL, {"sort": sort} if sort else {}).content.decode()
    assert re.search(r"<bdi>(\w+)</bdi></a></b></div>", html)[1] == first


def test_an_unknown_sort_is_refused(organization, alice, as_user):
    assert as_user(alice).get(URL, {"sort": "colour"}).status_code == 422


def test_a_role_is_created(organization, alice, as_user):
    client = as_user(alice)
    page = client.get(f"{URL}/new")
    assert "Create roles with no more than one’s own permissions." in text_of(page)
    sent = {"name": "Editor", "permissions": ["role.read", "audit.read"]}
    response = client.post(f"{URL}/new", sent, follow=True)
    assert "The role Editor was created." in text_of(response)
    assert role(organization, "Editor").permission_set == {"role.read", "audit.read"}


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"name": ""}, 422, "Enter a name."),
        ({"name": "admin"}, 409, "There is a role “admin” already."),
        ({"name": "x evil.test"}, 422, "web address"),
        ({"name": "Editor", "more": "no.such"}, 422, "There is no permission “no.such”."),
        ({"name": "Editor", "more": "organization.delete"}, 403, "permissions that you don’t have"),
    ],
)
@pytest.mark.parametrize("where", ["new", "Member"])
def test_a_refusal_keeps_what_was_typed(organization, bob, as_user, sent, status, sentence, where):
    path = where if where == "new" else role(organization, where).pk
    permissions = ["role.read", *filter(None, [sent.get("more")])]
    response = as_user(bob).post(f"{URL}/{path}", {"name": sent["name"], "permissions": permissions})
    html = response.content.decode()
    assert response.status_code == status
    assert sentence in text_of(response)
    assert f'value="{sent["name"]}"' in html
    assert re.search(r'value="role.read"[^>]* checked', html)
    assert not role(organization, "Member").permissions


def test_what_one_does_not_have_cannot_be_ticked(organization, bob, as_user):
    html = as_user(bob).get(f"{URL}/new").content.decode()
    assert re.search(r'value="organization.delete"[^>]* disabled', html)
    assert not re.search(r'value="role.read"[^>]* disabled', html)
    assert "You don’t have this permission yourself" in html


def test_a_change_acts_at_once_for_every_holder(organization, alice, charlie, as_user):
    nina = make_user("nina@northwind.test", "Nina North")
    join(organization, nina, "Member")
    holders = [as_user(charlie), as_user(nina)]
    admin, member = as_user(alice), role(organization, "Member")
    members = "/o/northwind/admin/members"
    assert {client.get(members).status_code for client in holders} == {403}
    assert "2 members have this role." in text_of(admin.get(f"{URL}/{member.pk}"))
    admin.post(f"{URL}/{member.pk}", {"name": "Member", "permissions": ["member.manage"]})
    assert {client.get(members).status_code for client in holders} == {200}
    admin.post(f"{URL}/{member.pk}", {"name": "Member"})
    assert {client.get(members).status_code for client in holders} == {403}


def test_one_is_warned_of_changing_ones_own_role(organization, bob, as_user):
    client, admin = as_user(bob), role(organization, "Admin")
    assert "This is your own role." in text_of(client.get(f"{URL}/{admin.pk}"))
    response = client.post(f"{URL}/{admin.pk}", {"name": "Admin"}, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[0][0] == "/o/northwind/"
    assert client.get(URL).status_code == 403


def test_owner_is_shown_but_has_no_form(organization, alice, as_user):
    owner = role(organization, "Owner")
    client = as_user(alice)
    page = client.get(f"{URL}/{owner.pk}")
    assert "Organization: Delete" in text_of(page)
    assert 'name="permissions"' not in page.content.decode()
    assert client.post(f"{URL}/{owner.pk}", {"name": "Boss"}).status_code == 409
    for method in ("get", "post"):
        assert getattr(client, method)(f"{URL}/{owner.pk}/delete").status_code == 409


def test_a_role_is_duplicated_and_opened(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(f"{URL}/{role(organization, 'Admin').pk}/duplicate", follow=True)
    assert "The role Copy of Admin was created." in text_of(response)
    copy = role(organization, "Copy of Admin")
    assert response.redirect_chain[0][0] == f"{URL}/{copy.pk}"


def test_deleting_asks_who_follows(organization, alice, charlie, as_user):
    client, member = as_user(alice), role(organization, "Member")
    url = f"{URL}/{member.pk}/delete"
    for headers in ({}, HTMX):
        asked = client.get(url, headers=headers)
        assert "Delete the role Member?" in text_of(asked)
        assert "1 member has this role" in text_of(asked)
    refused = client.post(url)
    assert refused.status_code == 409
    assert "Choose which role they get instead, or none." in text_of(refused)
    assert client.post(url, {"successor": "nonsense"}).status_code == 422
    assert client.post(url, headers=HTMX).status_code == 409
    response = client.post(url, {"successor": role(organization, "Admin").pk}, follow=True)
    assert "The role Member was deleted." in text_of(response)
    assert Membership.objects.get(user=charlie).role.name == "Admin"


def test_nobody_chooses_a_successor_above_their_own_role(organization, bob, charlie, as_user):
    client, member = as_user(bob), role(organization, "Member")
    owner = role(organization, "Owner")
    html = client.get(f"{URL}/{member.pk}/delete").content.decode()
    assert re.search(rf'value="{owner.pk}" disabled', html)
    assert client.post(f"{URL}/{member.pk}/delete", {"successor": owner.pk}).status_code == 403
    above = Role.objects.create(organization=organization, name="A", permissions=["organization.delete"])
    assert client.get(f"{URL}/{above.pk}/delete").status_code == 403


def test_a_role_that_nobody_has_goes_without_a_choice(organization, alice, as_user):
    empty = Role.objects.create(organization=organization, name="Empty")
    client, url = as_user(alice), f"{URL}/{empty.pk}/delete"
    assert 'name="successor"' not in client.get(url).content.decode()
    response = client.post(url, headers=HTMX)
    assert "The role Empty was deleted." in text_of(response)
    assert "guestlist:changed" in response["HX-Trigger"]


def test_deleting_the_role_for_new_members_says_so(organization, alice, as_user):
    empty = Role.objects.create(organization=organization, name="Empty")
    Organization.objects.filter(pk=organization.pk).update(new_member_role=empty)
    page = as_user(alice).get(f"{URL}/{empty.pk}/delete")
    assert "Whoever joins gets it today" in text_of(page)
    assert 'name="successor"' in page.content.decode()


def test_a_projects_permissions_appear_by_themselves(organization, alice, bob, as_user, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"PERMISSIONS": {"invoice.approve": "Approve <invoices>."}}
    html = as_user(alice).get(f"{URL}/new").content.decode()
    assert re.search(r'<legend class="label">Invoice</legend>', html)
    assert "Invoice: Approve" in html
    assert "Approve &lt;invoices&gt;." in html
    assert re.search(
        r'value="invoice.approve"[^>]* disabled', as_user(bob).get(f"{URL}/new").content.decode()
    )
    sent = {"name": "Bookkeeper", "permissions": ["invoice.approve"]}
    as_user(alice).post(f"{URL}/new", sent)
    assert role(organization, "Bookkeeper").permission_set == {"invoice.approve"}


def test_a_hostile_name_is_text(organization, alice, as_user):
    Role.objects.create(organization=organization, name="<script>x</script>")
    assert "<script>x" not in as_user(alice).get(URL).content.decode()
