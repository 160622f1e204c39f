"""JSON in and out: strict on the way in, ASCII on the way out."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.api.errors import InvalidJson, MethodNotAllowed, UnsupportedMediaType, problem

MAX_BODY = 4_000_000
View = Callable[..., HttpResponseBase]


class Body(BaseModel):
    """A body of known fields and exact types: what is unknown is refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _storable(text: str) -> str:
    """No database takes NUL or half a surrogate pair."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise PydanticCustomError(
            "unsupported_character", "This holds a character that can’t be searched for"
        )
    return text


Search = Annotated[str, StringConstraints(max_length=320), AfterValidator(_storable)]


class JsonParser(Parser):
    """JSON in UTF-8 that says so in its Content-Type, and names no field twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises UnsupportedMediaType, InvalidJson."""
        if request.content_type != "application/json":
            raise UnsupportedMediaType
        try:
            # The C scanner raises RecursionError on deep nesting; UnicodeDecodeError is a ValueError.
            text = request.body.decode("utf-8")
            return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidJson from error


class JsonRenderer(BaseRenderer):
    """JSON that is ASCII only, so that lone surrogates come back as the escapes they came as."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """`data` as bytes."""
        return _encoded(data)


def answer(data: Any, status: int = 200) -> HttpResponse:
    """`data`, made of plain dicts and lists, as the response: no model walks over it again."""
    return HttpResponse(_encoded(data), status=status, content_type="application/json")


def guarded(view: View) -> View:
    """A view that refuses what is too large before reading it, and answers 405 as a problem."""

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _declared_length(request) > MAX_BODY:
            return problem(errors.InputTooLarge())
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            refusal = problem(MethodNotAllowed())
            refusal["Allow"] = response.headers["Allow"]
            return refusal
        return response

    return guard


def _declared_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _encoded(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    for name in found:
        name.encode()  # UnicodeEncodeError, a ValueError, where half a surrogate pair is part of it
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
