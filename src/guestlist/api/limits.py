"""What is left of the limits, as headers (draft-ietf-httpapi-ratelimit-headers)."""

from django.http import HttpResponse

from guestlist import errors
from guestlist.actions.limits import shares
from guestlist.actors import Actor
from guestlist.models import Organization


def with_limits(response: HttpResponse, actor: Actor, organization: Organization) -> HttpResponse:
    """`response`, with what the limits are and what is left of each."""
    found = shares(actor=actor, organization=organization)
    if found:
        policies = (f'"{s.name}";q={s.limit.count};w={s.limit.period.total_seconds():.0f}' for s in found)
        response["RateLimit-Policy"] = ", ".join(policies)
        response["RateLimit"] = ", ".join(f'"{s.name}";r={s.left};t={s.seconds}' for s in found)
    return response


def headers_of(error: errors.GuestlistError) -> dict[str, str]:
    """When to try again, and what is left of the limit that refused."""
    if not isinstance(error, errors.LimitReached):
        return {}
    values = error.values
    left = f'"{values["limit"]}";r={values["left"]:d};t={values["retry_after"]}'
    return {"Retry-After": str(values["retry_after"]), "RateLimit": left}
