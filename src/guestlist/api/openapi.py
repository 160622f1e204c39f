"""The description of the API, completed in one place: what ninja can't know about every operation.

An operation says what is its own: summary, docstring, parameters, body, answer. A refusal of its own is a
code in backticks in the docstring, `not_pending`; its status and its sentence are found in the error.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from guestlist import errors
from guestlist.api import errors as own
from guestlist.api import openapi_words as words
from guestlist.api.openapi_examples import SCHEMAS, example_of

Schema = dict[str, Any]
Refusals = dict[str, list[type[errors.GuestlistError]]]
METHODS = ("get", "put", "post", "patch", "delete")
# What any call can be refused with, and what one that takes a body can be refused with besides.
ALWAYS: tuple[type[errors.GuestlistError], ...] = (
    own.BadRequest,
    own.BodyIncomplete,
    errors.NotSignedIn,
    errors.NotAllowed,
    errors.NotFound,
    errors.InputTooLarge,
    errors.InvalidInput,
    errors.TooManyTries,
    own.Unexpected,
    own.Unavailable,
)
WITH_BODY = (own.InvalidJson, own.UnsupportedMediaType)
LISTS = (errors.InvalidFilter, errors.InvalidCursor)
POSTS = (errors.IdempotencyKeyInvalid, errors.IdempotencyKeyReused)
_CODE = re.compile(r"`([a-z_]+)`")
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")


def complete(schema: Schema, base: str) -> Schema:
    """The description that ninja made, with all that holds for every operation; `base` is where it is."""
    operations = list(_operations(schema))
    for part in schema["components"]["schemas"].values():
        _tidy(part)
    for _path, method, operation in operations:
        _complete(schema, method, operation)
    _link(operations)
    used = {tag for _path, _method, operation in operations for tag in operation["tags"]}
    schemas = _referenced(schema) | {"Problem": words.PROBLEM, "FieldError": words.FIELD_ERROR}
    schema["components"]["schemas"] = dict(sorted(schemas.items()))
    return schema | {
        "info": schema["info"] | {"license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": base, "description": "This server."}],
        "tags": [{"name": tag, "description": text} for tag, text in words.TAGS.items() if tag in used],
    }


def catalogue() -> dict[str, list[type[errors.GuestlistError]]]:
    """Every refusal by its code; a few codes have more than one sentence."""
    found: dict[str, list[type[errors.GuestlistError]]] = {}
    for kind in _below(errors.GuestlistError):
        found.setdefault(kind.code, []).append(kind)
    return found


def _operations(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def _complete(schema: Schema, method: str, operation: Schema) -> None:
    schemas = schema["components"]["schemas"]
    operation["description"] = _LINE_END.sub(" ", operation.get("description", ""))
    operation.setdefault("tags", [])
    if method == "post":
        operation["parameters"].append(copy.deepcopy(words.IDEMPOTENCY_KEY))
    for parameter in operation["parameters"]:
        _describe(parameter)
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        content["example"] = example_of(content["schema"], schemas)
    answers = {
        str(status): _answer(status, response, schemas)
        for status, response in sorted(operation["responses"].items())
    }
    operation["responses"] = answers | {
        str(status): _shared(schema, status, kinds) for status, kinds in _refusals(method, operation).items()
    }
    headers = words.REPLAYED_HEADER if method == "post" else {}
    if "RateLimit" in operation["description"] or "Retry-After" in operation["description"]:
        headers = headers | words.LIMIT_HEADERS
    for response in answers.values() if headers else ():
        response["headers"] = headers


def _describe(parameter: Schema) -> None:
    """Name, meaning and example of a parameter. What is left out is no null in an address."""
    part = parameter["schema"]
    _tidy({"properties": {"it": part}})
    options = [option for option in part.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        del part["anyOf"]
        part |= options[0]
    part.pop("description", None)
    if parameter["in"] != "path":
        return
    part["minLength"] = 1
    parameter["example"] = words.VALUES["slug"]
    if parameter["name"] != "slug":
        noun = parameter["name"].removesuffix("_id").replace("_", " ")
        parameter["description"] = f"Id of the {noun}."
        parameter["schema"], parameter["example"] = {"type": "string", "format": "uuid"}, words.VALUES["id"]
    else:
        parameter["description"] = words.SLUG


def _answer(status: int, response: Schema, schemas: Mapping[str, Any]) -> Schema:
    """What a call answers when it says yes, with an example."""
    response["description"] = "Done; there is nothing more to say." if status == 204 else "Done."
    for media_type, content in response.get("content", {}).items():
        if media_type == "application/json" and "$ref" in content["schema"]:
            found = schemas[content["schema"]["$ref"].removeprefix(SCHEMAS)]
            response["description"] = _LINE_END.sub(" ", found.get("description", "Done."))
            content["example"] = example_of(content["schema"], schemas)
    return response


def _refusals(method: str, operation: Schema) -> dict[int, Refusals]:
    """What the call can be refused with, by status and code."""
    kinds = list(ALWAYS)
    if "requestBody" in operation:
        kinds += WITH_BODY
    queries = [parameter for parameter in operation["parameters"] if parameter["in"] == "query"]
    if any("enum" in parameter["schema"] for parameter in queries):
        kinds.append(errors.InvalidFilter)
    if any(parameter["name"] == "cursor" for parameter in queries):
        kinds.append(errors.InvalidCursor)
    if method == "post":
        kinds += POSTS
    if "Needs no permission" in operation["description"]:
        kinds.remove(errors.NotAllowed)
    known = catalogue()
    named = [kind for code in _CODE.findall(operation["description"]) for kind in known.get(code, ())]
    found: dict[int, Refusals] = {}
    for kind in sorted(dict.fromkeys(kinds + named), key=lambda kind: kind.status):
        found.setdefault(kind.status, {}).setdefault(kind.code, []).append(kind)
    return found


def _shared(schema: Schema, status: int, kinds: Refusals) -> Schema:
    """A refusal: what many calls share is described once."""
    shared: list[type[errors.GuestlistError]] = [*ALWAYS, *WITH_BODY, *LISTS, *POSTS]
    common = {kind.code for kind in shared}
    if not kinds.keys() <= common:
        return _refusal(status, kinds)
    name = "Or".join(code.title().replace("_", "") for code in kinds)
    schema["components"].setdefault("responses", {})[name] = _refusal(status, kinds)
    return {"$ref": f"#/components/responses/{name}"}


def _refusal(status: int, kinds: Refusals) -> Schema:
    """The answer of one status, with each code that it can have."""
    lines = [f"* `{code}`: {_sentence(found[0])}" for code, found in kinds.items()]
    examples = {code: {"value": _problem(found[0])} for code, found in kinds.items()}
    content = {"schema": {"$ref": f"{SCHEMAS}Problem"}, "examples": examples}
    response: Schema = {"description": "\n".join(lines), "content": {"application/problem+json": content}}
    if status in words.HEADERS:
        response["headers"] = words.HEADERS[status]
    return response


def _problem(kind: type[errors.GuestlistError]) -> Schema:
    sentence = _sentence(kind)
    found: Schema = {
        "type": "about:blank",
        "title": sentence,
        "status": kind.status,
        "detail": sentence,
        "code": kind.code,
    }
    if kind.field:
        found["errors"] = [{"field": kind.field, "code": kind.code, "detail": sentence}]
    if kind is errors.InvalidInput:
        found["errors"] = [{"field": "colour", "code": "unknown_field", "detail": "There is no such field."}]
    return found | {key: words.EXTENSIONS[key]["examples"][0] for key in kind.shown if key != "errors"}


def _sentence(kind: type[errors.GuestlistError]) -> str:
    """What people read, in English, with something in place of what differs."""
    text = " ".join((kind.__doc__ or "").split())
    return re.sub(r"{(\w+)}", lambda found: words.PARTS.get(found[1], "…"), text)


def _link(operations: list[tuple[str, str, Schema]]) -> None:
    """From each list, and from whatever makes one thing, to all that can be done with it."""
    for path, method, operation in operations:
        parameters = {parameter["name"] for parameter in operation["parameters"]}
        if method == "get" and "cursor" in parameters:
            answer, place = operation["responses"]["200"], "/items/0/id"
        elif method == "post" and "id" in _example(answer := operation["responses"].get("201", {})):
            place = "/id"
        else:
            continue
        below = re.compile(re.escape(path) + r"/{(\w+_id)}(/[a-z-]+)?")
        found = [(other, match[1]) for to, _method, other in operations if (match := below.fullmatch(to))]
        own = {"slug": "$request.path.slug"} if "slug" in parameters else {}
        links = {
            (name := other["operationId"]): {
                "operationId": name,
                "parameters": own | {parameter: f"$response.body#{place}"},
            }
            for other, parameter in found
        }
        if links:
            answer["links"] = links


def _example(answer: Schema) -> Schema:
    found: Schema = answer.get("content", {}).get("application/json", {}).get("example", {})
    return found


def _referenced(schema: Schema) -> Schema:
    """The schemas that some operation refers to, directly or not."""
    schemas, found = schema["components"]["schemas"], {}
    waiting = re.findall(rf"'{SCHEMAS}(\w+)'", str(schema["paths"]))
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in found:
            found[name] = schemas[name]
            waiting += re.findall(rf"'{SCHEMAS}(\w+)'", str(schemas[name]))
    return found


def _tidy(part: Schema) -> None:
    """No titles that repeat names, sentences without line ends, and times that say so."""
    if "description" in part:
        part["description"] = _LINE_END.sub(" ", part["description"])
    for name, field in part.get("properties", {}).items():
        if isinstance(field.get("title"), str):
            del field["title"]
        if name == "at" or name.endswith("_at"):
            for option in field.get("anyOf", [field]):
                if option.get("type") == "string":
                    option["format"] = "date-time"


def _below(kind: type[errors.GuestlistError]) -> Iterator[type[errors.GuestlistError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
