"""Organizations and their settings over REST."""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.lifetimes import clean_lifetime
from guestlist.actions.mail_settings import parse_accent, parse_language, parse_reminder_days
from guestlist.actions.organization_settings import update_settings
from guestlist.actions.organizations import update_organization
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Each, answer
from guestlist.api.changes import Change
from guestlist.api.resources import organizations as resources
from guestlist.mail_domains import parse_patterns
from guestlist.permissions import Permission

router = Router(tags=["Organizations"])


def _as_typed(parse: Callable[[str], Any]) -> AfterValidator:
    """Text that an action understands: what is wrong with each field is said of it, and of all at once."""

    def check(value: Any) -> str:
        text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
        try:
            parse(text)
        except errors.GuestlistError as error:
            # It repeats what was typed, and pydantic takes no half of a surrogate pair.
            said = str(error).removesuffix(".").encode("utf-8", "replace").decode()
            raise PydanticCustomError(error.code, "{said}", {"said": said}) from error
        return text

    return AfterValidator(check)


class OrganizationChange(Change):
    """What can be changed of an organization; what is not given stays."""

    name: str = Field(default_factory=str, description="What people see.", examples=["Northwind"])
    slug: str = Field(
        default_factory=str, description="Its short name, in addresses.", examples=["northwind"]
    )


class SettingsChange(Change):
    """What can be set; what is not given stays."""

    accent: Annotated[str, _as_typed(parse_accent)] = Field(
        default_factory=str, description="Colour of its mail; empty is the usual one.", examples=["#1f6feb"]
    )
    language: Annotated[str, _as_typed(parse_language)] = Field(
        default_factory=str, description="Language of its mail; empty is the server's.", examples=["de"]
    )
    reminder_days: Annotated[Each[int], _as_typed(parse_reminder_days)] = Field(
        default_factory=list,
        description="Days after a mail at which a pending invitation is brought to mind.",
        examples=[[3]],
    )
    digests: bool = Field(
        default_factory=bool, description="Whether inviters are told once a day what expired and bounced."
    )
    invitation_lifetime: Annotated[str, _as_typed(clean_lifetime)] = Field(
        default_factory=str,
        description="How long invitations can be accepted; empty is the server's.",
        examples=["7d"],
    )
    allowed_domains: Annotated[Each[str], _as_typed(parse_patterns)] = Field(
        default_factory=list,
        description="Where invitations may go; none is anywhere.",
        examples=[["acme.com", "*.acme.com"]],
    )
    denied_domains: Annotated[Each[str], _as_typed(parse_patterns)] = Field(
        default_factory=list, description="Where they never go.", examples=[["example.com"]]
    )
    new_member_role: str | None = Field(
        default_factory=lambda: None, description="Id of the role that whoever joins gets; null is none."
    )
    require_two_factor: bool = Field(
        default_factory=bool, description="Whether members get in with two-factor authentication only."
    )

    def typed(self) -> dict[str, Any]:
        """As the action takes it."""
        names = {
            "invitation_lifetime": "lifetime",
            "new_member_role": "new_member_role_id",
            "require_two_factor": "two_factor",
        }
        return {names.get(name, name): getattr(self, name) for name in self.model_fields_set}


@router.get("", response=resources.Organization, summary="Show the organization")
def get_organization(request: HttpRequest, slug: Path[str]) -> HttpResponse:
    """The organization that the key belongs to. Needs no permission."""
    return answer(organization_of(actor_of(request), slug).as_resource())


@router.patch("", response=resources.Organization, summary="Rename the organization")
def patch_organization(request: HttpRequest, slug: Path[str], payload: OrganizationChange) -> HttpResponse:
    """Changes its name, its short name, or both; the old short name still leads there. Needs
    `organization.update`. 409 `slug_taken` where another organization has the short name, or had it; 422
    `name_empty`, `name_has_link`, `slug_invalid`.
    """
    actor = actor_of(request)
    changed = update_organization(
        actor=actor, organization=organization_of(actor, slug), **payload.model_dump(exclude_unset=True)
    )
    return answer(changed.as_resource())


@router.get("/settings", response=resources.Settings, summary="Show the settings")
def get_settings(request: HttpRequest, slug: Path[str]) -> HttpResponse:
    """Whatever can be set of the organization besides its names. Needs `organization.update`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.ORGANIZATION_UPDATE)
    return answer(organization.as_settings())


@router.patch("/settings", response=resources.Settings, summary="Change the settings")
def patch_settings(request: HttpRequest, slug: Path[str], payload: SettingsChange) -> HttpResponse:
    """All that are given, or none where one is refused. Needs `organization.update`, and every permission of
    a role that new members are to get: 403 `above_own_role` otherwise. 409 `two_factor_unknown` where the
    server has no two-factor authentication to require; 422 names each field that will not do.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    try:
        changed = update_settings(actor=actor, organization=organization, **payload.typed())
    except (errors.UnknownRole, errors.OwnerNotForNewMembers) as error:
        raise errors.InvalidInput.of("new_member_role", error.code, str(error)) from error
    return answer(changed.as_settings())
