"""Bodies that change something: what is not given stays."""

from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from guestlist.api.bodies import AT_LEAST_ONE, Body


class Change(Body):
    """A body of which each field can be left out, but not all: a change of nothing is a mistake."""

    model_config = AT_LEAST_ONE

    @model_validator(mode="after")
    def something(self) -> Self:
        """At least one field is given."""
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_given", "Give at least one field")
        return self
