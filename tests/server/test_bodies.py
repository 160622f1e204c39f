"""What is too large or no UTF-8 is refused on every page of the server, in its own words."""

import pytest

PAGES = ["/accounts/login/", "/accounts/password/reset/", "/setup/nothing", "/accounts/dummy/login/"]
MULTIPART = "multipart/form-data; boundary=x"


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", MULTIPART])
@pytest.mark.parametrize("path", PAGES)
def test_a_body_that_is_too_large_is_refused(client, settings, path, content_type):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = client.post(path, "a=" + "b" * 1000, content_type=content_type)
    assert answer.status_code == 413
    assert "That is too much text at once" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", MULTIPART])
@pytest.mark.parametrize("path", PAGES)
def test_a_form_in_another_charset_is_refused(client, path, content_type):
    answer = client.post(path, "a=b", content_type=f"{content_type}; charset=utf-16")
    assert answer.status_code == 415
    assert "Send forms as UTF-8" in answer.content.decode()


@pytest.mark.django_db
def test_the_api_says_it_in_its_own_words(client, organization, make_key, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    headers = {"Authorization": f"Bearer {make_key(organization)}"}
    path = "/api/v1/organizations/northwind/invitations"
    answer = client.post(path, b"x" * 1001, content_type="application/json", headers=headers)
    assert answer.status_code == 413
    assert answer["Content-Type"].startswith("application/problem+json")
