"""`Idempotency-Key` on every POST (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from guestlist.actions.idempotency import Answer, answer_once
from guestlist.api.auth import actor_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# Answers that are another one when the call is made again.
PASSING = (429, 500, 503)
Operation = Callable[..., HttpResponse]


def first(prepare: Callable[..., None]) -> Callable[[Operation], Operation]:
    """An operation before which `prepare` is called with the same, while nothing is locked: it may wait for
    the network. What it refuses is not kept.
    """

    def mark(operation: Operation) -> Operation:
        operation.prepare = prepare  # type: ignore[attr-defined]
        return operation

    return mark


def idempotent(api: NinjaAPI) -> Callable[[Operation], Operation]:
    """An operation of `api` that answers a POST with a key that it knows as it did the first time. It is
    asked only once the caller is known and the body makes sense.
    """

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def once(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
            def prepare() -> None:
                if hasattr(operation, "prepare"):
                    operation.prepare(request, *args, **values)

            key = request.headers.get(HEADER)
            if request.method != "POST" or key is None or not hasattr(request, "auth"):
                prepare()
                return operation(request, *args, **values)

            def execute() -> Answer:
                passes = False
                try:
                    # An action undoes itself what it refuses, but for the tries that it counts.
                    response = operation(request, *args, **values)
                except Exception as error:
                    response = api.on_exception(request, error)
                    passes = getattr(error, "passes", False) or response.status_code in PASSING
                return Answer(response.status_code, dict(response.headers), response.content, not passes)

            answer, is_replayed = answer_once(
                actor=actor_of(request),
                key=key,
                call=_call(request),
                secret=request.headers["Authorization"].partition(" ")[2].strip(),
                prepare=prepare,
                execute=execute,
            )
            replayed = {REPLAYED: "true"} if is_replayed else {}
            return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers) | replayed)

        return once

    return decorate


def _call(request: HttpRequest) -> bytes:
    return f"{request.method} {request.get_full_path()}\n".encode() + request.body
