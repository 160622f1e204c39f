"""What REST answers with, for the documentation at /api/docs: responses are built from plain dicts, and a
test holds them against these. One module for each noun; what several of them use is here.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Resource(BaseModel):
    """Something REST answers with: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Actor(Resource):
    """Who did it. The operator has no id."""

    type: Literal["user", "api_key", "operator", "system", "invitee"]
    id: str | None
    name: str
