"""Who is calling: an API key in the Authorization header, never the session cookie."""

from typing import cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from guestlist import errors
from guestlist.actions.api_keys import authenticate
from guestlist.actions.guesses import count_guess
from guestlist.actions.slugs import was_called
from guestlist.actors import Actor, Origin
from guestlist.api import openapi_words as words
from guestlist.models import Organization


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer glk_…`"""

    openapi_bearerFormat = "glk_…"  # noqa: N815  (so it is called there)
    openapi_description = words.KEY

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """The key behind the header. Raises NotSignedIn, TooManyTries."""
        origin = Origin.of_request("api", request.META)
        try:
            return authenticate(secret=token.strip(), origin=origin)
        except errors.NotSignedIn:
            count_guess(ip=origin.ip)
            raise


def actor_of(request: HttpRequest) -> Actor:
    """The key that this request was let in with."""
    return cast("Actor", request.auth)  # type: ignore[attr-defined]  # set by ninja


def organization_of(actor: Actor, slug: str) -> Organization:
    """The key's organization, if `slug` is its short name or was. Raises NotFound, the same for every other
    slug.
    """
    organization: Organization = actor.subject.organization
    if organization.slug != slug and not was_called(organization, slug):
        raise errors.NotFound
    return organization
