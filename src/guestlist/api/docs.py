"""The page at /api/docs, with nothing loaded from elsewhere and no script inside the page."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

# As strict as on the other pages, but for the arrows that Swagger's style sheet holds as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title>
<link rel="icon" href="{icon}" type="image/svg+xml">
<link rel="stylesheet" href="{style}">
</head>
<body>
<script type="application/json" id="swagger-settings">{settings}</script>
<div id="swagger-ui"></div>
<script src="{bundle}"></script>
<script src="{start}"></script>
</body>
</html>
"""


class Docs(DocsBase):
    """Swagger UI from the files that come with ninja; they need "ninja" in INSTALLED_APPS."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """The page. Its settings are our own, so they can stand in it as they are."""
        settings = {"url": self.get_openapi_url(api, kwargs), "layout": "BaseLayout", "deepLinking": True}
        page = format_html(
            _PAGE,
            title=api.title,
            icon=static("ninja/favicon.svg"),
            style=static("ninja/swagger-ui.css"),
            bundle=static("ninja/swagger-ui-bundle.js"),
            start=static("ninja/swagger-ui-init.js"),
            settings=mark_safe(json.dumps(settings)),  # noqa: S308  (no input gets into it)
        )
        return HttpResponse(page, headers={"Content-Security-Policy": _POLICY})
