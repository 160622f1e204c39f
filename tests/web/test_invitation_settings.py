"""The invitation settings, and what they do, through the door."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist.links import invitation_token
from guestlist.models import Event, Invitation, Membership, Organization, Role
from guestlist.permissions import Permission
from tests.actions.test_invitation_settings import limited, role
from tests.conftest import make_user
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/settings/invitations"
INVITE = "/o/northwind/admin/invitations/new"
TYPED = {
    "lifetime": "36",
    "unit": "h",
    "allowed_domains": "Acme.com\n*.acme.com",
    "denied_domains": "old.acme.com",
    "new_member_role": "",
}
EMPTY = {"lifetime": "", "unit": "d", "allowed_domains": "", "denied_domains": "", "new_member_role": ""}


def link():
    """Where the one invitation there is is accepted."""
    row = Invitation.objects.get()
    return f"/i/{invitation_token(row.nonce, row.pk)}"


def domains_of(response):
    """What the form says of the domains that are allowed."""
    found = re.search(r'<p class="hint" id="emails-domains">(.*?)</p>', response.content.decode())
    return re.sub("<[^>]+>", "", found[1])


def saved(organization):
    row = Organization.objects.get(pk=organization.pk)
    return row.invitation_lifetime, row.allowed_domains, row.denied_domains, row.new_member_role_id


USUAL = ("", [], [], None)


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not(organization, charlie, mallory, dora, client, as_user, method):
    assert getattr(client, method)(URL, TYPED).status_code == (302 if method == "get" else 401)
    for stranger in (mallory, dora):
        assert getattr(as_user(stranger), method)(URL, TYPED).status_code == 404
    response = getattr(as_user(charlie), method)(URL, TYPED)
    assert response.status_code == 403
    assert "Organization: Update" in text_of(response)
    assert saved(organization) == USUAL


def test_a_manager_of_members_may_not(organization, as_user):
    gita = limited(organization, Permission.MEMBER_MANAGE)
    assert as_user(gita).get(URL).status_code == 403
    assert as_user(gita).post(URL, TYPED).status_code == 403


def test_what_is_saved_stands_in_the_form(organization, alice, as_user):
    client, member = as_user(alice), role(organization, "Member")
    response = client.post(URL, TYPED | {"new_member_role": str(member.pk)}, follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert "Settings saved." in text_of(response)
    assert saved(organization) == ("36h", ["acme.com", "*.acme.com"], ["old.acme.com"], member.pk)
    html = response.content.decode()
    assert 'id="lifetime" name="lifetime" value="36"' in html
    assert '<option value="h" selected>' in html
    assert "\nacme.com\n*.acme.com</textarea>" in html
    assert f'<option value="{member.pk}" selected>Member</option>' in html


def test_an_empty_form_is_what_the_server_has_for_everybody(organization, alice, as_user):
    client = as_user(alice)
    client.post(URL, TYPED)
    response = client.post(URL, EMPTY, follow=True)
    assert saved(organization) == USUAL
    assert "Without a number they last 7 days" in text_of(response)
    assert "Pending invitations keep the time they have" in text_of(response)


def test_for_ever_needs_no_number(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(URL, EMPTY | {"unit": "never"}, follow=True)
    assert saved(organization)[0] == "never"
    assert '<option value="never" selected>' in response.content.decode()
    assert 'name="lifetime" value=""' in response.content.decode()


@pytest.mark.parametrize(
    ("number", "unit", "kept"),
    [("7", "d", "7d"), ("07", "d", "7d"), (" 36 ", "h", "36h"), ("٧", "d", "7d"), ("36h", "d", "36h")],
)
def test_lifetimes_as_people_type_them(organization, alice, as_user, number, unit, kept):
    assert as_user(alice).post(URL, EMPTY | {"lifetime": number, "unit": unit}).status_code == 302
    assert saved(organization)[0] == kept


@pytest.mark.parametrize(
    ("number", "unit"),
    [("0", "h"), ("3651", "d"), ("5", "never"), ("1.5", "d"), ("5", "weeks"), ("5", ""), ("9" * 5000, "d")],
)
def test_lifetimes_that_are_none_stay_in_the_form(organization, alice, as_user, number, unit):
    response = as_user(alice).post(URL, EMPTY | {"lifetime": number, "unit": unit})
    assert response.status_code == 422
    assert "Write a lifetime from 1 hour to 3,650 days" in text_of(response)
    assert f'name="lifetime" value="{number}"' in response.content.decode()
    assert saved(organization) == USUAL


def test_every_mistake_stands_beside_its_field_and_nothing_typed_is_lost(organization, alice, as_user):
    typed = TYPED | {"lifetime": "0", "allowed_domains": "acme.com, <b>", "denied_domains": "no domain"}
    response = as_user(alice).post(URL, typed)
    assert response.status_code == 422
    page, html = text_of(response), response.content.decode()
    for sentence in ("Write a lifetime", "“no” is not a mail domain"):
        assert sentence in page
    assert "“&lt;b&gt;” is not a mail domain" in html
    for name in ("lifetime", "allowed_domains", "denied_domains"):
        assert f'id="{name}-error"' in html
        assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-error', html)
    assert "acme.com, &lt;b&gt;</textarea>" in html
    assert saved(organization) == USUAL
    assert not Event.objects.filter(type="organization.updated").exists()


def test_too_many_domains_are_refused(organization, alice, as_user):
    many = " ".join(f"d{number}.test" for number in range(201))
    response = as_user(alice).post(URL, EMPTY | {"denied_domains": many})
    assert response.status_code == 422
    assert "There is room for 200 domains." in text_of(response)


def test_htmx_gets_the_form_and_a_toast(organization, alice, as_user):
    response = as_user(alice).post(URL, TYPED, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in html
    assert 'id="settings"' in html
    assert 'hx-swap-oob="beforeend:#toasts-status"' in html
    assert "Settings saved." in text_of(response)
    wrong = as_user(alice).post(URL, TYPED | {"lifetime": "0"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "Write a lifetime" in text_of(wrong)


def test_roles_for_new_members_are_all_but_owner(organization, alice, beta, as_user):
    html = as_user(alice).get(URL).content.decode()
    assert re.findall(r"<option[^>]*>(Owner|Admin|Member|No role)</option>", html) == [
        "No role",
        "Admin",
        "Member",
    ]
    for chosen in (role(organization, "Owner"), role(beta, "Member")):
        response = as_user(alice).post(URL, TYPED | {"new_member_role": str(chosen.pk)})
        assert response.status_code == 422
        assert 'id="new_member_role-error"' in response.content.decode()
    assert saved(organization) == USUAL


def test_roles_beyond_ones_own_permissions_cannot_be_chosen(organization, alice, as_user):
    gita, admin = limited(organization, Permission.ORGANIZATION_UPDATE), role(organization, "Admin")
    client = as_user(gita)
    assert f'<option value="{admin.pk}" disabled>' in client.get(URL).content.decode()
    response = client.post(URL, TYPED | {"new_member_role": str(admin.pk)})
    assert response.status_code == 422
    assert "permissions that you don’t have yourself" in text_of(response)
    assert saved(organization) == USUAL
    # What an owner has set is sent along unchanged.
    as_user(alice).post(URL, EMPTY | {"new_member_role": str(admin.pk)})
    assert f'<option value="{admin.pk}" selected>' in client.get(URL).content.decode()
    assert client.post(URL, TYPED | {"new_member_role": str(admin.pk)}).status_code == 302
    assert saved(organization)[3] == admin.pk


def test_the_page_takes_as_many_queries_for_many_roles(organization, alice, as_user):
    client = as_user(alice)
    client.get(URL)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(URL)
    Role.objects.bulk_create(Role(organization=organization, name=f"Role {n}") for n in range(40))
    with CaptureQueriesContext(connection) as many:
        client.get(URL)
    assert len(many) == len(few)


def test_the_invite_form_says_where_invitations_may_go_and_how_long_they_last(organization, alice, as_user):
    client = as_user(alice)
    client.get(INVITE)
    with CaptureQueriesContext(connection) as before:
        page = text_of(client.get(INVITE))
    assert "Only addresses at" not in page
    assert "expires after 7 days" in page
    assert "New people join without a role." in page
    client.post(URL, TYPED | {"new_member_role": str(role(organization, "Member").pk)})
    client.get(INVITE)
    with CaptureQueriesContext(connection) as after:
        response = client.get(INVITE)
        page = text_of(response)
    assert domains_of(response) == "Only addresses at: acme.com, *.acme.com."
    assert "expires after 36 hours" in page
    assert "New people join with the role for new members." in page
    assert len(after) == len(before)
    client.post(URL, EMPTY | {"allowed_domains": " ".join(f"d{n}.test" for n in range(7))})
    assert domains_of(client.get(INVITE)).endswith(" d3.test, d4.test and 2 more.")


def test_an_address_that_is_not_allowed_stays_in_the_box_with_its_reason(organization, alice, as_user):
    client = as_user(alice)
    client.post(URL, TYPED)
    response = client.post(INVITE, {"emails": "jane@acme.com, x@evil.test, y@old.acme.com"}, headers=HTMX)
    assert response.status_code == 200
    page, html = text_of(response), response.content.decode()
    assert "1 invitation sent. 2 to fix." in page
    assert "\nx@evil.test\ny@old.acme.com</textarea>" in html
    assert page.count("the organization doesn’t allow this domain") == 2
    assert html.count("data-fix") == 2
    assert list(Invitation.objects.values_list("key", flat=True)) == ["jane@acme.com"]


def test_the_preview_says_why(organization, alice, as_user):
    client = as_user(alice)
    client.post(URL, TYPED)
    response = client.post("/o/northwind/admin/invitations/preview", {"emails": "jane@acme.com, x@evil.test"})
    page = text_of(response)
    assert "1 will be invited" in page
    assert "1 to fix" in page
    assert "the organization doesn’t allow this domain" in page


def test_an_expired_one_to_a_domain_no_longer_allowed_is_not_sent_again(organization, alice, as_user):
    client = as_user(alice)
    client.post(INVITE, {"emails": "x@evil.test"})
    Invitation.objects.update(invited_at="2020-01-01T00:00Z", expires_at="2020-01-08T00:00Z")
    client.post(URL, TYPED)
    row = Invitation.objects.get()
    response = client.post(f"/o/northwind/admin/invitations/{row.pk}/resend", headers=HTMX)
    assert response.status_code == 409
    assert "Northwind doesn’t allow invitations to addresses at evil.test." in text_of(response)
    assert Invitation.objects.count() == 1


def test_whoever_accepts_gets_the_role_for_new_members_and_the_event_says_so(organization, alice, as_user):
    client = as_user(alice)
    client.post(URL, EMPTY | {"new_member_role": str(role(organization, "Member").pk)})
    client.post(INVITE, {"emails": "jane@acme.test", "role": str(role(organization, "Owner").pk)})
    jane = make_user("jane@acme.test", "Jane Doe")
    as_user(jane).post(link())
    assert Membership.objects.get(user=jane).role.name == "Member"
    joined = Event.objects.filter(type="member.joined").order_by("-number").first()
    assert joined.changes["role"] == [None, "Member"]


def test_without_a_role_for_new_members_the_call_cannot_choose_one(organization, alice, as_user):
    client = as_user(alice)
    client.post(INVITE, {"emails": "jane@acme.test", "role": str(role(organization, "Owner").pk)})
    jane = make_user("jane@acme.test", "Jane Doe")
    as_user(jane).post(link(), {"role": "Owner"})
    assert Membership.objects.get(user=jane).role is None
