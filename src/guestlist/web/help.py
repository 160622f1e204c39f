"""How to use Guestlist: the text that ships with it, as a page for everybody."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

PICTURES = "guestlist/help/"
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(slots=True)
class Heading:
    """A line of the table of contents, with those below it."""

    anchor: str
    text: str
    questions: list["Heading"] = field(default_factory=list)


@require_safe
@login_not_required
def show(request: HttpRequest) -> HttpResponse:
    """The help, signed in or not."""
    html, contents = rendered()
    return render(request, "guestlist/help.html", {"html": html, "contents": contents})


@cache
def rendered() -> tuple[str, Sequence[Heading]]:
    """The text as HTML, and its headings."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse((files("guestlist") / "help" / "use.md").read_text("utf-8"))
    contents = _with_anchors(tokens)
    for token in tokens:
        for image in token.children or ():
            if image.type == "image":
                _place(image)
    return markdown.renderer.render(tokens, markdown.options, {}), contents


def _with_anchors(tokens: Sequence[Token]) -> Sequence[Heading]:
    """Give each heading the id that documentation tools give it as well."""
    sections: list[Heading] = []
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        anchor = _NOT_IN_ANCHORS.sub("", inline.content.lower()).replace(" ", "-")
        opening.attrSet("id", anchor)
        level = sections if opening.tag == "h2" else sections[-1].questions
        level.append(Heading(anchor, inline.content))
    return sections


def _place(image: Token) -> None:
    """Lead to the static file, and keep its place free while it loads."""
    name = str(image.attrGet("src")).rpartition("/")[2]
    # A PNG file says its size in these bytes.
    header = (files("guestlist") / "static" / PICTURES / name).read_bytes()[16:24]
    image.attrSet("src", static(PICTURES + name))
    image.attrSet("width", str(int.from_bytes(header[:4], "big")))
    image.attrSet("height", str(int.from_bytes(header[4:], "big")))
    image.attrSet("loading", "lazy")
