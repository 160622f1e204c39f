"""How a page gets into a state: what somebody presses and types, and what that shows."""

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

Act = Callable[[Page], None]


def pressing(*names: str, shows: str = "[aria-invalid=true]") -> Act:
    """Press these buttons, one after the other, and wait for what that shows."""

    def act(page: Page) -> None:
        for name in names:
            page.get_by_role("button", name=name).first.click()
        expect(page.locator(shows).first).to_be_visible()

    return act


def filling(values: dict[str, str], button: str, shows: str = "[aria-invalid=true]") -> Act:
    """Fill the boxes with these labels, press the button, and wait for what that shows."""

    def act(page: Page) -> None:
        for label, value in values.items():
            page.get_by_label(label, exact=True).fill(value)
        pressing(button, shows=shows)(page)

    return act


def in_dialog(text: str, *, send: bool = False) -> Act:
    """Type into the dialog of Invite Users, and send."""

    def act(page: Page) -> None:
        page.get_by_role("button", name="Invite Users").first.click()
        dialog = page.get_by_role("dialog", name="Invite Users")
        if text:
            dialog.get_by_role("textbox").fill(text)
            expect(dialog.locator(".tally, .preview p").first).to_be_visible()
        if send:
            dialog.get_by_role("button", name="Send Invitations").click()
            expect(dialog.get_by_text("couldn’t be sent")).to_be_visible()

    return act


def choose_file(text: str) -> Act:
    """Choose a file in the dialog of Invite Users and have it read."""

    def act(page: Page) -> None:
        in_dialog("")(page)
        dialog = page.get_by_role("dialog", name="Invite Users")
        file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}
        dialog.get_by_label("…or choose a CSV file").set_input_files(file)
        dialog.get_by_role("button", name="Add from File").click()
        expect(dialog.locator(".note--ok, #file-error").first).to_be_visible()

    return act


def select_three(page: Page) -> None:
    """Three rows of the list."""
    for index in range(3):
        page.locator("tbody input[name=ids]").nth(index).check()
    expect(page.get_by_role("form", name="Bulk actions")).to_be_visible()


def pressing_for_three(button: str, shows: str) -> Act:
    """Select three rows and press a button of the bar above them."""

    def act(page: Page) -> None:
        select_three(page)
        page.get_by_role("form", name="Bulk actions").get_by_role("button", name=button).click()
        expect(page.locator(shows)).to_be_visible()

    return act


def select_page(page: Page) -> None:
    """All rows of the page, which offers those of the others."""
    page.get_by_label("Select all invitations on this page").check()
    expect(page.get_by_text("that match")).to_be_visible()


def fail_to_load(page: Page) -> None:
    """A list that does not come."""
    page.route(
        re.compile(r"\?.*sort="), lambda route: route.fulfill(status=500, headers={"X-Request-ID": "7f3a9c"})
    )
    page.get_by_role("columnheader", name="Email").get_by_role("link").click()
    expect(page.get_by_role("alert").filter(has_text="didn’t load")).to_be_visible()


def fail_to_act(page: Page) -> None:
    """A press that comes to nothing."""
    page.route("**/resend", lambda route: route.abort())
    page.get_by_role("button", name=re.compile("^Resend invitation to")).first.click()
    expect(page.locator(".toast--danger")).to_be_visible()


def open_drawer(page: Page) -> None:
    """The navigation of a small screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Open navigation").click()
    expect(page.locator("#drawer")).to_be_visible()


def open_details(email: str) -> Act:
    """What is known of an invitation."""

    def act(page: Page) -> None:
        page.get_by_role("link", name=f"Details of {email}").click()
        expect(page.locator("#details[open]")).to_be_visible()

    return act


def open_first_event(page: Page) -> None:
    """What is known of an event of the audit log."""
    page.locator("tbody summary").first.click()
    expect(page.locator("details[open] dl").first).to_be_visible()


def open_menu(name: str) -> Act:
    """A menu of the sidebar."""

    def act(page: Page) -> None:
        page.get_by_role("button", name=name).click()
        expect(page.locator(".menu:popover-open")).to_be_visible()

    return act


def press_question_mark(page: Page) -> None:
    """The list of keys."""
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def lose_the_token(page: Page) -> None:
    """A form whose safety token is gone."""
    page.context.clear_cookies()
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_text("Error 403")).to_be_visible()


def give_password(page: Page) -> None:
    """The first of two proofs."""
    page.get_by_label("Email").fill("tess@northwind.test")
    page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()


def follow_to_the_form(page: Page) -> None:
    """The link of a reset hides itself behind a second address."""
    expect(page.locator("input[type=password]").first).to_be_visible()


def save_preferences(page: Page) -> None:
    """The organization may not invite again."""
    page.get_by_label("Harbor & Pine may not invite me again").check()
    filling({"Your email address": "saved.guest@lakeside.test"}, "Save", "[role=status]")(page)


TYPED = """jane@example.com, maya@northwind.test
new.person@example.com; another.one@example.com, ada@gmial.com
jane@, another.one@example.com, @nobody.example"""
