"""Organizations as REST shows them."""

from guestlist.api.resources import Resource


class Organization(Resource):
    """The group that people belong to."""

    id: str
    slug: str
    name: str
    created_at: str
