"""Every page in every language: no English is left in it, and numbers and directions come out right."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.template import engines
from django.test import Client
from django.utils import translation

from guestlist.actions.domains import add_domain
from guestlist.actions.organizations import create_organization, create_setup_link
from guestlist.actors import Actor
from guestlist.delivery.emails import message_of
from guestlist.links import invitation_token
from guestlist.models import Delivery, Invitation, Membership
from guestlist.models.delivery import Kind
from guestlist.templating import format_date
from tests.actions.test_send_invitations import send
from tests.catalogues import LANGUAGES
from tests.conftest import actor_of
from tests.web.test_accounts_pages import prove
from tests.web.test_invitations_page import HTMX

# Names that are the same in every language: of the product, of roles and permissions (they are data), of keys
# on a keyboard, and of the people and organizations in these tests.
NAMES = (
    "acme.test|Guestlist|Outlook|JavaScript|CSV|JSON|Lines|API|IP|PIN|UTC|https|Owner|Admin|Member|Ctrl|Enter|Shift|Esc"
    "|English|Deutsch|Europe|Berlin|Dummy|xyz|northwind|gamma|Northwind|Gamma"
    "|Alice|Archer|AA|Bob|Baker|BB|Charlie|Cook|CC|Mallory|Mayhem|MM"
)
ENGLISH = re.compile(
    r"\b(the|you|your|and|of|with|this|is|are|not|by|sign|invitations?|members?|password)\b", re.I
)


class Words(HTMLParser):
    """What people see or hear of a page: texts, and the attributes that are read out or shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.feed(page.replace("<wbr>", ""))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style", "datalist")
        given = dict(attrs)
        for name in ("aria-label", "title", "alt", "placeholder", "data-said", "data-count", "data-copied"):
            self.found.append(given.get(name) or "")
        if tag == "input" and given.get("type") == "submit":
            self.found.append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "datalist")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def words_of(page: str) -> str:
    """The words of a page, without addresses."""
    text = " ".join(" ".join(Words(page).found).split())
    return re.sub(r"https?://\S+|\S*\*?@\S+", " ", text)


def leaks(page: str, language: str) -> set[str]:
    """The English words of a page that is in another language."""
    found = re.sub(rf"\b({NAMES})\b", " ", words_of(page))
    if language == "ar":
        return set(re.findall(r"[A-Za-z]{2,}", found))
    return set(ENGLISH.findall(found))


# Who opens what. {…} is filled in by `places`.
ACCOUNT = ["profile", "email", "password/change", "2fa", "sessions", "3rdparty", "logout", "reauthenticate"]
SIGNED_OUT = [
    *("login", "signup", "password/reset", "password/reset/done", "password/reset/key/done"),
    *("confirm-email", "inactive", "confirm-email/nonsense", "password/reset/key/1-set-password"),
]
LISTS = ("", "pending", "expired", "accepted", "declined", "requests")
PAGES = {
    "alice": [
        *("/o/northwind/", "/o/northwind/leave", "/o/northwind/admin/members", "/organizations"),
        *("/invitations", "/organizations/new", "/organizations?q=xyz", "/o/northwind/admin/members?q=xyz"),
        *("/o/northwind/admin/members/{charlie}/remove", "/o/northwind/admin/invitations/new"),
        *("/o/northwind/admin/invitations/{pending}/revoke", "/o/northwind/admin/invitations?q=xyz"),
        *("/o/northwind/admin/invitations/revoke?ids={pending}", "/i/{pending_token}", "/nowhere", "/outbox"),
        *("/i/{pending_token}/decline", "/accounts/add-address/{pending_token}/"),
        *(f"/o/northwind/admin/invitations?status={status}" for status in LISTS),
        *(f"/accounts/{name}/" for name in ACCOUNT),
    ],
    "charlie": ["/o/northwind/", "/o/northwind/admin/members", "/o/northwind/admin/invitations"],
    "mallory": ["/", "/organizations", "/invitations", "/o/northwind/", "/i/{pending_token}"],
    "nobody": [
        *(f"/i/{{{state}_token}}" for state in ("pending", "revoked", "declined", "expired", "accepted")),
        *("/i/gli_nonsense", "/i/{pending_token}/decline", "/i/{revoked_token}/preferences", "/nowhere"),
        *("/setup/nonsense", "/setup/{set_up}"),
        *(f"/accounts/{name}/" for name in SIGNED_OUT),
    ],
}


@pytest.fixture
def places(organization, alice, bob, charlie):
    """One invitation in each state, and what addresses of pages are made of."""
    found = {"charlie": Membership.objects.get(user=charlie).pk}
    for status in ("pending", "revoked", "declined", "expired", "accepted"):
        row = send(organization, alice, f"{status}@acme.test").outcomes[0].invitation
        ended = None if status == "pending" else row.invited_at
        Invitation.objects.filter(pk=row.pk).update(status=status, ended_at=ended)
        found |= {status: row.pk, f"{status}_token": invitation_token(row.nonce, row.pk)}
    gamma = create_organization(actor=Actor.operator(), name="Gamma", slug="gamma")
    found["set_up"] = create_setup_link(actor=Actor.operator(), organization=gamma, email="g@gamma.test").code
    return found


@pytest.fixture
def visitor(request, as_user):
    """Somebody of the cast, or nobody, whose browser asks for a language."""

    def visit(who, language):
        client = Client() if who == "nobody" else as_user(request.getfixturevalue(who))
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        return client

    return visit


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PAGES)
def test_no_english_is_left_on_a_page(places, visitor, who, language):
    client, found = visitor(who, language), {}
    for path in PAGES[who]:
        response = client.get(path.format(**places), follow=True)
        page = response.content.decode()
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page, path
        if left := leaks(page, language):
            found[path] = left
    assert found == {}


def test_the_search_for_english_finds_it(places, visitor):
    page = visitor("alice", "en").get("/o/northwind/admin/invitations").content.decode()
    assert {"Send", "Invitations", "Pending", "Cancel"} <= leaks(page, "ar")
    assert "invitation" in leaks(page, "de")


BOX = "vera@acme.test, vera@acme.test, alice@northwind.test, pending@acme.test, @, a b@c.test"
ANSWERS = [  # who, path, what is sent, by htmx
    ("nobody", "/accounts/login/", {"login": "alice@northwind.test", "password": "wrong"}, False),
    ("nobody", "/accounts/login/", {}, False),
    ("nobody", "/accounts/password/reset/", {"email": "@"}, False),
    ("nobody", "/i/{pending_token}", {"email": "x@y.test", "name": "", "password": "password"}, False),
    ("nobody", "/i/{pending_token}/decline", {"email": "wrong@acme.test"}, False),
    ("nobody", "/setup/{set_up}", {"name": "www.evil.test", "password": "12345"}, False),
    ("alice", "/o/northwind/admin/invitations/new", {"emails": BOX}, True),
    ("alice", "/o/northwind/admin/invitations/new", {"emails": ""}, False),
    ("alice", "/o/northwind/admin/invitations/preview", {"emails": BOX}, True),
    ("alice", "/o/northwind/admin/invitations/{pending}/resend", {}, True),
    ("alice", "/o/northwind/admin/invitations/{accepted}/revoke", {}, True),
    ("alice", "/o/northwind/admin/invitations/revoke", {"ids": ["{pending}", "{revoked}"]}, True),
    ("alice", "/o/northwind/admin/members/{charlie}/role", {"role": "nonsense"}, True),
    ("alice", "/o/northwind/admin/members/{charlie}/role", {"role": ""}, True),
    ("alice", "/o/northwind/admin/members/{charlie}/remove", {}, True),
    ("alice", "/o/northwind/leave", {}, False),
    ("alice", "/organizations/new", {"name": "https://evil.test", "slug": "-"}, False),
    ("alice", "/accounts/profile/", {"name": "", "time_zone": "Nowhere"}, False),
    ("alice", "/accounts/email/", {"action_add": "", "email": "@"}, False),
    ("alice", "/accounts/password/change/", {"oldpassword": "wrong", "password1": "1"}, False),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_is_left_in_an_answer(places, visitor, language):
    found = {}
    for who, path, data, by_htmx in ANSWERS:
        sent = {
            key: [v.format(**places) for v in ([value] if isinstance(value, str) else value)]
            for key, value in data.items()
        }
        headers = HTMX if by_htmx else {}
        response = visitor(who, language).post(path.format(**places), sent, headers=headers, follow=True)
        assert response.status_code in (200, 403, 409, 422), (path, response.status_code)
        if left := leaks(response.content.decode(), language):
            found[path, response.status_code] = left
    assert found == {}


# What is said of 1, 2, 3, 11 and 100 in Arabic: one word for one and for two, then three kinds of plural.
SENT = {
    1: "أُرسلت دعوة واحدة.",
    2: "أُرسلت دعوتان.",
    3: "أُرسلت 3 دعوات.",
    11: "أُرسلت 11 دعوة.",
    100: "أُرسلت 100 دعوة.",
}
MEMBERS = {0: "لا أعضاء", 1: "عضو واحد", 2: "عضوان", 3: "3 أعضاء", 11: "11 عضوًا", 100: "100 عضو"}


def test_arabic_counts_in_six_ways(organization, alice, as_user):
    client, begun = as_user(alice), 0
    for number, sentence in SENT.items():
        box = ", ".join(f"p{begun + i}@acme.test" for i in range(number))
        begun += number
        headers = HTMX | {"Accept-Language": "ar"}
        page = client.post("/o/northwind/admin/invitations/new", {"emails": box}, headers=headers)
        assert sentence in words_of(page.content.decode())
    nobody = client.post("/o/northwind/admin/invitations/new", {"emails": "p1@acme.test"}, headers=headers)
    assert "لم يُرسل شيء." in words_of(nobody.content.decode())


@pytest.mark.parametrize(("number", "words"), MEMBERS.items())
def test_arabic_counts_in_a_template_too(number, words):
    source = "{{ ngettext('%(total)s member', '%(total)s members', number, total=number|count) }}"
    with translation.override("ar"):
        assert engines["guestlist"].from_string(source).render({"number": number}) == words


def test_german_counts_in_two_ways(organization, alice, as_user):
    client = as_user(alice)
    for box, sentence in (
        ("a@acme.test", "1 Einladung gesendet."),
        ("b@a.test c@a.test", "2 Einladungen gesendet."),
    ):
        headers = HTMX | {"Accept-Language": "de"}
        page = client.post("/o/northwind/admin/invitations/new", {"emails": box}, headers=headers)
        assert sentence in words_of(page.content.decode())


DATES = {
    "en": ("Mar 1, 2026", "March 1, 2026", "Mar 1, 2026, 14:05"),
    "de": ("1. März 2026", "1. März 2026", "1. März 2026, 14:05"),
    "ar": ("1 مارس 2026", "1 مارس 2026", "1 مارس 2026، 14:05"),
}


@pytest.mark.parametrize("language", DATES)
def test_dates_are_written_as_the_language_writes_them(language):
    time = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    with translation.override(language):
        assert tuple(format_date(time, style) for style in ("short", "long", "moment")) == DATES[language]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_invitations_and_news_are_mailed_in_the_language_of_the_server(
    organization, alice, settings, language, kind
):
    settings.LANGUAGE_CODE = language
    send(organization, alice, "vera@acme.test")
    delivery = Delivery.objects.select_related("invitation", "organization").get()
    delivery.kind, delivery.content = kind, {"webhook": str(organization.pk)}
    if kind == Kind.DOMAIN_CODE:
        add_domain(actor=actor_of(alice), organization=organization, domain="acme.test", email="it@acme.test")
        delivery = Delivery.objects.select_related("organization").get(kind=kind)
    message = message_of(delivery)
    page = str(message.alternatives[0][0])
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
    assert "Northwind" in f"{message.subject} {message.body}"
    assert [leaks(text, language) for text in (message.subject, str(message.body), page)] == [set()] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_about_an_account_is_in_the_language_of_who_asked(alice, client, mailoutbox, language):
    client.post("/accounts/password/reset/", {"email": alice.email}, headers={"Accept-Language": language})
    message = mailoutbox[0]
    assert leaks(message.subject, language) == leaks(str(message.body), language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_is_confirmed_in_the_language_of_who_adds_it(mallory, visitor, mailoutbox, language):
    client, path = visitor("mallory", language), "/accounts/confirm-email/"
    prove(client)
    answers = [
        client.post("/accounts/email/", {"email": "new@acme.test", "action_add": ""}, follow=True),
        client.post(path, {"code": "BBBB-BBBB"}),
        client.post(path, {"action": "resend"}, follow=True),
    ]
    assert [answer.wsgi_request.path for answer in answers] == [path] * 3
    assert [leaks(answer.content.decode(), language) for answer in answers] == [set()] * 3
    body = re.sub(r"^[A-Z]{4}-[A-Z]{4}$", "", str(mailoutbox[0].body), flags=re.MULTILINE)
    assert leaks(str(mailoutbox[0].subject), language) == leaks(body, language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_has_no_password_is_asked_to_sign_in_again_in_their_language(mallory, visitor, language):
    mallory.set_unusable_password()
    mallory.save()
    answer = visitor("mallory", language).get("/accounts/sign-in-again/")
    assert answer.status_code == 200
    assert leaks(answer.content.decode(), language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_api_says_no_in_the_language_that_was_asked_for(organization, make_key, client, language):
    headers = {"Authorization": f"Bearer {make_key(organization, ())}", "Accept-Language": language}
    problem = client.get("/api/v1/organizations/northwind/members", headers=headers).json()
    assert problem["code"] == "not_allowed"
    assert leaks(problem["detail"], language) == set()
