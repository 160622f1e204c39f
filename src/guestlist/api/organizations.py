"""Organizations over REST."""

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from guestlist.actions.organizations import update_organization
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, answer
from guestlist.api.resources import organizations as resources

router = Router(tags=["Organizations"])


class Rename(Body):
    """What can be changed of an organization."""

    name: str


@router.get("", response=resources.Organization, summary="Show the organization")
def get_organization(request: HttpRequest, slug: Path[str]) -> HttpResponse:
    """The organization that the key belongs to. Needs no permission."""
    return answer(organization_of(actor_of(request), slug).as_resource())


@router.patch("", response=resources.Organization, summary="Rename the organization")
def patch_organization(request: HttpRequest, slug: Path[str], payload: Rename) -> HttpResponse:
    """Needs `organization.update`."""
    actor = actor_of(request)
    renamed = update_organization(actor=actor, organization=organization_of(actor, slug), name=payload.name)
    return answer(renamed.as_resource())
