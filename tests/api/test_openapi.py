"""The description of the API, as a developer reads it and as generators of clients do.

It is kept as text in openapi.json beside this file, so that a change of it is seen. To renew it:

    RENEW=1 bin/test -q tests/api/test_openapi.py
"""

import json
import os
import re
from pathlib import Path

import jsonschema_rs
import pytest

from guestlist.api import bodies, openapi, resources
from guestlist.api import openapi_words as words
from guestlist.api.app import api
from guestlist.errors import GuestlistError

SNAPSHOT = Path(__file__).with_name("openapi.json")
SCHEMA = api.get_openapi_schema()
OPERATIONS = {
    operation["operationId"]: operation
    for methods in SCHEMA["paths"].values()
    for operation in methods.values()
}
each = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def resolved(part):
    """What a reference refers to."""
    if "$ref" not in part:
        return part
    found = SCHEMA
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def fits(value, schema):
    """Whether a value fits a schema of the description."""
    whole = {**schema, "components": SCHEMA["components"]}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


def below(kind):
    """The classes below one."""
    for each_kind in kind.__subclasses__():
        yield each_kind
        yield from below(each_kind)


def test_the_description_is_the_one_that_is_kept():
    text = json.dumps(SCHEMA, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("RENEW"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text(), "renew it, and look at what changed: see the top of this file"


def test_the_server_gives_the_same_description_without_a_key(client, db):
    answer = client.get("/api/v1/openapi.json")
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json() == json.loads(json.dumps(SCHEMA))


def test_it_says_what_it_is():
    assert SCHEMA["openapi"] == "3.1.0"
    assert SCHEMA["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
    assert [server["url"] for server in SCHEMA["servers"]] == ["/api/v1"]
    scheme = SCHEMA["components"]["securitySchemes"]["ApiKeyAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert scheme["description"]


def test_paths_are_below_wherever_a_project_mounts_it():
    elsewhere = api.get_openapi_schema(path_prefix="/people/api/v1/")
    assert [server["url"] for server in elsewhere["servers"]] == ["/people/api/v1"]
    assert elsewhere["paths"].keys() == SCHEMA["paths"].keys()


def test_groups_are_described():
    used = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in SCHEMA["tags"]}


def test_no_two_classes_share_a_name_and_hide_each_other():
    for parent in (resources.Resource, bodies.Body):
        names = [kind.__name__ for kind in below(parent)]
        assert len(names) == len(set(names))


def test_whatever_a_refusal_can_hold_is_described():
    shown = {name for kind in below(GuestlistError) for name in kind.shown}
    assert shown <= words.PROBLEM["properties"].keys()


@each
def test_an_operation_says_what_it_does(operation):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    assert re.fullmatch(r"[A-Z][^.]+[^.]", operation["summary"])
    assert operation["description"].endswith(".")
    assert len(operation["tags"]) == 1
    assert operation["security"] == [{"ApiKeyAuth": []}]
    for parameter in operation["parameters"]:
        assert parameter["description"], parameter["name"]
    for field in resolved(_body(operation)).get("properties", {}).items():
        assert "title" not in field


@each
def test_an_operation_says_how_it_can_be_refused(operation):
    statuses = {"400", "401", "404", "413", "422", "429", "500", "503"}
    if "requestBody" in operation:
        statuses.add("415")
    assert statuses <= operation["responses"].keys()
    codes = openapi.catalogue()
    for status, answer in operation["responses"].items():
        found = resolved(answer)
        assert found["description"]
        if status < "400":
            continue
        content = found["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for code, example in content["examples"].items():
            assert f"`{code}`" in found["description"]
            assert int(status) in {kind.status for kind in codes[code]}
            assert "{" not in example["value"]["detail"]
            fits(example["value"], content["schema"])


@each
def test_codes_in_a_description_are_codes(operation):
    """Who writes `not_pendin` would document nothing."""
    words_in_it = set(re.findall(r"\d{3} `([a-z_]+)`", operation["description"]))
    assert words_in_it <= openapi.catalogue().keys()


@each
def test_examples_fit(operation):
    if body := _body(operation):
        fits(operation["requestBody"]["content"]["application/json"]["example"], body)
    for answer in operation["responses"].values():
        for media_type, content in resolved(answer).get("content", {}).items():
            if media_type == "application/json":
                fits(content["example"], content["schema"])


def test_links_lead_to_operations_that_take_what_they_give():
    links = [
        link
        for operation in OPERATIONS.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    for link in links:
        taken = {parameter["name"] for parameter in OPERATIONS[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= taken


def _body(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})


def test_the_table_of_refusals_in_the_docs_is_whole():
    text = (Path(__file__).parents[2] / "docs/api.md").read_text()
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|(.+)\|$", text.partition("## Errors")[2], re.M)
    written = {(code, status) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    described = {
        (code, status)
        for operation in OPERATIONS.values()
        for status, answer in operation["responses"].items()
        for content in resolved(answer).get("content", {}).values()
        for code in content.get("examples", {})
        if status >= "400"
    }
    missing = {(code, status) for code, status in described if not _is_in(code, status, written)}
    assert not missing


def _is_in(code, status, written):
    return any(code == other and status in statuses for other, statuses in written)
