"""JSON in and out: strict on the way in, ASCII on the way out."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from guestlist import errors
from guestlist.api.errors import InvalidJson, MethodNotAllowed, UnsupportedMediaType, problem
from guestlist.permissions import all_permissions

MAX_BODY = 4_000_000
MOST_NAMES = 100
T = TypeVar("T")
# A list of which the first item that is wrong is named: millions of them would be as many errors in memory.
Each = Annotated[list[T], FailFast()]
View = Callable[..., HttpResponseBase]


class Body(BaseModel):
    """A body of known fields and exact types: what is unknown is refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


# What of a body can only be said of its fields together, for the description of the API.
AT_LEAST_ONE = ConfigDict(json_schema_extra={"minProperties": 1})


def either(*fields: str) -> ConfigDict:
    """A body that holds one of these fields and no second one of them."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [field]} for field in fields]})


def ids_or(*filters: str) -> ConfigDict:
    """A body that holds ids, or filters, and never both."""
    by_ids: dict[str, Any] = {"required": ["ids"], "properties": dict.fromkeys(filters, False)}
    some: list[Any] = [{"required": [name]} for name in filters]
    by_filter: dict[str, Any] = {"anyOf": some, "properties": {"ids": False}}
    return ConfigDict(json_schema_extra={"oneOf": [by_ids, by_filter]})


def _storable(text: str) -> str:
    """No database takes NUL or half a surrogate pair."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise PydanticCustomError(
            "unsupported_character", "This holds a character that can’t be searched for"
        )
    return text


PermissionCode = Annotated[str, WithJsonSchema({"type": "string", "enum": sorted(all_permissions())})]
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


def rows_answer(data: Any) -> HttpResponse:
    """`answer` for many rows out of the database, which has no half of a surrogate pair."""
    return HttpResponse(orjson.dumps(data), content_type="application/json")


def shown_once(data: Any, status: int = 200) -> HttpResponse:
    """`answer` with a secret in it: nobody on the way keeps it."""
    response = answer(data, status)
    response["Cache-Control"] = "no-store"
    return response


def guarded(view: View) -> View:
    """A view that refuses what is too large before reading it, answers 405 as a problem, HEAD as GET without
    the body (which the server leaves out), and OPTIONS with the methods.
    """

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _declared_length(request) > MAX_BODY:
            return problem(errors.InputTooLarge())
        asked = request.method
        request.method = "GET" if asked == "HEAD" else asked
        try:
            response = view(request, *args, **kwargs)
        finally:
            request.method = asked
        return _other_method(request, response) if response.status_code == 405 else response

    return guard


def strict(view: View) -> View:
    """A view that refuses parameters that it does not know, and a body where it takes none. `{}`, which many
    clients send, is none.
    """
    operation: Operation = view._ninja_operation  # type: ignore[attr-defined]  # set by ninja
    if not operation.include_in_schema:
        return view
    known = _names(operation, "query")
    takes_body = any(model.__ninja_param_source__ == "body" for model in operation.models)

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        for unknown in sorted(request.GET.keys() - known):
            raise errors.InvalidInput.of(unknown[:200], "unknown_field", "There is no such parameter.")
        if not takes_body and request.body.strip() not in (b"", b"{}"):
            raise errors.InvalidInput.of("body", "unknown_field", "This call takes no body.")
        return view(request, *args, **kwargs)

    return checked


def _names(operation: Operation, source: str) -> set[str]:
    """The parameters that an operation takes; a list takes those of its query class."""
    models = [model for model in operation.models if model.__ninja_param_source__ == source]
    return {name for model in models for name in model.__ninja_flatten_map__}


def _other_method(request: HttpRequest, refused: HttpResponseBase) -> HttpResponse:
    allowed = {*refused.headers["Allow"].split(", "), "OPTIONS"}
    if "GET" in allowed:
        allowed.add("HEAD")
    answered = HttpResponse(status=204) if request.method == "OPTIONS" else problem(MethodNotAllowed())
    answered["Allow"] = ", ".join(sorted(allowed))
    return answered


def _declared_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _encoded(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise errors.InvalidInput.of("body", "unknown_field", f"No call takes more than {MOST_NAMES} fields.")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    for name in found:
        name.encode()  # UnicodeEncodeError, a ValueError, where half a surrogate pair is part of it
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
