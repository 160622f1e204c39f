"""A key, from the button to a call and to its end, as a person does it."""

import json
import urllib.request
from urllib.error import HTTPError

from playwright.sync_api import expect

PAGE = "/o/northwind/admin/api-keys"


def call(server, key):
    """The status of a call with the key."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/organizations/northwind", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)["slug"]
    except HTTPError as error:
        return error.code


def test_a_key_is_made_replaced_and_revoked(server, maya):
    maya.context.grant_permissions(["clipboard-read", "clipboard-write"])
    maya.goto(f"{server.url}{PAGE}")
    maya.get_by_role("link", name="Create API Key").first.click()
    maya.get_by_label("Name", exact=True).fill("Backend")
    maya.get_by_label("Member: Manage").check()
    maya.get_by_role("button", name="Create API Key").click()
    expect(maya.get_by_role("textbox", name="API key")).to_be_focused()
    maya.get_by_role("button", name="Copy").click()
    expect(maya.get_by_role("button", name="Copied")).to_be_visible()
    first = maya.evaluate("navigator.clipboard.readText()")
    assert call(server, first) == "northwind"
    # A reload sends the form again, and makes nothing.
    maya.reload()
    expect(maya).to_have_url(f"{server.url}{PAGE}")
    expect(maya.get_by_text("This key has been made already")).to_be_visible()
    expect(maya.locator("tr[data-id]")).to_have_count(1)
    maya.get_by_role("button", name="Rotate Backend").click()
    dialog = maya.get_by_role("alertdialog", name="Rotate the API key Backend?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_label("How long the old key goes on").select_option("At once")
    dialog.get_by_role("button", name="Rotate").click()
    second = maya.get_by_role("textbox", name="API key").input_value()
    assert (call(server, first), call(server, second)) == (401, "northwind")
    maya.get_by_role("link", name="Done").click()
    maya.get_by_role("button", name="Revoke Backend").click()
    maya.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(maya.get_by_role("status").filter(has_text="The API key Backend was revoked.")).to_be_visible()
    assert call(server, second) == 401
    # The tabs follow.
    expect(maya.get_by_role("link", name="Revoked 1")).to_be_visible()
