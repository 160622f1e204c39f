"""The Settings pages, through the door."""

import re
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from guestlist.conf import conf
from guestlist.models import Delivery, Event, Invitation, Organization, Role
from guestlist.web.mail_frame import mail_frame
from tests.catalogues import LANGUAGES
from tests.conftest import join, make_user
from tests.web.test_invitations_page import HTMX, text_of
from tests.web.test_languages import leaks

URL = "/o/northwind/admin/settings"
EMAIL = f"{URL}/email"
GENERAL = {"name": "Northwind", "slug": "northwind", "accent": "#C02040"}
MAIL = {"language": "de", "reminder_days": "2, 5", "digests": "on"}
TYPED = GENERAL | MAIL


def frame_of(response):
    """The address of the mail in the frame."""
    return unescape(re.search(r'<iframe[^>]* src="([^"]+)"', response.content.decode())[1])


def saved(organization):
    row = Organization.objects.get(pk=organization.pk)
    return row.accent, row.language, row.reminder_days, row.digests


USUAL = ("", "", [3, 6], True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "/email"),
        ("get", "/security"),
        ("get", "/danger"),
        ("get", "/preview"),
        ("post", ""),
        ("post", "/email"),
        ("post", "/security"),
        ("post", "/danger"),
        ("post", "/test"),
    ],
)
def test_who_may_not(organization, charlie, mallory, client, as_user, method, path):
    assert getattr(client, method)(URL + path, TYPED).status_code == (302 if method == "get" else 401)
    assert getattr(as_user(mallory), method)(URL + path, TYPED).status_code == 404
    response = getattr(as_user(charlie), method)(URL + path, TYPED)
    assert response.status_code == 403
    assert f"Organization: {'Delete' if path == '/danger' else 'Update'}" in text_of(response)
    assert f'href="{URL}"' not in response.content.decode()
    assert saved(organization) == USUAL
    assert not Delivery.objects.exists()


def test_an_admin_may_not_delete_and_sees_no_tab_for_it(organization, bob, as_user):
    client = as_user(bob)
    assert client.get(f"{URL}/danger").status_code == 403
    html = client.get(URL).content.decode()
    assert f'href="{URL}/security"' in html
    assert f'href="{URL}/danger"' not in html


def test_whoever_may_only_delete_lands_on_danger(organization, as_user):
    Role.objects.create(organization=organization, name="Closer", permissions=["organization.delete"])
    dana = make_user("dana@northwind.test", "Dana Diaz")
    join(organization, dana, "Closer")
    client = as_user(dana)
    html = client.get("/o/northwind/").content.decode()
    assert f'href="{URL}/danger"' in html
    page = client.get(URL, follow=True)
    assert page.redirect_chain == [(f"{URL}/danger", 302)]
    assert f'href="{URL}/email"' not in page.content.decode()
    assert client.get(EMAIL).status_code == 403


def test_the_sidebar_leads_there_whoever_may_change_it(organization, alice, bob, as_user):
    for user in (alice, bob):
        assert f'href="{URL}"' in as_user(user).get("/o/northwind/").content.decode()
        assert as_user(user).get(URL).status_code == 200


def test_what_is_saved_stands_in_the_form(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(URL, GENERAL, follow=True)
    assert "Settings saved." in text_of(response)
    assert 'name="accent" value="#c02040"' in response.content.decode()
    response = client.post(EMAIL, MAIL, follow=True)
    assert "Settings saved." in text_of(response)
    assert saved(organization) == ("#c02040", "de", [2, 5], True)
    html = response.content.decode()
    assert '<option value="de" lang="de" selected>' in html
    assert 'name="reminder_days" value="2, 5"' in html


def test_an_empty_form_is_the_usual_colour_and_language_without_reminders(organization, alice, as_user):
    client = as_user(alice)
    client.post(URL, GENERAL)
    client.post(EMAIL, MAIL)
    client.post(URL, GENERAL | {"accent": ""})
    client.post(EMAIL, {"language": "", "reminder_days": ""})
    assert saved(organization) == ("", "", [], False)


@pytest.mark.parametrize(
    ("url", "typed", "sentences"),
    [
        (
            URL,
            {"name": "see evil.test", "slug": "North Wind", "accent": "green <b>"},
            ("A name can’t hold a web address.", "The short name may hold", "Write a colour as #"),
        ),
        (
            EMAIL,
            {"language": "xx", "reminder_days": "3, soon"},
            ("There is no language “xx” here.", "Write the days as numbers"),
        ),
    ],
)
def test_every_mistake_stands_beside_its_field_and_nothing_typed_is_lost(
    organization, alice, as_user, url, typed, sentences
):
    response = as_user(alice).post(url, typed)
    assert response.status_code == 422
    page, html = text_of(response), response.content.decode()
    for sentence in sentences:
        assert sentence in page
    for name, text in typed.items():
        assert f'id="{name}-error"' in html
        assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-error', html)
        assert name == "language" or f'value="{escape(text)}"' in html
    assert saved(organization) == USUAL
    assert not Event.objects.filter(type="organization.updated").exists()


def test_htmx_gets_the_sections_and_a_toast(organization, alice, as_user):
    for url, typed in ((URL, GENERAL), (EMAIL, MAIL)):
        response = as_user(alice).post(url, typed, headers=HTMX)
        html = response.content.decode()
        assert response.status_code == 200
        assert "<html" not in html
        assert 'id="settings"' in html
        assert 'hx-swap-oob="beforeend:#toasts-status"' in html
        assert "Settings saved." in text_of(response)
    wrong = as_user(alice).post(URL, GENERAL | {"accent": "red"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "Write a colour as #" in text_of(wrong)


def test_a_new_name_is_everywhere_on_the_page_at_once(organization, alice, as_user):
    client = as_user(alice)
    response = client.post(URL, GENERAL | {"name": "Southwind", "slug": "southwind"}, headers=HTMX)
    assert response["HX-Redirect"] == "/o/southwind/admin/settings"
    page = client.get(response["HX-Redirect"])
    assert "Settings saved." in text_of(page)
    assert "Northwind" not in text_of(page)


def test_a_short_name_that_is_taken_stays_in_the_form(organization, beta, alice, as_user):
    response = as_user(alice).post(URL, GENERAL | {"slug": "beta", "name": "Southwind"})
    assert response.status_code == 409
    assert "Another organization has the short name “beta”." in text_of(response)
    html = response.content.decode()
    assert 'name="slug" value="beta"' in html
    assert 'name="name" value="Southwind"' in html
    assert Organization.objects.get(pk=organization.pk).name == "Northwind"


def test_the_preview_shows_the_mail_as_it_would_be_sent(organization, alice, as_user):
    client = as_user(alice)
    page = client.get(URL)
    for part in (
        "Alice Archer invited you to join Northwind",
        "alice@northwind.test",
        escape(conf().email_from),
    ):
        assert part in text_of(page)
    mail = client.get(frame_of(page))
    assert mail.status_code == 200
    for part in ("Alice Archer invited you to join Northwind", "jane@example.com", "/i/gli_example-"):
        assert part in text_of(mail)
        assert part in text_of(page)
    assert not Invitation.objects.exists()
    assert not Delivery.objects.exists()


def test_a_language_that_the_server_no_longer_has_is_none(organization, alice, as_user):
    Organization.objects.update(language="fr")
    page = as_user(alice).get(EMAIL)
    assert page.status_code == 200
    assert "selected" not in page.content.decode()


def test_what_is_typed_can_be_looked_at_before_it_is_saved(organization, alice, as_user):
    client = as_user(alice)
    page = client.post(URL, GENERAL | {"name": "Southwind", "preview": "1"})
    address = frame_of(page)
    asked = {"name": ["Southwind"], "accent": ["#C02040"]}
    assert parse_qs(urlsplit(address).query) == asked
    mail = client.get(address).content.decode()
    assert "#c02040" in mail
    assert "invited you to join Southwind" in mail
    assert 'value="#C02040"' in page.content.decode()
    assert "It is not saved yet." in text_of(page)
    page = client.post(EMAIL, MAIL | {"preview": "1"})
    assert '<html lang="de"' in client.get(frame_of(page)).content.decode()
    assert 'lang="de">Alice Archer lädt Sie' in page.content.decode()
    for url in (URL, EMAIL):
        assert "It is not saved yet." not in text_of(client.get(url))
    assert saved(organization) == USUAL


def test_the_frame_runs_under_a_strict_policy(organization, alice, as_user):
    client = as_user(alice)
    mail = client.get(frame_of(client.get(URL)))
    policy, html = mail["Content-Security-Policy"], mail.content.decode()
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy
    assert mail["X-Frame-Options"] == "SAMEORIGIN"
    nonce = re.search("'nonce-([^']+)'", policy)[1]
    assert re.findall(r'<style nonce="([^"]+)"', html) == [nonce, nonce]
    assert " style=" not in html
    assert "href" not in html
    assert nonce not in client.get(frame_of(client.get(URL))).content.decode()


def test_the_frame_keeps_everything_but_what_the_policy_forbids():
    mail = (
        "<!DOCTYPE html><html><head><title>A &amp; B</title><style>p > b { color: red }</style></head>"
        '<body class="bg" style="margin:0"><p style="font-family:\'Segoe UI\'">1 &lt; 2 &#8211; <br>'
        '<a href="https://x.test" style="color:#fff">Go</a></p><!-- gone --></body></html>'
    )
    page = re.sub('nonce="[^"]+"', "N", mail_frame(mail).content.decode())
    head, rest = page.split("</style>", 1)
    rules, body = rest.split("</style>")
    assert head == "<!DOCTYPE html><html><head><title>A &amp; B</title><style N>p > b { color: red }"
    assert rules.splitlines() == [
        "<style N>",
        "a { color: LinkText; text-decoration: underline }",
        ".style-0.style-0 { margin:0 }",
        ".style-1.style-1 { font-family:'Segoe UI' }",
        ".style-2.style-2 { color:#fff }",
    ]
    assert body == (
        '</head><body class="bg style-0"><p class="style-1">1 &lt; 2 &#8211; <br>'
        '<a class="style-2">Go</a></p></body></html>'
    )


def test_hostile_names_stay_text_in_the_preview(organization, alice, as_user):
    Organization.objects.update(name='A & B <img src="x"> "C"')
    client = as_user(alice)
    page = client.get(URL)
    for html in (page.content.decode(), client.get(frame_of(page)).content.decode()):
        assert "A &amp; B &lt;img src=&#34;x&#34;&gt; &#34;C&#34;" in html
        assert "<img" not in html


def test_a_preview_of_what_cannot_be_is_refused(organization, alice, as_user):
    for query in ({"accent": "red"}, {"language": "xx"}, {"accent": "#fff}</style><script>"}):
        response = as_user(alice).get(f"{URL}/preview", query)
        assert response.status_code == 422
        assert "<script>" not in response.content.decode()


def test_a_member_gets_a_test_once_a_minute(organization, alice, bob, as_user):
    client = as_user(alice)
    response = client.post(f"{URL}/test", headers=HTMX)
    assert "A test is on its way to alice@northwind.test." in text_of(response)
    assert '<a href="/o/northwind/admin/delivery">' in response.content.decode()
    again = client.post(f"{URL}/test", headers=HTMX)
    assert again.status_code == 429
    assert "A test was mailed to you a moment ago." in text_of(again)
    assert "A test was mailed to you" in text_of(client.post(f"{URL}/test", follow=True))
    page = as_user(bob).post(f"{URL}/test", follow=True)
    assert "A test is on its way to bob@northwind.test." in text_of(page)
    assert '<a href="/o/northwind/admin/delivery">See what becomes of it</a>' in page.content.decode()
    assert [(d.kind, d.recipient) for d in Delivery.objects.order_by("pk")] == [
        ("test", "alice@northwind.test"),
        ("test", "bob@northwind.test"),
    ]


def test_without_mail_no_test_goes_out(organization, alice, as_user, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    response = as_user(alice).post(f"{URL}/test", follow=True)
    assert "E-mail is not configured, so no test can go out." in text_of(response)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_is_left_where_mail_is_in_the_language_of_the_viewer(
    organization, alice, as_user, language
):
    client, spoken = as_user(alice), {"Accept-Language": language}
    pages = [
        client.post(EMAIL, {"language": language, "reminder_days": "3"}, headers=spoken, follow=True),
        client.post(EMAIL, {"language": language, "reminder_days": "x"}, headers=spoken),
        client.post(URL, {"accent": "red", "name": "", "slug": "-"}, headers=spoken),
        client.get(f"{URL}/security", headers=spoken),
        client.post(f"{URL}/security", {"require_two_factor": "on"}, headers=spoken),
        client.post(f"{URL}/danger", {"name": "x"}, headers=spoken),
        client.post(f"{URL}/test", headers=spoken, follow=True),
        client.post(f"{URL}/test", headers=spoken, follow=True),
    ]
    assert [leaks(page.content.decode(), language) for page in pages] == [set()] * 8


def test_whoever_manages_no_members_still_gets_to_the_settings(organization, as_user):
    Role.objects.create(organization=organization, name="Designer", permissions=["organization.update"])
    dana = make_user("dana@northwind.test", "Dana Diaz")
    join(organization, dana, "Designer")
    html = as_user(dana).get(URL).content.decode()
    assert f'href="{URL}"' in html
    assert 'href="/o/northwind/admin/members"' not in html
