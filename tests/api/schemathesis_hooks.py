"""What schemathesis can't know about the API."""

from uuid import uuid4

import schemathesis

# Refusals of a shape, which the description has to tell in advance.
SHAPES = {"unknown_field", "required", "exactly_one", "nothing_given", "literal_error"}


@schemathesis.check
def shape_is_not_refused(ctx, response, case):
    """What fits the description is refused for what it means, never for its shape."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    found = response.json()
    codes = {error["code"] for error in found.get("errors", ()) if found["code"] == "invalid_input"}
    wrong = {code for code in codes if code in SHAPES or code.endswith("_type")}
    assert not wrong, f"refused for its shape: {found['errors']}"


@schemathesis.check
def refusal_is_described(ctx, response, case):
    """Each code that a call is refused with is named in its description."""
    if response.status_code < 400:
        return
    described = case.operation.responses.find_by_status_code(response.status_code)
    if described is None:  # another check says so
        return
    code = response.json()["code"]
    assert f"`{code}`" in described.definition["description"], f"{code} is not described"


@schemathesis.hook
def before_call(context, case, kwargs):
    """A new Idempotency-Key for each call: with the one of another call, every call would be refused."""
    is_positive = case.meta is None or case.meta.generation.mode.is_positive
    if is_positive and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
