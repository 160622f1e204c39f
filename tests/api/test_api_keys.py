"""API keys over REST."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist import errors
from guestlist.actions.api_keys import authenticate, create_api_key, revoke_api_key, rotate_api_key
from guestlist.actions.deletion import delete_organization
from guestlist.actions.members import change_role
from guestlist.actions.webhook_calls import readable_types
from guestlist.actions.webhooks import create_webhook
from guestlist.actors import Actor, Origin
from guestlist.api.resources.api_keys import ApiKey as Resource
from guestlist.api.resources.api_keys import NewApiKey
from guestlist.models import ApiKey, Event, Membership, Role, Webhook
from guestlist.models.fields import timestamp
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db
URL = "northwind/api-keys"
BODY = {"name": "Backend", "permissions": ["member.manage"]}
ANY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def keeper(organization, make_key):
    """A key of Northwind that may manage keys and members."""
    return ApiClient(make_key(organization, ("api_key.manage", "member.manage")))


@pytest.fixture
def bobs(organization, bob):
    """A key that Bob, an Admin, made."""
    permissions = ["api_key.manage", "member.manage"]
    made = create_api_key(
        actor=actor_of(bob), organization=organization, name="Bob's", permissions=permissions
    )
    return ApiClient(made.secret)


def own(client):
    """The row of the key that `client` sends."""
    return ApiKey.objects.get(prefix=client.key[:12])


def make(client, **values):
    response = client("POST", URL, BODY | values)
    assert response.status_code == 201, response.content
    return response.data


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", BODY),
        ("GET", "/{}", None),
        ("POST", "/{}/rotate", None),
        ("POST", "/{}/revoke", None),
    ],
)
def test_who_may_not(anonymous, manager, stranger, beta, keeper, make_key, method, path, body):
    path = path.format(own(keeper).pk)
    before = list(ApiKey.objects.order_by("pk").values("pk", "revoked_at", "expires_at"))
    assert_problem(anonymous(method, URL + path, body), 401, "not_signed_in")
    refused = manager(method, URL + path, body)
    assert_problem(refused, 403, "not_allowed")
    assert "API key: Manage" in refused.data["detail"]
    assert_problem(stranger(method, URL + path, body), 404, "not_found")
    there = ApiClient(make_key(beta, ("api_key.manage", "member.manage")))
    if path:
        theirs = there(method, f"beta/api-keys{path}", body)
        assert_problem(theirs, 404, "not_found")
        nobodys = there(method, f"beta/api-keys{path}".replace(str(own(keeper).pk), ANY), body)
        assert theirs.content == nobodys.content
    ours = ApiKey.objects.filter(organization__slug="northwind").order_by("pk")
    assert list(ours.values("pk", "revoked_at", "expires_at")) == [
        row for row in before if row["pk"] in set(ours.values_list("pk", flat=True))
    ]


def test_a_key_gives_no_more_than_it_has(keeper):
    refused = keeper("POST", URL, BODY | {"permissions": ["member.manage", "audit.read"]})
    assert_problem(refused, 403, "above_own_role")
    assert ApiKey.objects.count() == 1


def test_a_key_gives_no_more_than_its_creator_has_now(bobs, bob, organization):
    role = Role.objects.create(organization=organization, name="Keeper", permissions=["api_key.manage"])
    member = Membership.objects.get(organization=organization, user=bob)
    change_role(actor=Actor.operator(), organization=organization, member_id=member.pk, role_id=role.pk)
    assert_problem(bobs("POST", URL, BODY), 403, "above_own_role")
    assert bobs("POST", URL, BODY | {"permissions": ["api_key.manage"]}).status_code == 201


def test_a_key_is_shown_once_and_works(keeper):
    response = keeper("POST", URL, BODY)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    NewApiKey.model_validate(response.data)
    secret, row = response.data["key"], ApiKey.objects.get(pk=response.data["id"])
    assert response.data["prefix"] == secret[:12]
    assert ApiClient(secret)("GET", "northwind/members").status_code == 200
    for path in ("", f"/{row.pk}"):
        text = keeper("GET", URL + path).content.decode()
        assert secret not in text
        assert row.hash not in text
        assert '"key"' not in text
    event = Event.objects.filter(type="api_key.created").latest("number")
    assert (event.subject_name, event.changes) == ("Backend", {"permissions": [None, ["member.manage"]]})
    assert secret not in str(list(Event.objects.values()))


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"name": ""}, 422, "name_empty"),
        ({"name": "see evil.test"}, 422, "name_has_link"),
        ({"permissions": ["member.everything"]}, 422, "unknown_permission"),
        ({"expires": "0d"}, 422, "expiry_invalid"),
        ({"expires": "3651d"}, 422, "expiry_invalid"),
        ({"expires": "2001-01-01"}, 422, "expiry_invalid"),
        ({"expires": "soon"}, 422, "expiry_invalid"),
        ({"expires": 90}, 422, "invalid_input"),
        ({"hash": "x"}, 422, "invalid_input"),
    ],
)
def test_what_makes_no_sense_makes_no_key(keeper, changed, status, code):
    assert_problem(keeper("POST", URL, BODY | changed), status, code)
    assert ApiKey.objects.count() == 1


def test_a_key_expires(keeper):
    made = make(keeper, expires="90d")
    row = ApiKey.objects.get(pk=made["id"])
    assert row.expires_at - row.created_at == timedelta(days=90)
    assert make(keeper, expires="2030-12-31")["expires_at"].startswith("2030-12-31T23:59:59")
    assert make(keeper, expires="never")["expires_at"] is None
    ApiKey.objects.filter(pk=row.pk).update(expires_at=F("created_at"))
    assert_problem(ApiClient(made["key"])("GET", "northwind"), 401, "not_signed_in")
    assert keeper("GET", f"{URL}/{row.pk}").data["status"] == "expired"


def test_a_key_that_a_key_makes_is_the_same_persons(bobs, bob):
    made = make(bobs)
    assert made["created_by"] == {"type": "user", "id": str(bob.pk), "name": "Bob Baker"}
    bob.is_active = False
    bob.save()
    assert_problem(ApiClient(made["key"])("GET", "northwind"), 401, "not_signed_in")


def test_where_the_creator_is_gone_it_says_so(keeper, bobs, bob):
    row = own(bobs)
    assert keeper("GET", f"{URL}/{row.pk}").data["status"] == "active"
    bob.is_active = False
    bob.save()
    assert keeper("GET", f"{URL}/{row.pk}").data["status"] == "creator_gone"
    assert_problem(keeper("POST", f"{URL}/{row.pk}/rotate"), 409, "key_ended")
    # It would work again once the account is switched on.
    assert keeper("POST", f"{URL}/{row.pk}/revoke").status_code == 200
    bob.is_active = True
    bob.save()
    assert_problem(bobs("GET", "northwind"), 401, "not_signed_in")


def test_the_keys_of_a_deleted_organization_are_401(keeper, organization, alice):
    delete_organization(actor=actor_of(alice), organization=organization, name="Northwind")
    assert_problem(keeper("GET", URL), 401, "not_signed_in")


def test_the_list_says_what_each_key_is(keeper, bobs):
    listed = keeper("GET", URL).data
    assert listed["total"] == 2
    for item in listed["items"]:
        Resource.model_validate(item)
    newest, oldest = listed["items"]
    assert (newest["name"], newest["created_by"]["name"]) == ("Bob's", "Bob Baker")
    assert newest["last_used_at"] is None
    assert oldest["created_by"] == {"type": "operator", "id": None, "name": "Operator"}
    assert oldest["last_used_at"]


@pytest.mark.parametrize("sort", ["name", "created", "used", "expires", "status"])
def test_every_column_sorts_both_ways_a_page_at_a_time(keeper, sort):
    for i, name in enumerate(("B", "A", "C")):
        made = make(keeper, name=name, expires=f"{i + 2}d" if i else "never")
        ended = {"revoked_at": F("created_at")} if i == 1 else {}
        row = ApiKey.objects.filter(pk=made["id"])
        row.update(last_used_at=None if i == 2 else F("created_at") - timedelta(days=i), **ended)
    found = {}
    for sign in ("", "-"):
        cursor, found[sign] = "", []
        while cursor is not None:
            page = keeper("GET", f"{URL}?limit=1&sort={sign}{sort}&cursor={cursor}").data
            found[sign] += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
    assert len(set(found[""])) == 4
    assert found[""] == found["-"][::-1]


def test_the_list_is_filtered_and_searched(keeper):
    made = make(keeper, name="Nightly job")
    keeper("POST", f"{URL}/{made['id']}/revoke")

    def names(query):
        return [item["name"] for item in keeper("GET", f"{URL}?{query}").data["items"]]

    assert names("status=revoked") == names("q=night") == names(f"q={made['prefix']}") == ["Nightly job"]
    assert names("status=active") == ["Test key"]
    assert names("status=expired") == names("q=nothing") == []
    assert_problem(keeper("GET", f"{URL}?status=gone"), 422, "invalid_filter")


@pytest.mark.parametrize("keys", [1, 40])
def test_the_list_takes_the_same_queries_for_any_number(
    keeper, organization, alice, keys, django_assert_num_queries
):
    keeper("GET", URL)
    for i in range(keys):
        create_api_key(
            actor=actor_of(alice), organization=organization, name=f"K{i}", permissions=["member.manage"]
        )
    with django_assert_num_queries(5):
        assert len(keeper("GET", URL).data["items"]) == keys + 1


def test_what_may_do_more_than_one_self_is_not_rotated(keeper, organization, make_key):
    above = ApiKey.objects.get(prefix=make_key(organization, ("audit.read",))[:12])
    assert_problem(keeper("POST", f"{URL}/{above.pk}/rotate"), 403, "above_own_role")
    assert not ApiKey.objects.exclude(replaces=None).exists()
    # To end it takes no more than to manage keys.
    assert keeper("POST", f"{URL}/{above.pk}/revoke").status_code == 200


def test_the_old_key_goes_on_for_a_day_unless_told(keeper):
    old = make(keeper, expires="90d")
    response = keeper("POST", f"{URL}/{old['id']}/rotate")
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    new = NewApiKey.model_validate(response.data)
    assert (new.name, new.permissions, new.replaces) == ("Backend", ["member.manage"], old["id"])
    before, after = (ApiKey.objects.get(pk=pk) for pk in (old["id"], new.id))
    assert before.expires_at == after.created_at + timedelta(hours=24)
    assert after.expires_at == after.created_at + timedelta(days=90)
    for secret in (old["key"], new.key):
        assert ApiClient(secret)("GET", "northwind/members").status_code == 200
    shown = keeper("GET", f"{URL}/{old['id']}").data
    assert (shown["status"], shown["replaced_by"]) == ("active", new.id)
    rotated, created = Event.objects.order_by("-number")[:2][::-1]
    assert (rotated.type, rotated.subject_id) == ("api_key.rotated", old["id"])
    assert rotated.changes == {"expires_at": [old["expires_at"], shown["expires_at"]]}
    assert (created.type, created.subject_id) == ("api_key.created", new.id)


def test_without_overlap_the_old_key_ends_at_once(keeper):
    old = make(keeper)
    new = keeper("POST", f"{URL}/{old['id']}/rotate", {"overlap": "0"}).data
    assert new["expires_at"] is None
    assert_problem(ApiClient(old["key"])("GET", "northwind"), 401, "not_signed_in")
    assert ApiClient(new["key"])("GET", "northwind/members").status_code == 200


def test_an_old_key_never_lasts_longer_than_it_would_have(keeper):
    old = make(keeper, expires="2d")
    keeper("POST", f"{URL}/{old['id']}/rotate", {"overlap": "30d"})
    assert keeper("GET", f"{URL}/{old['id']}").data["expires_at"] == old["expires_at"]


@pytest.mark.parametrize("overlap", ["31d", "never", "soon", "", "-1d"])
def test_an_overlap_is_at_most_30_days(keeper, overlap):
    old = make(keeper)
    assert_problem(keeper("POST", f"{URL}/{old['id']}/rotate", {"overlap": overlap}), 422, "overlap_invalid")
    assert ApiKey.objects.count() == 2


def test_a_key_is_rotated_once(keeper):
    old = make(keeper)
    assert keeper("POST", f"{URL}/{old['id']}/rotate").status_code == 201
    assert_problem(keeper("POST", f"{URL}/{old['id']}/rotate"), 409, "key_replaced")
    assert ApiKey.objects.count() == 3


def test_a_key_that_has_ended_is_neither_rotated_nor_revoked(keeper):
    revoked, expired = make(keeper), make(keeper)
    keeper("POST", f"{URL}/{revoked['id']}/revoke")
    ApiKey.objects.filter(pk=expired["id"]).update(expires_at=F("created_at"))
    before = Event.objects.count()
    for key, word in ((revoked, "revoked"), (expired, "expired")):
        for verb in ("rotate", "revoke"):
            refused = keeper("POST", f"{URL}/{key['id']}/{verb}")
            assert_problem(refused, 409, "key_ended")
            assert refused.data["detail"] == f"This key has ended already: it is {word}."
    assert Event.objects.count() == before


def test_a_key_rotates_itself(bobs, bob):
    response = bobs("POST", f"{URL}/{own(bobs).pk}/rotate", {"overlap": "0"})
    assert response.data["created_by"]["id"] == str(bob.pk)
    assert_problem(bobs("GET", "northwind"), 401, "not_signed_in")
    assert ApiClient(response.data["key"])("GET", URL).status_code == 200


def test_whoever_rotates_a_key_answers_for_it(organization, alice, bobs):
    new = rotate_api_key(actor=actor_of(alice), organization=organization, api_key_id=own(bobs).pk)
    assert new.key.created_by == alice


def test_a_key_that_the_operator_rotates_stays_whose_it_was(organization, bob, bobs):
    new = rotate_api_key(actor=Actor.operator(), organization=organization, api_key_id=own(bobs).pk)
    assert new.key.created_by == bob


def test_a_permission_that_no_longer_exists_is_not_carried_on(keeper, organization):
    old = make(keeper)
    ApiKey.objects.filter(pk=old["id"]).update(permissions=["member.manage", "invoice.approve"])
    assert keeper("POST", f"{URL}/{old['id']}/rotate").data["permissions"] == ["member.manage"]


def test_a_revoked_key_is_401_with_its_next_request(keeper):
    made = make(keeper)
    client = ApiClient(made["key"])
    assert client("GET", "northwind/members").status_code == 200
    response = keeper("POST", f"{URL}/{made['id']}/revoke")
    assert (response.status_code, response.data["status"]) == (200, "revoked")
    Resource.model_validate(response.data)
    assert_problem(client("GET", "northwind/members"), 401, "not_signed_in")
    event = Event.objects.latest("number")
    assert (event.type, event.actor_type, event.subject_id) == ("api_key.revoked", "api_key", made["id"])


def test_the_last_use_is_true_to_the_minute(keeper):
    row = own(keeper)
    assert row.last_used_at is None
    keeper("GET", "northwind")
    first = own(keeper).last_used_at
    assert first
    keeper("GET", "northwind")
    assert own(keeper).last_used_at == first
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=first - timedelta(seconds=61))
    keeper("GET", "northwind")
    assert own(keeper).last_used_at >= first


def test_who_is_refused_leaves_no_time_of_use(keeper):
    ApiKey.objects.update(revoked_at=F("created_at"))
    with pytest.raises(errors.NotSignedIn):
        authenticate(secret=keeper.key, origin=Origin("api"))
    assert own(keeper).last_used_at is None


def test_a_key_makes_none_that_outlives_it(organization, alice):
    wanted = ["api_key.manage", "member.manage"]
    maker = create_api_key(
        actor=actor_of(alice), organization=organization, name="CI", permissions=wanted, expires="1d"
    )
    for asked in ("never", "90d"):
        body = {"name": "Heir", "permissions": wanted, "expires": asked}
        made = ApiClient(maker.secret)("POST", "northwind/api-keys", body).data
        assert made["expires_at"] == timestamp(maker.key.expires_at)


def test_webhooks_go_over_to_the_key_that_replaces_theirs(organization, alice):
    old = create_api_key(
        actor=actor_of(alice), organization=organization, name="CI", permissions=["webhook.manage"]
    )
    made = create_webhook(
        actor=authenticate(secret=old.secret, origin=Origin("api")),
        organization=organization,
        url="https://hooks.example.com/",
    )
    about = {"actor": actor_of(alice), "organization": organization, "api_key_id": old.key.pk}
    new = rotate_api_key(**about, overlap="0")
    webhook = Webhook.objects.select_related("organization", "api_key", "created_by").get(pk=made.webhook.pk)
    assert webhook.api_key_id == new.key.pk
    assert readable_types(webhook) == {"organization.updated"}
    revoke_api_key(**about | {"api_key_id": new.key.pk})
    assert readable_types(webhook) == frozenset()
