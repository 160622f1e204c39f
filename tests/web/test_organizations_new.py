"""Creating an organization, through the door."""

import pytest
from allauth.account.models import EmailAddress

from guestlist import errors
from guestlist.actions.organizations import create_organization
from guestlist.actions.slugs import suggested_slug
from guestlist.actors import Actor, Origin
from guestlist.models import ApiKey, Event, Membership, Organization
from tests.conftest import actor_of
from tests.web.test_invitations_page import text_of

URL = "/organizations/new"


@pytest.fixture
def open_to_all(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"CREATE_ORGANIZATIONS": "anyone"}


def test_signed_out_people_sign_in_and_come_back(open_to_all, organization, client):
    assert client.get(URL)["Location"] == f"/accounts/login/?next={URL}"
    assert client.post(URL, {"name": "Acme"}).status_code == 401
    assert not Organization.objects.filter(slug="acme").exists()


def test_unless_the_settings_say_so_only_the_operator_creates(organization, alice, as_user):
    client = as_user(alice)
    for response in (client.get(URL), client.post(URL, {"name": "Acme"})):
        assert response.status_code == 403
        assert "Organization: Create" in text_of(response)
        assert "Create Organization" not in text_of(response)
    assert not Organization.objects.filter(slug="acme").exists()


def test_the_first_stranger_of_an_empty_server_creates_nothing(mallory, as_user):
    assert as_user(mallory).post(URL, {"name": "Acme"}).status_code == 403
    assert not Organization.objects.exists()


def test_whoever_has_no_verified_address_creates_nothing(open_to_all, mallory, as_user):
    EmailAddress.objects.update(verified=False)
    response = as_user(mallory).post(URL, {"name": "Acme"})
    assert response.status_code == 403
    assert "verified email address" in text_of(response)
    assert not Organization.objects.exists()


def test_keys_and_invitees_create_nothing(open_to_all, organization, alice, make_key):
    make_key(organization)
    key = ApiKey.objects.get()
    for actor in (
        Actor("api_key", str(key.pk), key.name, subject=key),
        Actor.invitee("x@y.test", origin=Origin("web")),
        Actor.system(),
    ):
        with pytest.raises(errors.NotAllowed):
            create_organization(actor=actor, name="Acme", slug="acme", owner=alice)


def test_nobody_makes_somebody_else_an_owner(open_to_all, alice, mallory):
    for owner in (alice, None):
        with pytest.raises(errors.NotAllowed):
            create_organization(actor=actor_of(mallory), name="Acme", slug="acme", owner=owner)


def test_the_creator_becomes_owner_and_is_led_to_invite(open_to_all, mallory, as_user):
    client = as_user(mallory)
    assert "Create Organization" in text_of(client.get("/"))
    assert "Create Organization" in text_of(client.get("/organizations"))
    assert client.get(URL).status_code == 200
    response = client.post(URL, {"name": " Straße &  Co "}, follow=True)
    assert response.redirect_chain == [("/o/strasse-co/admin/invitations", 302)]
    assert "Straße &amp; Co is ready." in text_of(response)
    assert Membership.objects.get(user=mallory).role.name == "Owner"
    event = Event.objects.get(type="organization.created")
    assert (event.actor_id, event.door, event.ip) == (str(mallory.pk), "web", "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "slug", "status", "sentence"),
    [
        ("", "", 422, "Enter a name."),
        ("see evil.test", "", 422, "can’t hold a web address"),
        ("Acme", "A B", 422, "The short name may hold"),
        ("Acme", "a" * 64, 422, "The short name may hold"),
        ("Acme", "northwind", 409, "Another organization has the short name “northwind”."),
        ("Northwind", "", 409, "Another organization has the short name “northwind”."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    open_to_all, organization, mallory, as_user, name, slug, status, sentence
):
    response = as_user(mallory).post(URL, {"name": name, "slug": slug})
    assert response.status_code == status
    assert sentence in text_of(response)
    html = response.content.decode()
    assert 'aria-invalid="true"' in html
    assert f'value="{name}"' in html
    assert f'value="{slug}"' in html
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Straße & Co", "strasse-co"),
        ("a_b -- c", "a-b-c"),
        ("Ελλάδα", "organization"),
        ("x" * 62 + " y", "x" * 62),
        ("---", "organization"),
    ],
)
def test_a_short_name_is_suggested_that_may_be_used(db, name, slug):
    assert suggested_slug(name) == slug
    create_organization(actor=Actor.operator(), name="Any", slug=suggested_slug(name))
