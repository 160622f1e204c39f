"""An organization's former short names still lead to it, and to nobody else."""

import pytest

from guestlist import errors
from guestlist.actions.organizations import create_organization, update_organization
from guestlist.actors import Actor
from guestlist.links import invitation_token
from guestlist.models import Event, FormerSlug, Invitation, Organization
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of


def rename(organization, user, slug):
    return update_organization(actor=actor_of(user), organization=organization, slug=slug)


def test_whoever_may_not_change_it_keeps_it(organization, charlie, mallory):
    with pytest.raises(errors.NotAllowed):
        rename(organization, charlie, "south")
    with pytest.raises(errors.NotFound):
        rename(organization, mallory, "south")
    assert Organization.objects.get().slug == "northwind"
    assert not FormerSlug.objects.exists()


def test_the_old_one_is_nothing_to_an_outsider(organization, alice, mallory, client, as_user):
    unknown = as_user(mallory).get("/o/nothing/").content.decode()
    rename(organization, alice, "south")
    for path in ("northwind", "south"):
        response = as_user(mallory).get(f"/o/{path}/")
        assert response.status_code == 404
        assert response.content.decode() == unknown
    assert client.get("/o/northwind/")["Location"].startswith("/accounts/login/")


def test_a_page_under_the_old_one_leads_to_the_same_page(organization, alice, charlie, as_user):
    rename(organization, alice, "south")
    client = as_user(alice)
    response = client.get("/o/northwind/admin/members?q=al%20b&sort=-name")
    assert response.status_code == 302
    assert response["Location"] == "/o/south/admin/members?q=al%20b&sort=-name"
    assert as_user(charlie).get("/o/northwind/")["Location"] == "/o/south/"
    response = as_user(charlie).get("/o/northwind/admin/members", follow=True)
    assert response.status_code == 403


def test_a_form_sent_to_the_old_one_arrives(organization, alice, as_user):
    rename(organization, alice, "south")
    client = as_user(alice)
    path = "/o/northwind/admin/invitations/new"
    response = client.post(path, {"emails": "jane@acme.test"})
    assert response.status_code == 307
    assert response["Location"] == "/o/south/admin/invitations/new"
    client.post(path, {"emails": "jane@acme.test"}, follow=True)
    assert Invitation.objects.get().email == "jane@acme.test"


def test_mailed_links_do_not_care(organization, alice, client):
    send(organization, alice, "jane@acme.test")
    row = Invitation.objects.get()
    rename(organization, alice, "south")
    assert client.get(f"/i/{invitation_token(row.nonce, row.pk)}").status_code == 200


def test_the_change_is_in_the_audit_log(organization, alice):
    rename(organization, alice, "south")
    assert Event.objects.last().changes == {"slug": ["northwind", "south"]}


def test_nobody_else_can_take_one_that_is_kept(organization, alice, beta, dora):
    rename(organization, alice, "south")
    with pytest.raises(errors.SlugTaken, match="northwind"):
        rename(beta, dora, "northwind")
    with pytest.raises(errors.SlugTaken):
        create_organization(actor=Actor.operator(), name="Thief", slug="northwind")
    assert Organization.objects.get(pk=beta.pk).slug == "beta"
    assert not Organization.objects.filter(slug="northwind").exists()


def test_the_organization_itself_takes_it_back(organization, alice, as_user):
    rename(organization, alice, "south")
    rename(organization, alice, "northwind")
    assert list(FormerSlug.objects.values_list("slug", flat=True)) == ["south"]
    assert as_user(alice).get("/o/south/")["Location"] == "/o/northwind/"


def test_ten_are_kept_and_the_oldest_goes(organization, alice, beta, dora):
    for number in range(11):
        rename(organization, alice, f"name-{number}")
    kept = set(FormerSlug.objects.values_list("slug", flat=True))
    assert kept == {f"name-{number}" for number in range(10)}
    assert rename(beta, dora, "northwind").slug == "northwind"


@pytest.mark.parametrize("slug", ["", "North", "a b", "-a", "a--b", "a" * 64, "a/../b", "ä"])
def test_what_is_no_short_name_is_refused(organization, alice, slug):
    with pytest.raises(errors.SlugInvalid):
        rename(organization, alice, slug)


def test_rest_takes_the_old_one_of_its_own_organization_only(
    organization, alice, beta, dora, make_key, client
):
    rename(organization, alice, "south")
    rename(beta, dora, "gamma")
    headers = {"Authorization": f"Bearer {make_key(organization)}"}
    for slug in ("south", "northwind"):
        response = client.get(f"/api/v1/organizations/{slug}", headers=headers)
        assert response.json()["slug"] == "south"
    bodies = {
        client.get(f"/api/v1/organizations/{slug}", headers=headers).content
        for slug in ("beta", "gamma", "nothing")
    }
    assert len(bodies) == 1
    assert b"not_found" in bodies.pop()


def test_the_start_page_remembers_whom_it_meant(organization, beta, alice, as_user):
    from tests.conftest import join

    client = as_user(alice)
    client.get("/o/northwind/")
    join(beta, alice, None)
    rename(organization, alice, "south")
    assert client.get("/")["Location"] == "/o/south/"
