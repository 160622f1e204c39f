"""First run, and the set-up link of an organization made by command."""

import pytest

from guestlist import errors
from guestlist.actions.organizations import create_first_run_link, create_organization, create_setup_link
from guestlist.actors import Actor
from guestlist.models import Membership, Organization
from guestlist_server.accounts.models import User
from tests.conftest import PASSWORD, make_user

FORM = {
    "name": "Maya Torres",
    "email": "maya@northwind.test",
    "password": PASSWORD,
    "organization": "Northwind",
}


@pytest.fixture
def link(db):
    return create_first_run_link()


def test_first_run_makes_the_owner_and_signs_in(link, client):
    assert client.get(f"/setup/{link.code}").status_code == 200
    response = client.post(f"/setup/{link.code}", FORM)
    assert response["Location"] == "/o/northwind/admin/invitations"
    assert Membership.objects.get(user__email="maya@northwind.test").role.name == "Owner"
    assert client.get(response["Location"]).status_code == 200
    assert client.get(f"/setup/{link.code}").status_code == 410


def test_the_link_dies_with_the_first_user(link, client):
    make_user("x@y.test", "X")
    assert client.get(f"/setup/{link.code}").status_code == 410
    assert client.post(f"/setup/{link.code}", FORM).status_code == 410
    assert create_first_run_link() is None


def test_each_start_makes_a_new_link(link, client):
    second = create_first_run_link()
    assert client.get(f"/setup/{link.code}").status_code == 410
    assert client.get(f"/setup/{second.code}").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"email": "x"}, {"password": "short"}, {"organization": "evil.test"}, {"slug": "A B"}],
)
def test_a_bad_form_keeps_the_link_and_what_was_typed(link, client, changed):
    response = client.post(f"/setup/{link.code}", FORM | changed)
    assert response.status_code == 422
    assert not User.objects.exists()
    assert client.post(f"/setup/{link.code}", FORM).status_code == 302


def test_an_organization_made_by_command_gets_its_owner(db, client):
    organization = create_organization(actor=Actor.operator(), name="Acme", slug="acme")
    made = create_setup_link(actor=Actor.operator(), organization=organization, email="Maya@northwind.test")
    assert "Maya@northwind.test" in client.get(f"/setup/{made.code}").content.decode()
    response = client.post(f"/setup/{made.code}", {"name": "Maya", "password": PASSWORD})
    assert response.status_code == 302
    assert Membership.objects.get(organization=organization).role.fixed
    with pytest.raises(errors.HasOwner):
        create_setup_link(actor=Actor.operator(), organization=organization)


def test_an_address_with_an_account_signs_in_first(db, client, as_user):
    organization = create_organization(actor=Actor.operator(), name="Acme", slug="acme")
    made = create_setup_link(actor=Actor.operator(), organization=organization, email="maya@northwind.test")
    maya, other = make_user("maya@northwind.test", "Maya"), make_user("other@x.test", "Other")
    assert client.post(f"/setup/{made.code}")["Location"].startswith("/accounts/login/")
    refused = as_user(other).post(f"/setup/{made.code}")
    assert refused.status_code == 403
    assert "other@x.test" in refused.content.decode()
    assert as_user(maya).post(f"/setup/{made.code}").status_code == 302
    assert Membership.objects.get(organization=organization).user == maya


def test_before_the_first_run_the_start_page_says_where_the_link_is(db, client):
    response = client.get("/")
    assert response.status_code == 503
    assert "set-up link" in response.content.decode()
    assert not Organization.objects.exists()
