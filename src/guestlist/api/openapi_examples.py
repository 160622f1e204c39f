"""Examples for the description of the API, made from the schemas that they have to fit."""

from collections.abc import Iterable, Mapping
from typing import Any

from guestlist.api import openapi_words as words

SCHEMAS = "#/components/schemas/"
_PYTHON: Mapping[Any, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "array": list,
    "boolean": bool,
    "null": type(None),
}


def example_of(part: Any, schemas: Mapping[str, Any], name: str = "") -> Any:
    """A value that fits the schema `part` of a field called `name`."""
    if "$ref" in part:
        return example_of(schemas[part["$ref"].removeprefix(SCHEMAS)], schemas, name)
    if "examples" in part or "example" in part:
        return part["examples"][0] if "examples" in part else part["example"]
    if name in words.VALUES and _fits(words.VALUES[name], part):
        return words.VALUES[name]
    if "anyOf" in part:
        return example_of(part["anyOf"][0], schemas, name)
    if "properties" in part:
        owner, fields = part.get("title"), part["properties"]
        return {
            key: words.VALUES.get(f"{owner}.{key}") or example_of(fields[key], schemas, key)
            for key in _shown(part)
        }
    return _plain_example(part, schemas, name)


def _plain_example(part: dict[str, Any], schemas: Mapping[str, Any], name: str) -> Any:
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return next((value for value in part["enum"] if value), "")
    if part.get("type") == "array":
        return [example_of(part["items"], schemas, name.removesuffix("s"))]
    if part.get("format") == "date-time":
        return words.TIME
    if part.get("format") == "uuid" or name.endswith("_id"):
        return words.VALUES["id"]
    empty: dict[Any, Any] = {"integer": part.get("minimum", 0), "number": 0, "boolean": False, "object": {}}
    return empty.get(part.get("type"), part.get("default") or "…")


def _shown(part: dict[str, Any]) -> Iterable[str]:
    """The fields that an example shows: those that are needed, or else the first one."""
    needed = [*part.get("required", ()), *part.get("oneOf", [{}])[0].get("required", ())]
    if not needed:
        return list(part["properties"])[:1]
    telling = [key for key in ("email", "invitation") if key in part["properties"]]
    return dict.fromkeys(needed + telling)


def _fits(value: Any, part: dict[str, Any]) -> bool:
    kinds = [option.get("type") for option in part.get("anyOf", [part])]
    return "enum" not in part and any(isinstance(value, _PYTHON.get(kind, ())) for kind in kinds)
