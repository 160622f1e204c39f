"""An organization that requires two-factor authentication."""

import re
from html import unescape

import pytest
from allauth.mfa.models import Authenticator

from guestlist import errors
from guestlist.actions.deletion import delete_organization
from guestlist.actions.organizations import update_organization
from guestlist.actions.roles import may
from guestlist.actions.two_factor import require_two_factor
from guestlist.actors import Actor
from guestlist.models import Event, Invitation, Membership, Organization
from tests.conftest import actor_of
from tests.web.test_invitations_page import HTMX, text_of

SECURITY = "/o/northwind/admin/settings/security"
ON = {"require_two_factor": "on"}


def give(user, kind=Authenticator.Type.TOTP):
    Authenticator.objects.create(user=user, type=kind, data={})


@pytest.fixture
def required(organization):
    """Northwind, where it is required."""
    return require_two_factor(actor=Actor.operator(), organization=organization, required=True)


def test_who_may_not(organization, charlie, mallory):
    with pytest.raises(errors.NotAllowed, match="Organization: Update"):
        require_two_factor(actor=actor_of(charlie), organization=organization, required=True)
    with pytest.raises(errors.NotFound):
        require_two_factor(actor=actor_of(mallory), organization=organization, required=True)
    assert not Organization.objects.get().require_two_factor


def test_whoever_requires_it_has_it_first(organization, alice, as_user):
    response = as_user(alice).post(SECURITY, ON)
    assert response.status_code == 409
    assert "Set up two-factor authentication for yourself first." in text_of(response)
    assert 'href="/accounts/2fa/?next=%2Fo%2Fnorthwind%2Fadmin%2Fsettings%2Fsecurity"' in (
        response.content.decode()
    )
    give(alice)
    page = as_user(alice).post(SECURITY, ON, follow=True)
    assert "Settings saved." in text_of(page)
    assert 'aria-describedby="two-factor-hint" checked' in page.content.decode()
    assert Event.objects.last().changes == {"require_two_factor": [False, True]}


def test_it_can_be_given_up_and_nothing_changed_is_no_event(required, alice, as_user):
    give(alice)
    client = as_user(alice)
    client.post(SECURITY, ON)
    client.post(SECURITY, {})
    client.post(SECURITY, {})
    assert not Organization.objects.get().require_two_factor
    changes = Event.objects.filter(type="organization.updated").values_list("changes", flat=True)
    assert list(changes) == [{"require_two_factor": [False, True]}, {"require_two_factor": [True, False]}]


@pytest.mark.parametrize("path", ["", "admin/members", "admin/invitations", "admin/settings"])
def test_without_it_no_page_is_shown(required, alice, as_user, path):
    client = as_user(alice)
    response = client.get(f"/o/northwind/{path}?q=a")
    assert response.status_code == 403
    html, text = response.content.decode(), text_of(response)
    assert "Northwind requires two-factor authentication" in text
    assert f'href="/accounts/2fa/?next=%2Fo%2Fnorthwind%2F{path.replace("/", "%2F")}%3Fq%3Da"' in html
    assert 'href="/o/northwind/leave"' in html
    assert "Members" not in text


def test_without_it_nothing_is_done(required, alice, as_user):
    response = as_user(alice).post(
        "/o/northwind/admin/invitations/new",
        {"emails": "jane@acme.test"},
        headers={"Referer": "http://testserver/o/northwind/admin/invitations"},
    )
    assert response.status_code == 403
    assert 'href="/o/northwind/admin/invitations">Try Again' in response.content.decode()
    assert not Invitation.objects.exists()


def test_htmx_is_told_so(required, alice, as_user):
    response = as_user(alice).get("/o/northwind/admin/members", headers=HTMX)
    assert response.status_code == 403
    assert "Northwind requires two-factor authentication." in text_of(response)


def test_to_an_outsider_it_is_still_unknown(required, mallory, as_user):
    assert as_user(mallory).get("/o/northwind/").status_code == 404


def test_recovery_codes_alone_do_not_count(required, alice, as_user):
    give(alice, Authenticator.Type.RECOVERY_CODES)
    assert as_user(alice).get("/o/northwind/").status_code == 403


@pytest.mark.parametrize("kind", [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
def test_any_proof_counts_from_the_next_request_on(required, alice, as_user, kind):
    client = as_user(alice)
    assert client.get("/o/northwind/").status_code == 403
    give(alice, kind)
    assert client.get("/o/northwind/").status_code == 200
    Authenticator.objects.all().delete()
    assert client.get("/o/northwind/").status_code == 403


def test_it_costs_one_query_and_only_where_it_is_required(
    organization, alice, as_user, django_assert_num_queries
):
    give(alice)
    client = as_user(alice)
    client.get("/o/northwind/")
    with django_assert_num_queries(7):
        client.get("/o/northwind/")
    require_two_factor(actor=Actor.operator(), organization=organization, required=True)
    with django_assert_num_queries(8):
        client.get("/o/northwind/")


def test_leaving_stays_possible(required, charlie, as_user):
    client = as_user(charlie)
    page = client.get("/o/northwind/leave")
    assert page.status_code == 200
    assert 'href="/o/northwind/admin/members"' not in page.content.decode()
    client.post("/o/northwind/leave")
    assert not Membership.objects.active().filter(user=charlie).exists()


def test_without_it_a_deleted_organization_stays_deleted(required, alice, as_user):
    delete_organization(actor=actor_of(alice), organization=required, name="Northwind")
    url = f"/organizations/{required.pk}/restore"
    response = as_user(alice).post(url)
    assert response.status_code == 403
    assert "Northwind requires two-factor authentication." in text_of(response)
    assert not Organization.objects.present().exists()
    give(alice)
    as_user(alice).post(url)
    assert Organization.objects.present().exists()


def test_without_it_a_project_is_told_no(required, alice):
    def asked():
        return may(user=alice, slug="northwind", permission="member.manage")

    assert not asked()
    give(alice)
    assert asked()


def test_keys_act_on(required, make_key, client):
    headers = {"Authorization": f"Bearer {make_key(required)}"}
    assert client.get("/api/v1/organizations/northwind", headers=headers).status_code == 200


def test_under_a_former_short_name_it_is_asked_as_well(required, alice, as_user):
    update_organization(actor=Actor.operator(), organization=required, slug="south")
    assert as_user(alice).get("/o/northwind/", follow=True).status_code == 403


def test_a_project_that_knows_nothing_of_it_does_not_offer_it(organization, alice, as_user, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"TWO_FACTOR": None}
    client = as_user(alice)
    page = client.get(SECURITY)
    assert "This server doesn’t know who uses two-factor authentication" in text_of(page)
    assert "checkbox" not in page.content.decode()
    assert client.post(SECURITY, ON).status_code == 409
    Organization.objects.update(require_two_factor=True)
    assert client.get("/o/northwind/").status_code == 200


def test_setting_it_up_leads_back(required, alice, as_user):
    client = as_user(alice)
    page = client.get("/o/northwind/admin/members")
    address = unescape(re.search(r'href="(/accounts/2fa/[^"]+)"', page.content.decode())[1])
    assert "Continue" not in text_of(client.get(address))
    give(alice)
    back = re.search(r'href="([^"]+)">Continue', client.get("/accounts/2fa/").content.decode())[1]
    assert client.get(back).status_code == 200
    assert back == "/o/northwind/admin/members"


@pytest.mark.parametrize("page", ["https://evil.test/", "//evil.test", "javascript:alert(1)", ""])
def test_it_leads_to_no_other_site(required, alice, as_user, page):
    give(alice)
    client = as_user(alice)
    assert "Continue" not in text_of(client.get("/accounts/2fa/", {"next": page}))
