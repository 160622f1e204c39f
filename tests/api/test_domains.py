"""Mail domains over REST."""

import pytest
from django.db.models.functions import Now

from guestlist.api.resources import domains as resources
from guestlist.links import domain_code, new_nonce
from guestlist.models import Delivery, Domain, Event, JoinRequest
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/domains"
ANY = "01890000-0000-7000-8000-000000000000"
ACME = {"domain": "acme.test", "email": "it@acme.test"}


@pytest.fixture
def editor(organization, make_key) -> ApiClient:
    """A key of Northwind that may change its settings and its members."""
    return ApiClient(make_key(organization, permissions=["organization.update", "member.manage"]))


@pytest.fixture
def added(editor):
    """A domain that waits for its code, as adding it answers."""
    response = editor("POST", URL, ACME)
    assert response.status_code == 201
    return response.data


def code_of(added) -> str:
    row = Domain.objects.get(pk=added["id"])
    return domain_code(row.nonce, row.pk)


def test_managing_members_is_not_enough(manager, editor, added):
    for method, path, body in [
        ("GET", "", None),
        ("POST", "", ACME),
        ("GET", f"/{added['id']}", None),
        ("PATCH", f"/{added['id']}", {"mode": "join"}),
        ("DELETE", f"/{added['id']}", None),
        ("POST", f"/{added['id']}/send-code", None),
        ("POST", f"/{added['id']}/verify", {"code": code_of(added)}),
    ]:
        response = manager(method, URL + path, body)
        assert_problem(response, 403, "not_allowed")
        assert "Organization: Update" in response.data["detail"]
    assert Domain.objects.get().verified_at is None


def test_no_answer_holds_the_code(editor, added):
    """Neither of the domain nor of its mail, which says no more than that it exists."""
    delivery = Delivery.objects.get(kind="domain_code")
    answers = [
        editor("GET", URL),
        editor("GET", f"{URL}/{added['id']}"),
        editor("GET", "northwind/deliveries"),
        editor("GET", f"northwind/deliveries/{delivery.pk}"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert code_of(added) not in answer.content.decode()
        assert Domain.objects.get().nonce not in answer.content.decode()


def test_a_domain_is_verified_by_the_code_that_was_mailed_there(editor, added):
    resources.Domain.model_validate(added)
    assert added == {
        "id": added["id"],
        "domain": "acme.test",
        "mode": "request",
        "email": "it@acme.test",
        "verified_at": None,
        "created_at": added["created_at"],
    }
    path = f"{URL}/{added['id']}"
    assert_problem(editor("PATCH", path, {"mode": "join"}), 409, "domain_unverified")
    assert_problem(editor("POST", f"{path}/verify", {"code": "0"}), 422, "code_wrong")
    code = code_of(added)
    verified = editor("POST", f"{path}/verify", {"code": f" {code[:4]} {code[4:]} "})
    assert verified.status_code == 200
    assert verified.data["verified_at"]
    assert editor("GET", path).data == verified.data
    joins = editor("PATCH", path, {"mode": "join"})
    assert joins.data == verified.data | {"mode": "join"}
    for call in ("send-code", "verify"):
        body = {"code": code} if call == "verify" else None
        assert_problem(editor("POST", f"{path}/{call}", body), 409, "domain_verified")
    types = Event.objects.filter(subject_type="domain").order_by("number").values_list("type", flat=True)
    assert list(types) == ["domain.added", "domain.verified", "domain.updated"]


def test_tries_are_counted_and_codes_end(editor, added):
    path = f"{URL}/{added['id']}/verify"
    for _ in range(5):
        assert_problem(editor("POST", path, {"code": "00000000"}), 422, "code_wrong")
    assert_problem(editor("POST", path, {"code": code_of(added)}), 410, "code_tries_over")
    Domain.objects.update(code_expires_at=Now())
    assert_problem(editor("POST", path, {"code": code_of(added)}), 410, "code_expired")


def test_tries_are_counted_for_calls_that_can_be_repeated_too(editor, added):
    path = f"{URL}/{added['id']}/verify"
    for n in range(5):
        response = editor("POST", path, {"code": "00000000"}, HTTP_IDEMPOTENCY_KEY=f"try-{n}")
        assert_problem(response, 422, "code_wrong")
    response = editor("POST", path, {"code": code_of(added)}, HTTP_IDEMPOTENCY_KEY="try-5")
    assert_problem(response, 410, "code_tries_over")


def test_a_new_code_has_to_wait_a_minute(editor, added):
    refused = editor("POST", f"{URL}/{added['id']}/send-code")
    assert_problem(refused, 429, "too_many_codes")
    assert 0 < int(refused["Retry-After"]) <= 60
    Delivery.objects.update(created_at="2026-01-01T00:00:00Z")
    before = code_of(added)
    again = editor("POST", f"{URL}/{added['id']}/send-code")
    assert (again.status_code, again.data) == (200, added)
    assert code_of(added) != before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_input"),
        ({"domain": "acme.test"}, 422, "invalid_input"),
        ({**ACME, "verified_at": "2026-01-01"}, 422, "invalid_input"),
        ({**ACME, "domain": "not a domain"}, 422, "domain_invalid"),
        ({"domain": "gmail.com", "email": "it@gmail.com"}, 422, "public_domain"),
        ({**ACME, "email": "it@"}, 422, "address_invalid"),
        ({**ACME, "email": "it@other.test"}, 422, "address_elsewhere"),
        ({**ACME, "mode": "fly"}, 422, "mode_unknown"),
    ],
)
def test_what_will_not_do_adds_no_domain(editor, organization, body, status, code):
    assert_problem(editor("POST", URL, body), status, code)
    assert not Domain.objects.exists()
    assert not Delivery.objects.exists()


def test_a_domain_is_added_once(editor, added):
    assert_problem(editor("POST", URL, ACME), 409, "domain_listed")


def test_a_removed_domain_dismisses_who_asked_by_it(editor, added, organization):
    row = Domain.objects.get()
    JoinRequest.objects.create(organization=organization, domain=row, email="w@acme.test", key="w@acme.test")
    gone = editor("DELETE", f"{URL}/{added['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert_problem(editor("GET", f"{URL}/{added['id']}"), 404, "not_found")
    assert JoinRequest.objects.get().state == "dismissed"


def test_an_unknown_domain_is_not_found(editor, beta):
    theirs = Domain.objects.create(
        organization=beta, domain="acme.test", email="it@acme.test", nonce=new_nonce(), code_expires_at=Now()
    ).pk
    for unknown in ("nope", ANY, theirs):
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"mode": "join"}),
            ("DELETE", "", None),
            ("POST", "/send-code", None),
            ("POST", "/verify", {"code": "1"}),
        ]:
            assert_problem(editor(method, f"{URL}/{unknown}{path}", body), 404, "not_found")


def test_domains_are_listed_with_as_many_queries_for_40_as_for_1(editor, organization, statements):
    counts = set()
    for first, last in ((0, 1), (1, 40)):
        Domain.objects.bulk_create(
            Domain(
                organization=organization,
                domain=f"d{n:02}.test",
                email=f"it@d{n:02}.test",
                nonce=new_nonce(),
                code_expires_at=Now(),
            )
            for n in range(first, last)
        )
        page = editor("GET", URL).data
        resources.DomainList.model_validate(page)
        assert page["total"] == last
        counts.add(statements(editor, "GET", URL))
    assert len(counts) == 1
    assert [each["domain"] for each in editor("GET", f"{URL}?q=D07").data["items"]] == ["d07.test"]
    assert editor("GET", f"{URL}?sort=-domain&limit=1").data["items"][0]["domain"] == "d39.test"
    assert_problem(editor("GET", f"{URL}?sort=mode"), 422, "invalid_filter")
