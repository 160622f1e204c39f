"""The pages of API keys, through the door."""

import re
from datetime import timedelta

import pytest
from django.db.models import F

from guestlist.actions.api_keys import create_api_key, rotate_api_key
from guestlist.actors import Actor
from guestlist.models import ApiKey, Event, Role
from tests.api.conftest import ApiClient
from tests.conftest import actor_of
from tests.web.test_invitations_page import HTMX, text_of

URL = "/o/northwind/admin/api-keys"
FORM = {"name": "Backend", "choice": "90d", "expires": "", "permissions": ["member.manage"]}


def make(organization, actor, name="CI", permissions=("member.manage",), **values):
    return create_api_key(
        actor=actor, organization=organization, name=name, permissions=permissions, **values
    )


def once(client):
    """What makes a form good for one key."""
    return re.search(r'name="once" value="([^"]+)"', client.get(f"{URL}/new").content.decode())[1]


def secret_in(response):
    found = re.search(r'id="api-key" value="(glk_[\w-]{51})" readonly', response.content.decode())
    return found and found[1]


@pytest.fixture
def key(organization, alice):
    return make(organization, actor_of(alice)).key


@pytest.fixture
def keeper(organization, charlie, as_user):
    """Charlie, whose role allows keys and nothing else."""
    Role.objects.filter(name="Member").update(permissions=["api_key.manage"])
    return as_user(charlie)


def test_who_may_not(organization, beta, dora, charlie, mallory, client, as_user, key):
    for page in ("", "/new", f"/{key.pk}/rotate", f"/{key.pk}/revoke"):
        assert client.get(URL + page).status_code == 302
        refused = as_user(charlie).get(URL + page)
        assert refused.status_code == 403
        assert "API key: Manage" in text_of(refused)
        for outsider in (mallory, dora):
            assert as_user(outsider).get(URL + page).status_code == 404
    for page in ("/new", f"/{key.pk}/rotate", f"/{key.pk}/revoke"):
        assert as_user(charlie).post(URL + page, FORM).status_code == 403
        assert as_user(dora).post(URL + page, FORM).status_code == 404
    assert list(ApiKey.objects.values_list("name", "revoked_at")) == [("CI", None)]


def test_a_key_of_another_organization_is_unknown(organization, beta, dora, as_user, key):
    for verb in ("rotate", "revoke"):
        assert as_user(dora).get(f"/o/beta/admin/api-keys/{key.pk}/{verb}").status_code == 404
        assert as_user(dora).post(f"/o/beta/admin/api-keys/{key.pk}/{verb}").status_code == 404
    assert key.prefix not in text_of(as_user(dora).get("/o/beta/admin/api-keys"))


def test_the_sidebar_shows_the_page_to_whoever_may_open_it(organization, alice, charlie, as_user):
    assert f'href="{URL}"' in as_user(alice).get("/o/northwind/").content.decode()
    assert f'href="{URL}"' not in as_user(charlie).get("/o/northwind/").content.decode()


@pytest.mark.parametrize("keys", [1, 40])
def test_the_list_takes_the_same_queries_for_any_number(
    organization, alice, bob, as_user, keys, django_assert_num_queries
):
    for i in range(keys):
        make(organization, actor_of(bob if i % 2 else alice), f"Key {i}")
    client = as_user(alice)
    with django_assert_num_queries(8):
        assert client.get(URL).status_code == 200


def test_without_keys_the_page_says_what_they_are_for(organization, alice, as_user):
    page = as_user(alice).get(URL)
    assert "No API keys yet" in text_of(page)
    assert "/api/v1/organizations/northwind" in text_of(page)
    assert 'href="/api/v1/docs"' in page.content.decode()


def test_the_list_says_what_each_key_is(organization, alice, bob, as_user):
    make(organization, actor_of(bob), "Nightly", ["member.manage", "audit.read"])
    made = make(organization, Actor.operator(), "Backend", ["member.manage"] * 2, expires="90d")
    page = text_of(as_user(alice).get(URL))
    for said in (
        "Nightly",
        "Member: Manage, Audit: Read",
        "Never expires",
        "Never used",
        "Created by Bob Baker",
    ):
        assert said in page
    for said in ("Backend", f"{made.key.prefix}…", "Created by Operator", "Active"):
        assert said in page
    assert made.secret not in as_user(alice).get(URL).content.decode()
    ApiClient(made.secret)("GET", "northwind")
    assert text_of(as_user(alice).get(URL)).count("Never used") == 1


@pytest.mark.parametrize("sort", ["name", "status", "expires", "used", "created"])
def test_every_column_sorts_both_ways(organization, alice, as_user, sort):
    for i, name in enumerate(("B", "A", "C")):
        row = make(organization, actor_of(alice), name, expires=f"{i + 1}d").key
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=F("created_at") + timedelta(days=i))
    client = as_user(alice)
    up, down = (
        re.findall(r'data-id="([^"]+)"', client.get(f"{URL}?sort={sign}{sort}").content.decode())
        for sign in ("", "-")
    )
    assert len(up) == 3
    assert up == down[::-1]


def test_keys_that_have_ended_are_behind_a_tab(organization, alice, bob, as_user):
    for name in ("Running", "Over", "Stopped", "Orphan"):
        make(organization, actor_of(bob if name == "Orphan" else alice), name)
    ApiKey.objects.filter(name="Over").update(expires_at=F("created_at"))
    ApiKey.objects.filter(name="Stopped").update(revoked_at=F("created_at"))
    bob.is_active = False
    bob.save()
    client = as_user(alice)
    for status, name in {
        "": "Running",
        "expired": "Over",
        "revoked": "Stopped",
        "creator_gone": "Orphan",
        "nonsense": "Running",
    }.items():
        page = text_of(client.get(f"{URL}?status={status}", headers=HTMX))
        shown = [each for each in ("Running", "Over", "Stopped", "Orphan") if each in page]
        assert shown == [name]
    html = client.get(f"{URL}?status=revoked").content.decode()
    assert "Rotate Stopped" not in html
    assert "Revoke Stopped" not in html


def test_the_form_suggests_90_days_and_never_is_a_choice(organization, alice, as_user):
    html = as_user(alice).get(f"{URL}/new").content.decode()
    assert '<option value="90d" selected>In 90 days</option>' in html
    assert '<option value="never">Never</option>' in html


def test_the_form_offers_no_permission_that_one_lacks(organization, keeper):
    html = keeper.get(f"{URL}/new").content.decode()
    assert re.search(r'value="member.manage"[^>]* disabled>', html)
    assert not re.search(r'value="api_key.manage"[^>]* disabled>', html)
    refused = keeper.post(f"{URL}/new", FORM)
    assert refused.status_code == 403
    assert "You can’t give or take away permissions that you don’t have yourself." in text_of(refused)
    assert not ApiKey.objects.exists()


def test_a_key_is_shown_once_and_works(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(f"{URL}/new", FORM | {"once": once(client)})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    secret, row = secret_in(response), ApiKey.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=90)
    assert (row.name, row.created_by, row.permissions) == ("Backend", alice, ["member.manage"])
    assert ApiClient(secret)("GET", "northwind/members").status_code == 200
    assert secret not in client.get(URL).content.decode()


def test_a_form_that_is_sent_again_makes_no_second_key(organization, alice, as_user):
    client = as_user(alice)
    form = FORM | {"once": once(client)}
    assert secret_in(client.post(f"{URL}/new", form))
    again = client.post(f"{URL}/new", form)
    assert (again.status_code, again["Location"]) == (302, URL)
    assert "This key has been made already" in text_of(client.get(URL))
    assert ApiKey.objects.count() == 1
    assert Event.objects.filter(type="api_key.created").count() == 1


def test_what_makes_a_form_good_for_one_key_is_ones_own(organization, alice, bob, as_user):
    theirs = once(as_user(bob))
    as_user(bob).post(f"{URL}/new", FORM | {"once": theirs})
    # Taken from somebody else it names no key: nobody can find out what exists.
    for forged in (theirs, "nonsense", ""):
        assert secret_in(as_user(alice).post(f"{URL}/new", FORM | {"once": forged}))
    assert ApiKey.objects.count() == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "see evil.test"}, "web address"),
        ({"choice": "day"}, "Choose a day"),
        ({"choice": "day", "expires": "2001-01-01"}, "Choose a day"),
        ({"choice": ""}, "Choose a day"),
        ({"permissions": ["member.everything"]}, "There is no permission"),
    ],
)
def test_what_was_typed_stays_with_the_reason(organization, alice, as_user, changed, said):
    typed = FORM | {"permissions": ["audit.read"]} | changed
    response = as_user(alice).post(f"{URL}/new", typed)
    assert response.status_code == 422
    assert said in text_of(response)
    html = response.content.decode()
    assert f'value="{typed["name"]}"' in html
    assert bool(re.search(r'value="audit.read"[^>]* checked', html)) == ("permissions" not in changed)
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated_after_a_question(organization, alice, as_user, key):
    client = as_user(alice)
    question = client.get(f"{URL}/{key.pk}/rotate")
    assert "Rotate the API key CI?" in text_of(question)
    assert '<option value="24h" selected>For 24 hours</option>' in question.content.decode()
    assert 'role="alertdialog"' in client.get(f"{URL}/{key.pk}/rotate", headers=HTMX).content.decode()
    assert ApiKey.objects.count() == 1
    response = client.post(f"{URL}/{key.pk}/rotate", {"overlap": "7d"})
    assert "no-store" in response["Cache-Control"]
    assert "The key that it replaces goes on until" in text_of(response)
    new = ApiKey.objects.get(replaces=key)
    assert ApiClient(secret_in(response))("GET", "northwind/members").status_code == 200
    key.refresh_from_db()
    assert key.expires_at - new.created_at == timedelta(days=7)
    page = client.get(URL)
    assert page.content.decode().count('aria-label="Rotate CI"') == 1
    assert "Replaced" in text_of(page)


def test_a_rotation_that_is_sent_again_makes_no_second_key(organization, alice, as_user, key):
    client = as_user(alice)
    shown = client.post(f"{URL}/{key.pk}/rotate", {"overlap": "0"})
    assert "The key that it replaces has ended." in text_of(shown)
    assert client.post(f"{URL}/{key.pk}/rotate", {"overlap": "0"})["Location"] == URL
    assert "This key has ended already: it is expired." in text_of(client.get(URL))
    assert ApiKey.objects.count() == 2


def test_nobody_is_asked_about_rotating_a_key_that_has_ended_or_was_replaced(
    organization, alice, as_user, key
):
    client, ended = as_user(alice), make(organization, actor_of(alice)).key
    client.post(f"{URL}/{ended.pk}/revoke")
    client.post(f"{URL}/{key.pk}/rotate", {"overlap": "7d"})
    refusals = {
        ended: "This key has ended already: it is revoked.",
        key: "This key has been replaced already.",
    }
    for refused, why in refusals.items():
        question = client.get(f"{URL}/{refused.pk}/rotate")
        assert question.status_code == 409
        assert why in text_of(question)


def test_an_overlap_that_nobody_offered_rotates_nothing(organization, alice, as_user, key):
    client = as_user(alice)
    assert client.post(f"{URL}/{key.pk}/rotate", {"overlap": "1000d"}).status_code == 302
    assert "from 0 to 30 days" in text_of(client.get(URL))
    assert ApiKey.objects.count() == 1


def test_who_may_less_than_a_key_can_end_it_but_not_rotate_it(organization, keeper, key):
    html = keeper.get(URL).content.decode()
    assert re.search(r'aria-disabled="true"[^>]*aria-label="Rotate CI"', html)
    assert keeper.get(f"{URL}/{key.pk}/rotate").status_code == 403
    assert keeper.post(f"{URL}/{key.pk}/rotate").status_code == 302
    assert ApiKey.objects.count() == 1
    assert keeper.post(f"{URL}/{key.pk}/revoke").status_code == 302
    assert not ApiKey.objects.usable().exists()


def test_whoever_rotates_the_key_of_somebody_else_is_told_that_it_becomes_theirs(
    organization, bob, as_user, key
):
    assert "It will be yours" in text_of(as_user(bob).get(f"{URL}/{key.pk}/rotate"))


def test_a_key_is_revoked_after_a_question_and_dead_at_once(organization, alice, as_user):
    made, client = make(organization, actor_of(alice)), as_user(alice)
    assert ApiClient(made.secret)("GET", "northwind").status_code == 200
    question = text_of(client.get(f"{URL}/{made.key.pk}/revoke"))
    assert "Revoke the API key CI?" in question
    assert "It was last used" in question
    assert ApiClient(made.secret)("GET", "northwind").status_code == 200
    assert client.post(f"{URL}/{made.key.pk}/revoke", headers=HTMX).status_code == 200
    assert ApiClient(made.secret)("GET", "northwind").status_code == 401
    again = client.post(f"{URL}/{made.key.pk}/revoke", headers=HTMX)
    assert again.status_code == 409
    assert "This key has ended already: it is revoked." in text_of(again)
    assert Event.objects.filter(type="api_key.revoked").count() == 1


def test_the_audit_log_tells_of_it_in_words(organization, alice, as_user, key):
    rotate_api_key(actor=actor_of(alice), organization=organization, api_key_id=key.pk)
    page = text_of(as_user(alice).get("/o/northwind/admin/audit-log"))
    for said in ("API key created", "API key rotated"):
        assert said in page
