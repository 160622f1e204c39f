"""A deleted organization at every door: as if unknown, until somebody restores it or it is gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from guestlist.actions.deletion import delete_organization, purge_deleted
from guestlist.actors import Actor
from guestlist.links import UNSUBSCRIBE, invitation_token
from guestlist.models import Event, Invitation, Membership, Organization
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user
from tests.web.test_invitations_page import text_of

DANGER = "/o/northwind/admin/settings/danger"


@pytest.fixture
def deleted(organization, alice):
    """Northwind, deleted by Alice, with a pending invitation to Vera."""
    send(organization, alice, "vera@acme.test")
    delete_organization(actor=actor_of(alice), organization=organization, name="Northwind")
    organization.refresh_from_db()
    return organization


def restore_url(organization):
    return f"/organizations/{organization.pk}/restore"


def test_only_whoever_could_delete_it_restores_it(deleted, bob, mallory, client, as_user):
    assert client.post(restore_url(deleted)).status_code == 401
    unknown = as_user(mallory).post("/organizations/0196c000-0000-7000-8000-000000000000/restore")
    for user in (bob, mallory):
        client = as_user(user)
        response = client.post(restore_url(deleted))
        assert response.status_code == 404
        assert response.content == unknown.content
        assert "Deleted" not in text_of(client.get("/organizations"))
    assert as_user(mallory).get(restore_url(deleted)).status_code == 405
    assert not Organization.objects.present().exists()


@pytest.mark.parametrize("typed", ["", "northwind", "Northwind!", "<b>"])
def test_another_name_deletes_nothing_and_stays_in_the_form(organization, alice, as_user, typed):
    response = as_user(alice).post(DANGER, {"name": typed})
    assert response.status_code == 422
    assert "That is not the name of the organization." in text_of(response)
    assert "<b>" not in response.content.decode().split('id="name"')[1][:60]
    assert Organization.objects.present().exists()


def test_the_name_typed_deletes_it_and_leads_to_where_it_is_restored(organization, alice, as_user):
    client = as_user(alice)
    page = client.post(DANGER, {"name": "Northwind"}, follow=True)
    assert page.redirect_chain == [("/organizations", 302)]
    text = text_of(page)
    assert "Northwind is deleted. You can restore it until" in text
    assert "Gone for good on" in text
    assert restore_url(organization) in page.content.decode()
    back = client.post(restore_url(organization), follow=True)
    assert back.redirect_chain == [("/o/northwind/", 302)]
    assert "Northwind is restored." in text_of(back)


def test_a_second_tab_finds_nothing(organization, alice, as_user):
    client, other = as_user(alice), as_user(alice)
    other.get(DANGER)
    client.post(DANGER, {"name": "Northwind"})
    assert other.post(DANGER, {"name": "Northwind"}).status_code == 404
    client.post(restore_url(organization))
    assert other.post(restore_url(organization)).status_code == 404
    assert Event.objects.filter(type__startswith="organization.").count() == 3


def test_its_pages_are_as_unknown_as_any(deleted, alice, as_user):
    client = as_user(alice)
    unknown = client.get("/o/nothing/admin/members").content
    for path in ("", "admin/members", "admin/invitations", "admin/settings", "leave"):
        response = client.get(f"/o/northwind/{path}")
        assert response.status_code == 404
        assert response.content == unknown
    assert client.post("/o/northwind/admin/invitations/new", {"emails": "a@b.test"}).status_code == 404


def test_it_is_in_no_list_and_no_switcher(deleted, beta, alice, as_user):
    join(beta, alice, None)
    client = as_user(alice)
    assert "Northwind" not in text_of(client.get("/o/beta/"))
    htmx = {"HX-Request": "true", "HX-Target": "org-list-a"}
    for headers in ({"HX-Request": "true"}, htmx):
        assert "Northwind" not in text_of(client.get("/organizations?q=north", headers=headers))


def test_the_start_page_leads_to_another_or_to_restoring(organization, alice, beta, as_user):
    client = as_user(alice)
    assert client.get("/")["Location"] == "/o/northwind/"
    client.get("/o/northwind/")
    delete_organization(actor=actor_of(alice), organization=organization, name="Northwind")
    assert client.get("/")["Location"] == "/organizations"
    join(beta, alice, None)
    assert client.get("/")["Location"] == "/o/beta/"


def test_whoever_cannot_restore_it_belongs_to_nothing(deleted, charlie, as_user):
    response = as_user(charlie).get("/")
    assert response.status_code == 200
    assert "You don’t belong to an organization yet" in text_of(response)


def test_z14_its_invitations_say_so_and_let_nobody_in(deleted, client, as_user):
    vera = make_user("vera@acme.test", "Vera Voss")
    row = Invitation.objects.get()
    token = invitation_token(row.nonce, row.pk)
    for visitor in (client, as_user(vera)):
        for method in ("get", "post"):
            for path in (f"/i/{token}", f"/i/{token}/decline", f"/i/{token}/ask", f"/i/{token}/preferences"):
                response = getattr(visitor, method)(path)
                assert response.status_code == 410
                assert "Northwind no longer takes invitations." in text_of(response)
    unsubscribe = invitation_token(row.nonce, row.pk, UNSUBSCRIBE)
    assert client.post(f"/u/{unsubscribe}").status_code == 410
    mine = as_user(vera)
    assert "Northwind" not in text_of(mine.get("/invitations"))
    assert mine.post(f"/invitations/{row.pk}/accept").status_code == 404
    assert mine.post(f"/invitations/{row.pk}/decline").status_code == 404
    row.refresh_from_db()
    assert row.status == "pending"
    assert not Membership.objects.filter(user=vera).exists()


def test_s06_its_keys_open_nothing(organization, alice, make_key, client):
    key = make_key(organization)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/organizations/northwind", headers=headers).status_code == 200
    delete_organization(actor=actor_of(alice), organization=organization, name="Northwind")
    refused = client.get("/api/v1/organizations/northwind", headers=headers)
    unknown = client.get("/api/v1/organizations/northwind", headers={"Authorization": "Bearer glk_x"})
    assert (refused.status_code, refused.content) == (401, unknown.content)
    response = client.post(
        "/api/v1/organizations/northwind/invitations",
        {"emails": ["jane@acme.test"]},
        content_type="application/json",
        headers=headers,
    )
    assert response.status_code == 401
    assert not Invitation.objects.exists()


def test_restored_everything_works_again(deleted, alice, as_user, client):
    as_user(alice).post(restore_url(deleted))
    row = Invitation.objects.get()
    assert client.get(f"/i/{invitation_token(row.nonce, row.pk)}").status_code == 200
    assert as_user(alice).get("/o/northwind/admin/invitations").status_code == 200


def test_gone_for_good_its_links_are_unknown(deleted, alice, as_user, client):
    row = Invitation.objects.get()
    Organization.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    assert "Deleted" not in text_of(as_user(alice).get("/organizations"))
    assert purge_deleted() == 1
    assert client.get(f"/i/{invitation_token(row.nonce, row.pk)}").status_code == 404
    assert as_user(alice).post(restore_url(deleted)).status_code == 404


def test_the_operator_may_too(deleted, as_user, alice):
    from guestlist.actions.deletion import restore_organization

    restore_organization(actor=Actor.operator(), organization_id=deleted.pk)
    assert as_user(alice).get("/o/northwind/").status_code == 200
