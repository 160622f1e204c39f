"""Organizations over REST."""

import pytest

from guestlist.api.resources import organizations as resources
from guestlist.models import Organization
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(organization, make_key):
    """A key that may rename Northwind."""
    return ApiClient(make_key(organization, permissions=["organization.update"]))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": ""}, "name_empty"),
        ({"name": "\ud800\x00"}, "name_empty"),
        ({"name": "win.example.com"}, "name_has_link"),
        ({"name": 7}, "invalid_input"),
        ({"name": None}, "invalid_input"),
        ({"name": "x", "accent": "#1f6feb"}, "invalid_input"),
        ({"name": "x", "slug": "No Slug"}, "slug_invalid"),
        ({"name": "x", "slug": ""}, "slug_invalid"),
        ({}, "invalid_input"),
    ],
)
def test_a_name_that_will_not_do_is_refused(editor, body, code):
    assert_problem(editor("PATCH", "northwind", body), 422, code)
    assert Organization.objects.get(slug="northwind").name == "Northwind"


def test_the_organization_is_shown(reader, organization):
    response = reader("GET", "northwind")
    assert response.data == organization.as_resource()
    resources.Organization.model_validate(response.data)


def test_a_new_name_is_cleaned_and_kept(editor):
    response = editor("PATCH", "northwind", {"name": " North\u202e  wind\x07 "})
    assert response.status_code == 200
    assert response.data["name"] == "North wind"
    assert editor("GET", "northwind").data["name"] == "North wind"


def test_a_new_short_name_leads_there_and_the_old_one_too(editor):
    response = editor("PATCH", "northwind", {"slug": "north-wind"})
    assert response.status_code == 200
    assert (response.data["name"], response.data["slug"]) == ("Northwind", "north-wind")
    assert editor("GET", "northwind").data == editor("GET", "north-wind").data == response.data


def test_a_short_name_of_another_organization_is_taken(editor, beta):
    assert_problem(editor("PATCH", "northwind", {"name": "Other", "slug": "beta"}), 409, "slug_taken")
    assert Organization.objects.get(slug="northwind").name == "Northwind"


def test_no_key_deletes_an_organization(organization, make_key):
    owner = ApiClient(make_key(organization, permissions=["organization.delete", "organization.update"]))
    assert owner("DELETE", "northwind").status_code == 405
    assert Organization.objects.filter(slug="northwind", deleted_at=None).exists()
