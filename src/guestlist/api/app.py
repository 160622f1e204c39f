"""The REST API, put together. A project mounts it: `path("api/v1/", api.urls)`."""

from typing import Any, NoReturn, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from guestlist import errors
from guestlist.api import (
    api_keys,
    deliveries,
    domains,
    events,
    invitations,
    join_links,
    join_requests,
    members,
    organizations,
    roles,
    webhooks,
)
from guestlist.api.auth import ApiKeyAuth
from guestlist.api.bodies import JsonParser, JsonRenderer, View, guarded, strict
from guestlist.api.docs import Docs
from guestlist.api.errors import install
from guestlist.api.idempotency import idempotent
from guestlist.api.openapi import complete
from guestlist.api.openapi_words import INTRODUCTION

ORGANIZATION = "/organizations/{slug}"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Api(NinjaAPI):
    """Ninja, with every view guarded, and its description completed."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.described: dict[str, OpenAPISchema] = {}

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """`send_invitations`, as the function is called."""
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description, with paths below the address at which a project has mounted the API."""
        base = path_prefix or self.get_root_path(path_params or {})
        if base not in self.described:
            schema = super().get_openapi_schema(path_prefix="")
            schema.update(complete(schema, base.rstrip("/") or "/"))
            self.described[base] = schema
        return self.described[base]

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
    description=INTRODUCTION,
    docs=Docs(),
    docs_url="/docs",
    urls_namespace="guestlist-api",
    auth=ApiKeyAuth(),
    parser=JsonParser(),
    renderer=JsonRenderer(),
)
install(api)
api.add_decorator(idempotent(api))
api.add_decorator(strict, mode="operation")
api.add_router(ORGANIZATION, organizations.router)
api.add_router(f"{ORGANIZATION}/invitations", invitations.router)
api.add_router(f"{ORGANIZATION}/members", members.router)
api.add_router(ORGANIZATION, deliveries.router)
api.add_router(ORGANIZATION, members.downloads)
api.add_router(ORGANIZATION, events.router)
api.add_router(f"{ORGANIZATION}/roles", roles.router)
api.add_router(f"{ORGANIZATION}/join-links", join_links.router)
api.add_router(f"{ORGANIZATION}/domains", domains.router)
api.add_router(f"{ORGANIZATION}/join-requests", join_requests.router)
api.add_router("/permissions", roles.permissions_router)
api.add_router(f"{ORGANIZATION}/api-keys", api_keys.router)
api.add_router(f"{ORGANIZATION}/webhooks", webhooks.router)
api.add_router("", fallback)
