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
        ({"name": "x", "slug": "y"}, "invalid_input"),
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
