"""The Jinja2 backend of every page and message: strict, escaped by suffix, the view's values win."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jinja2
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.backends.jinja2 import Jinja2, Origin, get_exception_info
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.html import json_script
from jinja2.runtime import Context
from markupsafe import Markup, escape

COUNT_LIMIT = 10_000
# The place of a text in what `alike` fills in, between characters that are in no text.
_MARKED = re.compile("\ufdd0([a-z_]+)\ufdd1")
_translation_of = translation.gettext
# To escape a text takes longer than to see that it needs none.
_SPECIAL = re.compile("[&<>'\"]")


class Templates(Jinja2):
    """Django template backend: put it into TEMPLATES with NAME "guestlist" and APP_DIRS.

    An override reaches the shipped file of its own path by `{% extends "@guestlist/guestlist/shell.html" %}`.
    """

    app_dirname = "jinja2"

    def __init__(self, params: Mapping[str, Any]) -> None:
        options = {
            "environment": "guestlist.templating.environment",
            "autoescape": escapes,
            "undefined": jinja2.StrictUndefined,
            "finalize": refuse_methods,
            "trim_blocks": True,
            "lstrip_blocks": True,
            **params.get("OPTIONS", {}),
        }
        super().__init__({"NAME": "guestlist", "DIRS": [], "APP_DIRS": True, **params, "OPTIONS": options})
        # Overrides come first in the search, shipped files last: "@guestlist/" reads the other way round.
        shipped = jinja2.FileSystemLoader([str(path) for path in reversed(self.template_dirs)])
        named = jinja2.FileSystemLoader([str(path) for path in self.dirs])
        apps = AppFiles([str(path) for path in self.template_dirs[len(self.dirs) :]])
        self.env.loader = jinja2.ChoiceLoader([named, apps, jinja2.PrefixLoader({"@guestlist": shipped})])

    def get_template(self, template_name: str) -> Template:  # type: ignore[override]
        try:
            return Template(self.env.get_template(template_name), self)
        except jinja2.TemplateNotFound as error:
            raise TemplateDoesNotExist(str(error.name or template_name), backend=self) from error
        except jinja2.TemplateSyntaxError as error:
            raise with_source(error) from error

    def from_string(self, template_code: str) -> Template:  # type: ignore[override]
        return Template(self.env.from_string(template_code), self)


class AppFiles(jinja2.FileSystemLoader):
    """The apps' files under guestlist/. The others are for the engine of a project that writes Jinja2 too."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if not template.startswith("guestlist/"):
            raise jinja2.TemplateNotFound(template)
        return super().get_source(environment, template)


class Template:
    """One template; what the view gives wins over what context processors give."""

    def __init__(self, template: jinja2.Template, backend: Templates) -> None:
        self.template = template
        self.backend = backend
        self.name = template.name
        self.origin = Origin(name=template.filename or "", template_name=template.name)

    def render(self, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> str:
        values: dict[str, Any] = {"request": request}
        if request is not None:
            # Masked once for each page, not once for each form on it.
            values["csrf_token"] = token = SimpleLazyObject(lambda: get_token(request))
            values["csrf_input"] = SimpleLazyObject(lambda: _csrf_input(token))
            for processor in self.backend.template_context_processors:
                values.update(processor(request))
        values.update(context or {})
        tests = sys.modules.get("django.test.signals")  # loaded where tests run
        if tests and tests.template_rendered.receivers:
            tests.template_rendered.send(sender=self, template=self, context=values)
        try:
            return self.template.render(values)
        except jinja2.TemplateSyntaxError as error:
            raise with_source(error) from error


def _csrf_input(token: object) -> Markup:
    return Markup('<input type="hidden" name="csrfmiddlewaretoken" value="%s">') % token


def with_source(error: jinja2.TemplateSyntaxError) -> TemplateSyntaxError:
    """Django's error for Jinja2's, with the lines that its debug page shows."""
    shown = TemplateSyntaxError(error.message)
    shown.template_debug = get_exception_info(error)  # type: ignore[arg-type, attr-defined]
    return shown


def environment(**options: Any) -> jinja2.Environment:
    """The Jinja2 environment with gettext and the few functions and filters that templates use."""
    # Whether to escape is decided by suffix in `escapes`.
    env = jinja2.Environment(**options)  # noqa: S701
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    env.globals["_"] = _gettext
    env.policies["ext.i18n.trimmed"] = True
    env.globals.update(
        alike=alike,
        url=url,
        static=static,
        get_messages=get_messages,
        json_script=json_script,
        get_language=translation.get_language,
        language_bidi=translation.get_language_bidi,
    )
    env.filters.update(count=count, date=date, mail=mail, initials=initials, tint=tint)
    return env


@jinja2.pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> str:
    """What the extension's `_` does, in half the time: a page says it hundreds of times."""
    text = _translation_of(message)
    if context.eval_ctx.autoescape:
        text = Markup(text)  # noqa: S704  (ours, not a visitor's)
    return text % values if "%" in text else text


def escapes(name: str | None) -> bool:
    """Everything is escaped as HTML except .txt: mails, subjects and message texts."""
    return name is None or not name.endswith(".txt")


def refuse_methods(value: Any) -> Any:
    """A printed method is always a forgotten call: say so instead of showing its address."""
    if callable(value) and not isinstance(value, jinja2.Undefined):
        raise TypeError(f"printed, not called: {value!r}")
    return value


def alike(
    macro: Callable[[Mapping[str, Any]], str], rows: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> Markup:
    """What `macro` writes for each of `rows`, which differ in `texts` more than in anything else.

    It is called once for all rows that agree in the rest, and the texts are filled in: that takes a tenth of
    the time. So the macro may only print a text, and ask whether there is one.
    """
    others = rows[0].keys() - set(texts) if rows else ()
    forms: dict[tuple[Any, ...], list[str]] = {}
    written: list[str] = []
    for row in rows:
        looks = (*[row[name] for name in others], *[bool(row[name]) for name in texts])
        form = forms.get(looks)
        if form is None:
            marked = {name: f"\ufdd0{name}\ufdd1" for name in texts if row[name]}
            form = forms[looks] = _MARKED.split(macro({**row, **marked}))
        values = {name: escape(text) if _SPECIAL.search(text := row[name] or "") else text for name in texts}
        parts = form.copy()
        parts[1::2] = [values[name] for name in form[1::2]]
        written += parts
    return Markup("".join(written))  # noqa: S704  (escaped above)


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page."""
    return reverse(name, args=args, kwargs=kwargs)


def format_date(value: dt.date | None, style: str = "short") -> str:
    """`Mar 1, 2026`, with style "long" `March 1, 2026`, with "moment" `Mar 1, 2026, 14:05`; in the viewer's
    zone and language.
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        value = local.replace(second=0, microsecond=0, tzinfo=None)
    return written_date(value, style, translation.get_language())


@lru_cache(10_000)  # lists are looked at again and again, and all of a day have the same one
def written_date(value: dt.date, style: str, language: str) -> str:
    """The same for a local time to the minute, without its zone, while `language` is the active one."""
    if style == "long":
        return formats.date_format(value, translation.pgettext("date in a sentence", "F j, Y"))
    if style == "moment":
        return formats.date_format(value, translation.pgettext("date and time in a list", "M j, Y, H:i"))
    return formats.date_format(value, translation.pgettext("date in a list", "M j, Y"))


def format_duration(value: dt.timedelta) -> str:
    """`7 days`, `36 hours`, `90 minutes`: the largest unit that says it whole."""
    days, hours, minutes = (int(value / dt.timedelta(**{unit: 1})) for unit in ("days", "hours", "minutes"))
    if value == dt.timedelta(days=days):
        return translation.ngettext("%d day", "%d days", days) % days
    if value == dt.timedelta(hours=hours):
        return translation.ngettext("%d hour", "%d hours", hours) % hours
    return translation.ngettext("%d minute", "%d minutes", minutes) % minutes


@jinja2.pass_context  # or Jinja2 would compute it once, in the language of whoever compiles the template
def date(_context: Context, value: dt.date | None, style: str = "short") -> str:
    """`format_date` as a filter."""
    return format_date(value, style)


@jinja2.pass_context
def count(_context: Context, number: int) -> str:
    """`8,412`, and `10,000+` beyond: lists stop counting there."""
    shown = formats.number_format(min(number, COUNT_LIMIT), use_l10n=True, force_grouping=True)
    return f"{shown}+" if number > COUNT_LIMIT else shown


def mail(address: str) -> Markup:
    """An address that breaks before @ and the dots of its domain, and reads left to right anywhere."""
    local, at, domain = str(escape(address)).rpartition("@")
    head = f"{local}<wbr>@" if at else ""
    shown = domain.replace(".", "<wbr>.")
    return Markup(f'<bdi dir="ltr">{head}{shown}</bdi>')  # noqa: S704  (escaped above)


def initials(name: str) -> str:
    """`MT` for Maya Torres; the first letter of an address."""
    words = name.split()
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tint(name: str) -> int:
    """One of five avatar colours, 1 to 5, always the same one for a name."""
    return sum(map(ord, name)) % 5 + 1
