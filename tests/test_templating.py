"""The template engine: every shipped file compiles, allauth's pages are ours, and the traps stay shut."""

import datetime as dt
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pytest
from django.http import HttpRequest
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.test import RequestFactory
from django.test.signals import template_rendered
from django.utils import translation
from markupsafe import Markup

from guestlist.templating import Templates, format_date, initials, mail, tint
from guestlist_server.accounts.models import User

SERVER = Path(str(files("guestlist_server"))) / "jinja2"
APP = Path(str(files("guestlist"))) / "jinja2"
ALLAUTH = Path(str(files("allauth"))) / "templates"

# What allauth has for phones, sign-in codes, confirmation links and one changeable address, which are not
# offered, and layouts that only allauth's own pages use.
NOT_OFFERED = (
    "account/base_",
    "account/confirm_login_code.html",
    "account/confirm_password_reset_code.html",
    "account/confirm_phone",
    "account/email_change.html",
    "account/email_confirm.html",
    "account/verification_sent.html",
    "account/verified_email_required.html",
    "account/phone",
    "account/request_login_code.html",
    "account/signup_by_passkey.html",
    "account/snippets/",
    "account/email/login_code",
    "account/email/password_reset_code",
    "account/messages/login_code",
    "account/messages/phone",
    "mfa/base_",
    "mfa/recovery_codes/base.html",
    "mfa/totp/base.html",
    "mfa/webauthn/base.html",
    "mfa/webauthn/snippets/",
    "usersessions/base_",
    "socialaccount/base_",
    "socialaccount/snippets/",
)


def templates(*overrides: Path, **options: Any) -> Templates:
    return Templates({"DIRS": [*overrides, SERVER, APP], "APP_DIRS": False, "OPTIONS": options})


@pytest.fixture
def engine() -> Templates:
    return templates()


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Put a template into a folder of overrides; gives the folder."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    return put


def shipped() -> list[str]:
    return sorted(
        str(path.relative_to(root)) for root in (APP, SERVER) for path in root.rglob("*") if path.is_file()
    )


def allauth_names() -> list[str]:
    apps = ("account", "mfa", "usersessions", "socialaccount")
    paths = (path for app in apps for path in (ALLAUTH / app).rglob("*") if path.is_file())
    names = (str(path.relative_to(ALLAUTH)) for path in paths)
    return sorted(name for name in names if not name.startswith(NOT_OFFERED))


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_template_compiles(engine: Templates, name: str) -> None:
    assert engine.get_template(name).name == name


@pytest.mark.parametrize(
    "name", [*allauth_names(), "400.html", "403.html", "404.html", "429.html", "500.html"]
)
def test_every_page_and_mail_of_accounts_is_ours(engine: Templates, name: str) -> None:
    origin = engine.get_template(name).origin.name
    assert origin is not None
    assert Path(origin).is_relative_to(SERVER)


@pytest.mark.parametrize("name", [n for n in shipped() if n.endswith(".html") and "email/" not in n])
def test_no_template_has_inline_code(name: str) -> None:
    root = SERVER if (SERVER / name).exists() else APP
    text = (root / name).read_text()
    for forbidden in ("<style", " style=", "hx-on", "javascript:", "js:", "onclick=", "data:image"):
        assert forbidden not in text


def test_error_pages_need_no_request(engine: Templates) -> None:
    for status in (400, 403, 404, 413, 429, 500):
        assert f"Error {status}" in engine.get_template(f"{status}.html").render()


def test_the_view_wins_over_context_processors(request_: HttpRequest) -> None:
    engine = templates(context_processors=["tests.test_templating.a_processor"])
    context = {"who": "the view"}
    assert engine.from_string("{{ who }}").render(context, request_) == "the view"
    assert engine.from_string("{{ who }}").render({}, request_) == "the processor"
    assert context == {"who": "the view"}


def a_processor(_request: HttpRequest) -> dict[str, str]:
    return {"who": "the processor"}


def test_a_request_brings_its_csrf_field(engine: Templates, request_: HttpRequest) -> None:
    assert 'name="csrfmiddlewaretoken"' in engine.from_string("{{ csrf_input }}").render({}, request_)
    assert engine.from_string("{{ request is none }}").render() == "True"


def test_text_is_not_escaped_and_pages_are(write: Callable[[str, str], Path]) -> None:
    write("mail.txt", "{{ name }} {{ _('to %(name)s', name=name) }}")
    engine = templates(write("page.html", "{{ name }}"))
    assert (
        engine.get_template("mail.txt").render({"name": "O'Brien & <Co>"})
        == "O'Brien & <Co> to O'Brien & <Co>"
    )
    assert (
        engine.get_template("page.html").render({"name": "O'Brien & <Co>"}) == "O&#39;Brien &amp; &lt;Co&gt;"
    )


def test_a_printed_method_is_an_error(engine: Templates) -> None:
    with pytest.raises(TypeError, match="printed, not called"):
        engine.from_string("{{ name.upper }}").render({"name": "jane"})


def test_a_missing_value_is_an_error(engine: Templates) -> None:
    with pytest.raises(jinja2.UndefinedError):
        engine.from_string("{% if nobody %}{% endif %}").render()


def test_a_missing_template_and_broken_syntax_are_djangos_errors(write: Callable[[str, str], Path]) -> None:
    engine = templates(write("broken.html", "one\n{% if %}"))
    with pytest.raises(TemplateDoesNotExist):
        engine.get_template("nowhere.html")
    with pytest.raises(TemplateSyntaxError) as caught:
        engine.get_template("broken.html")
    assert caught.value.template_debug["line"] == 2  # type: ignore[attr-defined]


def test_tests_see_which_template_was_rendered(engine: Templates) -> None:
    seen: list[tuple[str | None, Any]] = []

    def note(template: Any, context: Any, **_: Any) -> None:
        seen.append((template.name, context["title"]))

    template_rendered.connect(note)
    try:
        engine.get_template("guestlist/error.html").render({"title": "Oh", "body": "", "status": 400})
    finally:
        template_rendered.disconnect(note)
    assert seen == [("guestlist/error.html", "Oh")]


def test_an_override_can_extend_the_file_it_replaces(write: Callable[[str, str], Path]) -> None:
    text = '{% extends "@guestlist/guestlist/error.html" %}{% block title %}Ours{% endblock %}'
    page = templates(write("guestlist/error.html", text)).get_template("guestlist/error.html")
    html = page.render({"title": "Theirs", "body": "", "status": 400})
    assert "<title>Ours" in html
    assert "<h1>Theirs" in html


def test_dates_follow_whoever_reads_and_not_whoever_compiled(engine: Templates) -> None:
    day = dt.date(2026, 3, 1)
    page = engine.from_string("{{ day|date }}")
    with translation.override("de"):
        german = page.render({"day": day})
    with translation.override("en"):
        assert page.render({"day": day}) == "Mar 1, 2026" != german
        assert format_date(day, "long") == "March 1, 2026"
        assert format_date(None) == ""


def test_counts_stop_at_ten_thousand(engine: Templates) -> None:
    page = engine.from_string("{{ number|count }}")
    assert [page.render({"number": n}) for n in (7, 8412, 10_001)] == ["7", "8,412", "10,000+"]


def test_addresses_may_break_and_are_escaped() -> None:
    assert mail("jane@mail.example.com") == '<bdi dir="ltr">jane<wbr>@mail<wbr>.example<wbr>.com</bdi>'
    assert mail("<b>@x.test") == '<bdi dir="ltr">&lt;b&gt;<wbr>@x<wbr>.test</bdi>'
    assert mail("nobody") == '<bdi dir="ltr">nobody</bdi>'


def test_rows_that_look_alike_are_written_once_and_filled_in(write: Callable[[str, str], Path]) -> None:
    source = (
        "{% macro row(row) %}<b class={{ row.tone }} title='{{ _('to %(who)s', who=row.name) }}'>"
        "{{ row.name }}"
        "{% if row.note %}: {{ row.note }}{% endif %}</b>{{ written(row.tone) }}{% endmacro %}"
        "{{ alike(row, rows, ['name', 'note']) }}|{% for each in rows %}{{ row(each) }}{% endfor %}"
    )
    rows = [
        {"tone": "ok", "name": "Jane", "note": ""},
        {"tone": "ok", "name": "<i>'&\"", "note": None},
        {"tone": "ok", "name": Markup("<i>J</i>"), "note": "name"},
        {"tone": "bad", "name": "%(who)s", "note": "{{ 7 * 7 }}"},
        {"tone": "ok", "name": "", "note": "\\1"},
    ]
    written: list[str] = []
    engine = templates(write("list.html", source))
    said = engine.get_template("list.html").render(
        {"rows": rows, "written": lambda tone: written.append(tone) or ""}
    )
    filled, one_by_one = said.split("|")
    assert filled == one_by_one
    # Of five rows those that look like an earlier one asked for nothing more.
    assert len(written) - len(rows) == 4
    assert templates(write("list.html", source)).get_template("list.html").render({"rows": []}) == "|"


def test_avatars() -> None:
    assert [initials(name) for name in ("Maya Torres", "jane@example.com", "")] == ["MT", "J", "?"]
    assert tint("Maya Torres") == tint("Maya Torres") in range(1, 6)


def test_mail_about_accounts_is_plain_text(engine: Templates) -> None:
    context = {"code": "BCDF-GHJK", "user": User(name="Pat O'Brien & Co")}
    text = engine.get_template("account/email/email_confirmation_signup_message.txt").render(context)
    assert "Pat O'Brien & Co wants to add this address" in text
    assert "BCDF-GHJK" in text
