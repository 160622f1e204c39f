"""A webhook, from the button to calls that arrive, fail and arrive again, as a person does it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import invite
from tests.delivery.receiver import Receiver

PAGE = "/o/northwind/admin/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that takes calls, on loopback as the server."""
    running = Receiver()
    yield running
    running.close()


def create(page, server, receiver):
    """Make a webhook; its secret, and end on its page."""
    page.goto(f"{server.url}{PAGE}")
    page.get_by_role("link", name="Create Webhook").first.click()
    page.get_by_label("Address", exact=True).fill(receiver.url)
    page.get_by_label("Description").fill("CRM")
    page.get_by_label("Only the events ticked below").check()
    page.get_by_label("Invitation sent", exact=True).check()
    page.get_by_role("button", name="Create Webhook").click()
    secret = page.get_by_role("textbox", name="Secret").input_value()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="CRM")).to_be_visible()
    return secret


def delete(page):
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete Webhook").click()
    expect(page.get_by_text("The webhook is deleted.")).to_be_visible()


def test_a_webhook_is_made_tested_told_and_mended(server, maya, receiver):
    secret = create(maya, server, receiver)
    here = maya.url
    rows = maya.locator("tr[data-id]")
    maya.get_by_role("button", name="Send Test Event").click()
    # Its row appears, and follows what becomes of it by itself.
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Delivered", timeout=15_000)
    expect(maya.locator("#webhook-state")).not_to_contain_text("Never")
    expect(maya).to_have_url(here)
    assert receiver.taken[0].verify(secret)["type"] == "webhook.test"
    receiver.answer = lambda call, wire: 500
    invite(maya, server, "hooked@webhook.test")
    maya.goto(here)
    expect(rows.first).to_contain_text("hooked@webhook.test")
    expect(rows.first).to_contain_text("Deferred", timeout=15_000)
    expect(rows.first).to_contain_text("500")
    expect(maya.get_by_text("No call has arrived since")).to_be_visible()
    receiver.answer = lambda call, wire: 204
    rows.first.get_by_role("button", name="Redeliver Invitation sent about hooked@webhook.test").click()
    expect(rows.first).to_contain_text("Delivered", timeout=15_000)
    expect(maya.get_by_text("No call has arrived since")).to_be_hidden()
    first, *_, last = [call for call in receiver.calls if call.email == "hooked@webhook.test"]
    assert first.id == last.id
    rows.first.get_by_role("link", name="Invitation sent").click()
    expect(maya.get_by_text("asked for by Maya Torres")).to_be_visible()
    expect(maya.locator("pre").nth(1)).to_contain_text('"email": "hooked@webhook.test"')
    maya.goto(here)
    maya.get_by_label("Since").fill("2020-01-01T00:00")
    maya.get_by_label("Only those that failed").uncheck()
    maya.get_by_role("button", name="Redeliver All").click()
    dialog = maya.get_by_role("alertdialog", name="Make 1 call again?")
    dialog.get_by_role("button", name="Redeliver 1").click()
    expect(maya.get_by_role("status").filter(has_text="1 call is made again.")).to_be_visible()
    delete(maya)


def test_a_webhook_is_turned_off_and_on_where_it_stands(server, maya, receiver):
    create(maya, server, receiver)
    here = maya.url
    maya.get_by_role("button", name="Turn Off").click()
    maya.get_by_role("alertdialog", name="Turn off CRM?").get_by_role("button", name="Turn Off").click()
    expect(maya.get_by_role("button", name="Turn On")).to_be_visible()
    expect(maya).to_have_url(here)
    maya.get_by_role("button", name="Turn On").click()
    expect(maya.get_by_role("button", name="Turn Off")).to_be_visible()
    delete(maya)


def test_everything_works_without_javascript(server, person, owner, receiver):
    page = person(storage_state=owner, java_script_enabled=False)
    create(page, server, receiver)
    here = page.url
    page.get_by_role("button", name="Send Test Event").click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    expect(page).to_have_url(here)
    invite(page, server, "plain@webhook.test")
    page.goto(here)
    page.get_by_label("Since").fill("2020-01-01T00:00")
    page.get_by_label("Only those that failed").uncheck()
    page.get_by_role("button", name="Redeliver All").click()
    page.get_by_role("button", name="Redeliver 1").click()
    expect(page.get_by_text("1 call is made again.")).to_be_visible()
    page.get_by_role("button", name="Rotate Secret").click()
    page.get_by_role("button", name="Rotate Secret").click()
    expect(
        page.get_by_text(re.compile("Until .* each call is signed with the former secret too"))
    ).to_be_visible()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Turn Off").click()
    page.get_by_role("button", name="Turn Off").click()
    expect(page.get_by_text("The webhook is off.")).to_be_visible()
    page.get_by_role("button", name="Turn On").click()
    expect(page.get_by_text("The webhook is on again.")).to_be_visible()
    delete(page)
