"""Passkeys in a real browser, with an authenticator in software: joining, signing out, signing in."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, invite, link_to, session_of_owner, start_server, stop_server

# Browsers do no passkeys for an IP address.
HOST = "localhost"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("passkeys") / "data", host=HOST)
    yield started
    stop_server(started)


@pytest.fixture(scope="module")
def owner(browser, server):
    return session_of_owner(browser, server)


def plug_in_authenticator(page: Page, *, fits: bool = True) -> None:
    """A device that asks for a finger and gets it at once: the right one, if it fits."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": fits,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page, server) -> None:
    page.goto(f"{server.url}/accounts/logout/")
    page.get_by_role("button", name="Sign Out").click()
    page.wait_for_url(re.compile("/accounts/login/"))


def test_joining_and_signing_in_with_a_passkey(server, maya, person):
    invite(maya, server, "liam@acme.test")
    liam = person()
    plug_in_authenticator(liam)
    liam.goto(link_to(liam, server, "liam@acme.test"))
    liam.get_by_label("Full name").fill("Liam Chen")
    liam.get_by_role("button", name="Use a Passkey Instead").click()
    liam.get_by_role("button", name="Create Passkey and Join").click()
    liam.wait_for_url("**/o/northwind/")

    sign_out(liam, server)
    liam.get_by_role("button", name="Sign In with a Passkey").click()
    liam.wait_for_url("**/o/northwind/")
    expect(liam.get_by_text("Liam Chen").first).to_be_visible()

    # With the passkey he proves who he is, and adds nothing that he has already.
    liam.goto(f"{server.url}/accounts/2fa/recovery-codes/")
    liam.get_by_role("button", name="Use Passkey or Security Key").click()
    expect(liam.get_by_text("10 of 10 codes are left.")).to_be_visible()


def test_without_a_fitting_device_the_page_says_so(server, maya, person):
    invite(maya, server, "noor@acme.test")
    noor = person()
    noor.goto(link_to(noor, server, "noor@acme.test"))
    noor.get_by_label("Full name").fill("Noor Haddad")
    noor.get_by_role("button", name="Use a Passkey Instead").click()
    plug_in_authenticator(noor, fits=False)
    noor.get_by_role("button", name="Create Passkey and Join").click()
    expect(noor.get_by_role("alert")).to_contain_text("Nothing came of it")
    noor.get_by_role("link", name="Use a Password Instead").click()
    noor.get_by_label("Full name").fill("Noor Haddad")
    noor.get_by_label("Create a password").fill(PASSWORD)
    noor.get_by_role("button", name="Accept Invitation").click()
    noor.wait_for_url("**/o/northwind/")


def test_a_passkey_beside_a_password_and_as_second_factor(server, maya, person):
    invite(maya, server, "amara@acme.test")
    amara = person()
    plug_in_authenticator(amara)
    amara.goto(link_to(amara, server, "amara@acme.test"))
    amara.get_by_label("Full name").fill("Amara Okafor")
    amara.get_by_label("Create a password").fill(PASSWORD)
    amara.get_by_role("button", name="Accept Invitation").click()
    amara.wait_for_url("**/o/northwind/")

    amara.goto(f"{server.url}/accounts/2fa/webauthn/add/")
    amara.get_by_label("Password", exact=True).fill(PASSWORD)
    amara.get_by_role("button", name="Confirm").click()
    expect(amara.get_by_label("Sign in with it alone")).to_be_checked()
    amara.get_by_role("button", name="Add Passkey").click()
    expect(amara.get_by_role("link", name="Download Codes")).to_be_visible()

    sign_out(amara, server)
    amara.get_by_label("Email").fill("amara@acme.test")
    amara.get_by_label("Password", exact=True).fill(PASSWORD)
    amara.get_by_role("button", name="Sign In", exact=True).click()
    amara.get_by_role("button", name="Use Passkey or Security Key").click()
    amara.wait_for_url("**/o/northwind/")
