"""The REST API, put together. A project mounts it: `path("api/v1/", api.urls)`."""

from typing import Any, NoReturn, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from ninja import NinjaAPI, Router

from guestlist import errors
from guestlist.api import deliveries, invitations, members, organizations
from guestlist.api.auth import ApiKeyAuth
from guestlist.api.bodies import JsonParser, JsonRenderer, View, guarded
from guestlist.api.docs import Docs
from guestlist.api.errors import install

ORGANIZATION = "/organizations/{slug}"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Api(NinjaAPI):
    """Ninja, with every view guarded."""

    @property
    def urls(self) -> tuple[list[Any], str, str]:
        """What `path` takes."""
        patterns, app, namespace = super().urls
        for pattern in patterns:
            pattern.callback = login_not_required(guarded(cast("View", pattern.callback)))
        return patterns, app, namespace


fallback = Router()


@fallback.api_operation(METHODS, "/", auth=None, include_in_schema=False, url_name="nothing-at-root")
def nothing_at_root(request: HttpRequest) -> NoReturn:
    """There is nothing at the root."""
    raise errors.NotFound


@fallback.api_operation(METHODS, "/{path:rest}", auth=None, include_in_schema=False)
def nothing_here(request: HttpRequest, rest: str) -> NoReturn:
    """An address that is none is a problem like any other."""
    raise errors.NotFound


api = Api(
    title="Guestlist",
    version="1.0",
    description="Invite people by e-mail, see who is in, and what they may do. "
    "Errors are `application/problem+json`; `code` says what happened.",
    docs=Docs(),
    docs_url="/docs",
    urls_namespace="guestlist-api",
    auth=ApiKeyAuth(),
    parser=JsonParser(),
    renderer=JsonRenderer(),
)
install(api)
api.add_router(ORGANIZATION, organizations.router)
api.add_router(f"{ORGANIZATION}/invitations", invitations.router)
api.add_router(f"{ORGANIZATION}/members", members.router)
api.add_router(ORGANIZATION, deliveries.router)
api.add_router("", fallback)
