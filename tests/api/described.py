"""Whether an answer is one that the description of the API tells of: asked of every answer in these tests."""

import re
from functools import cache
from typing import Any

import jsonschema_rs

from guestlist.api.app import api

BASE = "/api/v1"


def assert_described(method: str, url: str, response: Any) -> None:
    """The status, the code of a refusal and the shape of what is answered are in the description."""
    operation = _operation(method, url.partition("?")[0].removeprefix(BASE))
    if operation is None:
        return
    name, status = operation["operationId"], str(response.status_code)
    assert status in operation["responses"], f"{name} does not tell of {status}: {response.content[:300]!r}"
    answer = _resolved(operation["responses"][status])
    media_type = response.get("Content-Type", "").partition(";")[0]
    if response.status_code >= 400:
        examples = answer["content"]["application/problem+json"]["examples"]
        code = response.data["code"]
        assert code in examples, f"the docstring of {name} does not tell of {status} `{code}`"
    if media_type.endswith("json") and response.content:
        _validator(name, status, media_type).validate(response.data)


@cache
def _schema() -> dict[str, Any]:
    return api.get_openapi_schema(path_prefix=f"{BASE}/")


@cache
def _operations() -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
    """Every operation, those of one place before those of any: `/revoke` before `/{id}`."""
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path)), method.upper(), operation)
        for path, methods in sorted(_schema()["paths"].items(), key=lambda item: item[0].count("{"))
        for method, operation in methods.items()
    ]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    """What answers there; nothing does at an unknown address, or for another method."""
    places = [(found, own) for pattern, own, found in _operations() if pattern.fullmatch(path)]
    return next((found for found, own in places if own == method), None)


@cache
def _validator(name: str, status: str, media_type: str) -> jsonschema_rs.Validator:
    operation = next(found for _, _, found in _operations() if found["operationId"] == name)
    content = _resolved(operation["responses"][status])["content"]
    schema = {**content[media_type]["schema"], "components": _schema()["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = _schema()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found
