"""Organizations as REST shows them."""

from guestlist.api.resources import Resource
from guestlist.api.resources.members import RoleReference


class Organization(Resource):
    """The group that people belong to."""

    id: str
    slug: str
    name: str
    created_at: str


class Settings(Resource):
    """What can be set of an organization besides its names. An empty text is the server's choice."""

    accent: str
    language: str
    reminder_days: list[int]
    digests: bool
    invitation_lifetime: str
    allowed_domains: list[str]
    denied_domains: list[str]
    new_member_role: RoleReference | None
    require_two_factor: bool
