"""The same call again gets the same answer and does nothing: `Idempotency-Key`.

The answer is written in the transaction of what it tells of, so there is none without the other; whoever
comes with the same key meanwhile waits for that transaction, in the database.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256, shake_256
from uuid import UUID

from django.db import models, transaction
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.models import IdempotentAnswer
from guestlist.permissions import permission_label

KEPT = timedelta(hours=24)
MAX_KEY = 255
_PURPOSE = b"guestlist.idempotent-answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program was answered, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_final: bool = True
    """Whether it is kept: not what passes by itself and is to be tried again."""


def answer_once(
    *,
    actor: Actor,
    key: str,
    call: bytes,
    secret: str,
    prepare: Callable[[], None],
    execute: Callable[[], Answer],
) -> tuple[Answer, bool]:
    """What `execute` answers, and whether that is the answer of an earlier call with this key in the last 24
    hours. `call` is all that the program said, `secret` the API key that it came with. `prepare` is called
    before a first `execute`, outside the transaction; what it raises is not kept. Nor is an answer that is
    not final, and whatever that did is undone.

    Raises IdempotencyKeyInvalid, IdempotencyKeyReused where that call said something else, NotAllowed where
    the caller has lost a permission since.
    """
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise errors.IdempotencyKeyInvalid
    fingerprint = sha256(call).hexdigest()
    if not _kept(actor, key).exists():
        prepare()
    with transaction.atomic():
        row, is_first = _claim(actor, key, fingerprint)
        if not is_first:
            if row.fingerprint != fingerprint:
                raise errors.IdempotencyKeyReused
            _check_held(actor, row)
            body = zlib.decompress(_sealed(bytes(row.body), secret, row.pk))
            return Answer(row.status, row.headers, body), True
        answer = execute()
        if answer.is_final:
            row.status, row.headers = answer.status, dict(answer.headers)
            row.body = _sealed(zlib.compress(answer.body, 1), secret, row.pk)
            row.save(update_fields=["status", "headers", "body"])
        else:
            transaction.set_rollback(True)
    return answer, False


def forget_answers() -> int:
    """Delete those that are older than 24 hours; how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=Now() - KEPT).delete()[0]


def _kept(actor: Actor, key: str) -> "models.QuerySet[IdempotentAnswer]":
    rows = IdempotentAnswer.objects.filter(api_key=actor.subject, key=key)
    return rows.filter(created_at__gte=Now() - KEPT)


def _claim(actor: Actor, key: str, fingerprint: str) -> tuple[IdempotentAnswer, bool]:
    """The row of this key, and whether it is new; one that another transaction is writing is waited for."""
    rows = IdempotentAnswer.objects.filter(api_key=actor.subject, key=key)
    rows.filter(created_at__lt=Now() - KEPT).delete()
    return rows.get_or_create(
        defaults={
            "api_key": actor.subject,
            "key": key,
            "organization": actor.subject.organization,
            "fingerprint": fingerprint,
            "permissions": sorted(_held(actor)),
        }
    )


def _held(actor: Actor) -> frozenset[str]:
    return access.permissions_of(actor, actor.subject.organization) or frozenset()


def _check_held(actor: Actor, row: IdempotentAnswer) -> None:
    for lost in sorted(set(row.permissions) - _held(actor)):
        organization = actor.subject.organization
        raise errors.NotAllowed(permission=permission_label(lost), organization=organization.name)


def _sealed(data: bytes, secret: str, row_id: UUID) -> bytes:
    """`data` under a key stream that belongs to this row alone; the same again opens it. The database has
    only the hash of the secret.
    """
    stream = shake_256(_PURPOSE + row_id.bytes + secret.encode("utf-8", "surrogatepass"))
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream.digest(len(data)), "big")
    return mixed.to_bytes(len(data), "big")
