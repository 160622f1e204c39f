"""A join link's page, in every state and for every visitor."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.utils import timezone

from guestlist.actions.join_links import create_join_link, turn_off_join_link, url_of
from guestlist.actions.members import remove_member
from guestlist.links import invitation_token
from guestlist.models import Event, Invitation, JoinLink, Membership
from guestlist_server.accounts.models import User
from tests.conftest import PASSWORD, actor_of, join, make_user
from tests.web.test_invitations_page import text_of

SAID = "If this address can join, mail is on its way to it."


@pytest.fixture(autouse=True)
def _no_limits(limit):
    limit()


def make(organization, alice, **values):
    values = {"name": "Team", **values}
    return create_join_link(actor=actor_of(alice), organization=organization, **values)


@pytest.fixture
def link(organization, alice):
    return make(organization, alice)


def path(link):
    return f"/j/{url_of(link).rpartition('/')[2]}"


def members():
    return set(Membership.objects.active().values_list("email", flat=True))


def test_a_removed_person_is_told_to_ask_a_manager(organization, alice, charlie, link, as_user):
    row = Membership.objects.get(user=charlie)
    remove_member(actor=actor_of(alice), organization=organization, member_id=row.pk)
    client = as_user(charlie)
    for response in (client.get(path(link)), client.post(path(link))):
        assert response.status_code == 403
        assert "Ask a manager there to invite you." in text_of(response)
    assert charlie.email not in members()


def test_nobody_joins_signed_out(link, client):
    assert client.post(path(link)).status_code == 403
    assert JoinLink.objects.get().uses == 0


def test_a_form_from_elsewhere_joins_nobody(link, mallory):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(mallory)
    assert client.post(path(link)).status_code == 403
    assert mallory.email not in members()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_reading_changes_nothing_and_writes_no_session(link, client, mallory, as_user, method):
    before = Event.objects.count()
    for browser in (client, as_user(mallory)):
        assert getattr(browser, method)(path(link)).status_code in (200, 405)
    assert "sessionid" not in client.cookies
    assert Session.objects.count() == 1
    assert (Event.objects.count(), JoinLink.objects.get().uses) == (before, 0)
    assert mallory.email not in members()


def test_unknown_malformed_and_other_links_share_one_page(organization, link, client):
    forged = path(link)[:-4] + "AAAA"
    other = f"/j/{invitation_token(link.nonce, link.pk)}"
    pages = {client.get(url).content for url in ("/j/nonsense", "/j/glj_", forged, other, "/i/nonsense")}
    assert client.get(forged).status_code == 404
    assert len({page.replace(b"next=/j/", b"next=/i/") for page in pages}) == 1
    assert b"Northwind" not in next(iter(pages))


def test_tries_of_unknown_links_are_counted(link, client, limit):
    limit(guesses="3/1h")
    assert [client.get(f"/j/glj_{i}").status_code for i in range(4)] == [404, 404, 404, 429]
    assert client.get(path(link)).status_code == 200


def test_a_link_of_a_deleted_organization_is_gone(organization, link, client, mallory, as_user):
    organization.deleted_at = timezone.now()
    organization.save(update_fields=["deleted_at"])
    for browser in (client, as_user(mallory)):
        assert browser.get(path(link)).status_code == 410
        assert browser.post(path(link), {"email": "jane@acme.test"}).status_code == 410
    assert not Invitation.objects.exists()


def test_somebody_with_a_verified_address_joins_by_one_button(organization, link, mallory, as_user):
    client = as_user(mallory)
    page = text_of(client.get(path(link)))
    assert "Join Northwind" in page
    assert "Signed in as Mallory Mayhem mallory @evil" in page
    response = client.post(path(link))
    assert (response.status_code, response["Location"]) == (302, "/o/northwind/")
    assert "Welcome to Northwind." in text_of(client.get("/o/northwind/"))
    assert JoinLink.objects.get().uses == 1


def test_a_member_goes_into_the_organization(organization, link, charlie, as_user):
    client = as_user(charlie)
    for response in (client.get(path(link)), client.post(path(link))):
        assert (response.status_code, response["Location"]) == (302, "/o/northwind/")
    assert JoinLink.objects.get().uses == 0


def test_a_new_person_joins_by_the_mail_to_the_address_they_typed(organization, link, client):
    page = text_of(client.get(path(link)))
    assert "Your email address" in page
    assert "Sign in with it" in page
    response = client.post(path(link), {"email": "Vera@acme.test"})
    assert response.status_code == 302
    assert SAID in text_of(client.get(response["Location"]))
    row = Invitation.objects.get()
    form = {"name": "Vera Vance", "password": PASSWORD, "email": "Vera@acme.test"}
    assert client.post(f"/i/{invitation_token(row.nonce, row.pk)}", form).status_code == 302
    assert Membership.objects.get(user=User.objects.get(name="Vera Vance")).via == "join_link"
    assert JoinLink.objects.get().uses == 1


def test_the_answer_to_a_typed_address_is_always_the_same(organization, alice, charlie, link, client):
    Invitation.objects.all().delete()
    gone = make_user("gone@acme.test", "Gone")
    row = join(organization, gone, None)
    remove_member(actor=actor_of(alice), organization=organization, member_id=row.pk)
    organization.refresh_from_db()
    organization.denied_domains = ["bad.test"]
    organization.save(update_fields=["denied_domains"])
    said = set()
    for email in (charlie.email, gone.email, "x@bad.test", "new@acme.test", "new@acme.test"):
        response = client.post(path(link), {"email": email})
        said.add((response.status_code, text_of(client.get(response["Location"]))))
    assert len(said) == 1
    assert list(Invitation.objects.values_list("email", flat=True)) == ["new@acme.test"]


@pytest.mark.parametrize("email", ["", "jane", "a@b.test, c@d.test", "x" * 5000])
def test_text_that_is_no_address_stays_in_the_box(link, client, email):
    response = client.post(path(link), {"email": email})
    assert response.status_code == 422
    assert "is not an email address" in text_of(response)
    assert not Invitation.objects.exists()


def test_an_address_elsewhere_is_told_which_ones_fit(organization, alice, mallory, client, as_user):
    link = make(organization, alice, domains="acme.test")
    browser = as_user(mallory)
    page = text_of(browser.get(path(link)))
    assert "People with an address at acme.test can join" in page
    assert "Send Me an Invitation" in page
    assert browser.post(path(link)).status_code == 403
    response = client.post(path(link), {"email": "jane@evil.test"})
    assert response.status_code == 422
    assert "This link is for addresses at acme.test." in text_of(response)
    EmailAddress.objects.create(user=mallory, email="m@acme.test", verified=True)
    assert browser.post(path(link)).status_code == 302


def test_an_address_that_the_organization_refuses_is_told_so(organization, link, mallory, as_user):
    organization.denied_domains = ["evil.test"]
    organization.save(update_fields=["denied_domains"])
    response = as_user(mallory).post(path(link))
    assert response.status_code == 409
    assert "doesn’t allow invitations to addresses at evil.test" in text_of(response)


def test_a_link_that_is_closed_says_how(organization, alice, client, mallory, as_user):
    off, used, over = (make(organization, alice, max_uses="1") for _ in range(3))
    turn_off_join_link(actor=actor_of(alice), organization=organization, join_link_id=off.pk)
    JoinLink.objects.filter(pk=used.pk).update(uses=1)
    JoinLink.objects.filter(pk=over.pk).update(expires_at=over.created_at)
    for link, said in ((off, "turned off"), (used, "used up"), (over, "has expired")):
        for browser in (client, as_user(mallory)):
            for response in (browser.get(path(link)), browser.post(path(link), {"email": "j@acme.test"})):
                assert response.status_code == 410
                assert said in text_of(response)
    assert not Invitation.objects.exists()


def test_what_was_mailed_by_a_link_that_is_used_up_says_so(organization, alice, mallory, client, as_user):
    link = make(organization, alice, max_uses="1")
    client.post(path(link), {"email": "vera@acme.test"})
    row = Invitation.objects.get()
    as_user(mallory).post(path(link))
    form = {"name": "Vera Vance", "password": PASSWORD, "email": "vera@acme.test"}
    response = client.post(f"/i/{invitation_token(row.nonce, row.pk)}", form)
    assert response.status_code == 410
    assert "is used up" in text_of(response)
    assert not User.objects.filter(name="Vera Vance").exists()


def test_where_no_mail_goes_out_it_says_so(organization, link, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    page = text_of(client.get(path(link)))
    assert "No email is sent from here" in page
    assert "Send Me an Invitation" not in page
    response = client.post(path(link), {"email": "jane@acme.test"})
    assert response.status_code == 409
    assert not Invitation.objects.exists()


def test_many_addresses_at_one_link_meet_a_limit(organization, link, client, limit):
    limit(inviter="1/1d")
    assert client.post(path(link), {"email": "a@acme.test"}).status_code == 302
    response = client.post(path(link), {"email": "b@acme.test"})
    assert response.status_code == 429
    assert response["Retry-After"]
    assert "b@acme.test" in response.content.decode()


def test_many_addresses_from_one_network_meet_a_limit(organization, link, client, limit):
    limit(guesses="1/1h")
    assert client.post(path(link), {"email": "a@acme.test"}).status_code == 302
    response = client.post(path(link), {"email": "b@acme.test"})
    assert response.status_code == 429
    assert response["Retry-After"]
    assert "b@acme.test" in response.content.decode()
    assert not Invitation.objects.filter(key="b@acme.test").exists()


def test_the_page_is_kept_by_no_cache_and_no_search_engine(link, client):
    response = client.get(path(link))
    assert "no-store" in response["Cache-Control"]
    assert 'name="robots" content="noindex"' in response.content.decode()
