"""The settings of an organization over REST."""

import pytest

from guestlist.api.resources import organizations as resources
from guestlist.models import Event, Organization, Role
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db
URL = "northwind/settings"
ANY = "01890000-0000-7000-8000-000000000000"
USUAL = {
    "accent": "",
    "language": "",
    "reminder_days": [3, 6],
    "digests": True,
    "invitation_lifetime": "",
    "allowed_domains": [],
    "denied_domains": [],
    "new_member_role": None,
    "require_two_factor": False,
}


@pytest.fixture
def editor(organization, make_key) -> ApiClient:
    """A key of Northwind that may change its settings."""
    return ApiClient(make_key(organization, permissions=["organization.update"]))


def role(organization, name) -> Role:
    return Role.objects.get(organization=organization, name=name)


def changes() -> list[str]:
    """What the log says was changed, event by event."""
    events = Event.objects.filter(type="organization.updated").order_by("number")
    return [",".join(sorted(event.changes)) for event in events]


def test_managing_members_is_not_enough(manager, organization):
    for method, body in (("GET", None), ("PATCH", {"digests": False})):
        response = manager(method, URL, body)
        assert_problem(response, 403, "not_allowed")
        assert "Organization: Update" in response.data["detail"]
    organization.refresh_from_db()
    assert organization.digests


def test_settings_are_shown_as_they_are(editor):
    response = editor("GET", URL)
    assert response.status_code == 200
    resources.Settings.model_validate(response.data)
    assert response.data == USUAL


def test_all_that_is_given_is_set_and_the_rest_stays(editor, organization):
    given = {
        "accent": "#1F6FEB",
        "language": "DE",
        "reminder_days": [7, 2, 2],
        "digests": False,
        "invitation_lifetime": " 36H ",
        "allowed_domains": ["Acme.test", "*.acme.test"],
        "denied_domains": ["evil.test"],
        "new_member_role": str(role(organization, "Member").pk),
        "require_two_factor": True,
    }
    kept = {
        "accent": "#1f6feb",
        "language": "de",
        "reminder_days": [2, 7],
        "digests": False,
        "invitation_lifetime": "36h",
        "allowed_domains": ["acme.test", "*.acme.test"],
        "denied_domains": ["evil.test"],
        "new_member_role": {"id": given["new_member_role"], "name": "Member"},
        "require_two_factor": True,
    }
    shown = dict(USUAL)
    for name in given:
        response = editor("PATCH", URL, {name: given[name]})
        assert response.status_code == 200, response.content
        resources.Settings.model_validate(response.data)
        shown[name] = kept[name]
        assert response.data == shown == editor("GET", URL).data
    assert changes() == list(given)
    back = editor("PATCH", URL, USUAL)
    assert back.data == USUAL


def test_the_log_says_what_the_pages_would_say(editor):
    editor("PATCH", URL, {"accent": "#1f6feb", "digests": False, "invitation_lifetime": "7d"})
    assert changes() == ["accent", "digests", "invitation_lifetime"]
    editor("PATCH", URL, {"accent": "#1f6feb", "digests": False})
    assert len(changes()) == 3


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        ({"accent": "red"}, {"accent": "colour_invalid"}),
        ({"language": "xx"}, {"language": "language_unknown"}),
        ({"reminder_days": [0]}, {"reminder_days": "reminder_days_invalid"}),
        ({"reminder_days": [1, 2, 3, 4, 5, 6]}, {"reminder_days": "reminder_days_invalid"}),
        ({"invitation_lifetime": "1m"}, {"invitation_lifetime": "lifetime_invalid"}),
        ({"allowed_domains": ["{a} b@"]}, {"allowed_domains": "domain_invalid"}),
        ({"denied_domains": [f"d{n}.test" for n in range(201)]}, {"denied_domains": "too_many_domains"}),
        ({"new_member_role": ANY}, {"new_member_role": "unknown_role"}),
        ({"new_member_role": "nope"}, {"new_member_role": "unknown_role"}),
        ({"accent": None}, {"accent": "string_type"}),
        ({"digests": "yes"}, {"digests": "bool_type"}),
        ({"colour": "red"}, {"colour": "unknown_field"}),
        ({"accent": "red", "language": "xx"}, {"accent": "colour_invalid", "language": "language_unknown"}),
    ],
)
def test_one_that_will_not_do_changes_none(editor, organization, wrong, codes):
    response = editor("PATCH", URL, {"digests": False, "denied_domains": ["x.test"]} | wrong)
    assert_problem(response, 422, "invalid_input")
    assert {each["field"]: each["code"] for each in response.data["errors"]} == codes
    assert not any(each["detail"].endswith("..") for each in response.data["errors"])
    assert editor("GET", URL).data == USUAL
    assert changes() == []


def test_a_change_of_nothing_is_refused(editor):
    assert_problem(editor("PATCH", URL, {}), 422, "invalid_input")


def test_new_members_get_no_more_than_the_key_has(editor, organization, beta):
    for name, status, code in (("Admin", 403, "above_own_role"), ("Owner", 422, "invalid_input")):
        body = {"accent": "#1f6feb", "new_member_role": str(role(organization, name).pk)}
        assert_problem(editor("PATCH", URL, body), status, code)
    theirs = {"new_member_role": str(role(beta, "Member").pk)}
    assert_problem(editor("PATCH", URL, theirs), 422, "invalid_input")
    assert Organization.objects.get(pk=organization.pk).accent == ""


def test_a_server_without_two_factor_authentication_cannot_require_it(editor, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"TWO_FACTOR": None}
    refused = editor("PATCH", URL, {"accent": "#1f6feb", "require_two_factor": True})
    assert_problem(refused, 409, "two_factor_unknown")
    assert editor("GET", URL).data == USUAL


def test_the_organization_itself_shows_no_settings(editor, organization):
    assert editor("GET", "northwind").data.keys() == {"id", "slug", "name", "created_at"}
