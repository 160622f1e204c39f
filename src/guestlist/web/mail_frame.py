"""A message as a page that shows it: what mail programs get as inline styles, within a strict policy."""

import secrets
from html import escape
from html.parser import HTMLParser

from django.http import HttpResponse

# Its styles and nothing else: no script, no picture, no form, and no page of another site around it.
_POLICY = (
    "default-src 'none'; style-src 'nonce-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def mail_frame(html: str) -> HttpResponse:
    """The message for an `<iframe>`. Every style attribute becomes a rule of a style sheet that the policy
    knows by its nonce; links lead nowhere.
    """
    nonce = secrets.token_urlsafe(16)
    page = _Page(nonce)
    page.feed(html)
    page.close()
    return HttpResponse(page.html, headers={"Content-Security-Policy": _POLICY.format(nonce)})


class _Page(HTMLParser):
    def __init__(self, nonce: str) -> None:
        super().__init__(convert_charrefs=False)
        self.nonce = nonce
        self.parts: list[str] = []
        # What browsers do to links that lead somewhere.
        self.rules = ["a { color: LinkText; text-decoration: underline }"]

    @property
    def html(self) -> str:
        """The page, with the rules where the head ends."""
        rules = "\n".join(self.rules).replace("<", "")
        sheet = f'<style nonce="{self.nonce}">\n{rules}\n</style>'
        head, end, body = "".join(self.parts).partition("</head>")
        return f"{head}{sheet}{end}{body}" if end else f"{sheet}{head}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The tag, its style as a class."""
        given = {name: value or "" for name, value in attrs if name != "href"}
        if style := given.pop("style", ""):
            name = f"style-{len(self.rules) - 1}"
            # Twice, for an attribute counts more than the message's own rules.
            self.rules.append(f".{name}.{name} {{ {style} }}")
            given["class"] = f"{given.get('class', '')} {name}".strip()
        if tag == "style":
            given["nonce"] = self.nonce
        attributes = [f' {name}="{escape(value, quote=True)}"' for name, value in given.items()]
        self.parts.append(f"<{tag}{''.join(attributes)}>")

    def handle_endtag(self, tag: str) -> None:
        """As it is."""
        self.parts.append(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that holds nothing."""
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        """As it is: text, or what stands in a style sheet."""
        self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        """As it is."""
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """As it is."""
        self.parts.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        """The document type."""
        self.parts.append(f"<!{decl}>")
