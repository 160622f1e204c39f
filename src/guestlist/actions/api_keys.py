"""Create, rotate and revoke API keys, and tell who is behind one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField
from django.utils import timezone

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.validity import parse_expiry, parse_overlap
from guestlist.actors import Actor, Origin
from guestlist.events import Happening, record, record_all
from guestlist.models import ApiKey, Organization
from guestlist.models.api_key import PREFIX_LENGTH, State, key_hash, new_key
from guestlist.models.fields import new_id, timestamp
from guestlist.models.invitation import NEVER
from guestlist.models.prepared import Bind, Prepared
from guestlist.names import clean_name
from guestlist.permissions import Permission, all_permissions

# Writing the time of use at every request would make each read a write.
LAST_USED_GRAIN = timedelta(minutes=1)
# How long a key that is replaced goes on: unless told, and at most.
OVERLAP, LONGEST_OVERLAP = "24h", timedelta(days=30)
# What is offered as days; any day can be written as 2026-12-31.
DAYS = (30, 90, 365)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made. `secret` is shown once and stored nowhere."""

    key: ApiKey
    secret: str

    def as_resource(self) -> dict[str, Any]:
        """As it is shown that one time."""
        return {"key": self.secret, **self.key.as_resource()}


def create_api_key(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    permissions: Iterable[str],
    expires: str = "never",
    api_key_id: UUID | None = None,
) -> NewApiKey:
    """A key with no more permissions than its creator has. `expires` is `90d`, the last day as `2026-12-31`,
    or `never`; one that a key makes ends with it at the latest. A form that is sent twice names the id that
    the key gets, and makes one key.

    Raises NotAllowed, UnknownPermission, AboveOwnRole, NameEmpty, NameHasLink, ExpiryInvalid, KeyMade.
    """
    with access.locked(actor, organization, Permission.API_KEY_MANAGE) as organization:
        wanted = frozenset(permissions)
        if unknown := wanted - all_permissions():
            raise errors.UnknownPermission(permission=min(unknown))
        _check_ceiling(actor, organization, wanted)
        ends = min(parse_expiry(expires, organization.now), _own_end(actor))
        if api_key_id and ApiKey.objects.filter(pk=api_key_id).exists():
            raise errors.KeyMade
        key = ApiKey(
            id=api_key_id or new_id(),
            organization=organization,
            name=clean_name(name),
            permissions=sorted(wanted),
            created_by=actor.maker,
            expires_at=None if ends == NEVER else ends,
        )
        secret = _insert(organization, key)
        record(actor, organization, _creation(key))
    return NewApiKey(find_api_key(organization=organization, api_key_id=key.pk), secret)


def rotate_api_key(
    *, actor: Actor, organization: Organization, api_key_id: Any, overlap: str = OVERLAP
) -> NewApiKey:
    """A new key with the same name and permissions that lasts as long, anew; the old one goes on for
    `overlap` (`24h`, `7d`, `0`), and no longer than it would have. The new key is the actor's; one that the
    operator rotates stays whose it was, and one that a key rotates ends with that key at the latest.
    Webhooks that the old one made are the new one's.

    Raises NotAllowed, NotFound, AboveOwnRole, KeyEnded, KeyReplaced, OverlapInvalid.
    """
    with access.locked(actor, organization, Permission.API_KEY_MANAGE) as organization:
        old = check_rotatable(actor=actor, organization=organization, api_key_id=api_key_id)
        ends = organization.now + parse_overlap(overlap, LONGEST_OVERLAP)
        key = ApiKey(
            organization=organization,
            name=old.name,
            permissions=sorted(old.permission_set),
            created_by=old.created_by if actor.type == "operator" else actor.maker,
            expires_at=_renewed(actor, old, organization.now),
            replaces=old,
        )
        secret = _insert(organization, key)
        old.webhooks.update(api_key=key, created_by=key.created_by)
        before, old.expires_at = old.expires_at, min(ends, old.expires_at or NEVER)
        old.save(update_fields=["expires_at"])
        change = {"expires_at": (timestamp(before), timestamp(old.expires_at))}
        record_all(actor, organization, [Happening("api_key.rotated", old, change), _creation(key)])
    return NewApiKey(find_api_key(organization=organization, api_key_id=key.pk), secret)


def check_rotatable(*, actor: Actor, organization: Organization, api_key_id: Any) -> ApiKey:
    """The key, where the actor could rotate it now. Raises NotAllowed, NotFound, KeyEnded, KeyReplaced,
    AboveOwnRole.
    """
    access.require(actor, organization, Permission.API_KEY_MANAGE)
    key = find_api_key(organization=organization, api_key_id=api_key_id)
    if key.state_now != State.ACTIVE:
        raise errors.KeyEnded(key.state_now)
    if key.successor_id:
        raise errors.KeyReplaced
    _check_ceiling(actor, organization, key.permission_set)
    return key


def revoke_api_key(*, actor: Actor, organization: Organization, api_key_id: Any) -> ApiKey:
    """End a key at once, whatever it may do and whoever made it. Raises NotAllowed, NotFound, KeyEnded."""
    with access.locked(actor, organization, Permission.API_KEY_MANAGE) as organization:
        key = find_api_key(organization=organization, api_key_id=api_key_id)
        # Where its creator is gone it would work again once they are back.
        if key.state_now in (State.REVOKED, State.EXPIRED):
            raise errors.KeyEnded(key.state_now)
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=organization.now)
        record(actor, organization, Happening("api_key.revoked", key))
    return find_api_key(organization=organization, api_key_id=key.pk)


def find_api_key(*, organization: Organization, api_key_id: Any) -> ApiKey:
    """One key of the organization, with its state. Raises NotFound."""
    key = ApiKey.objects.for_display().filter(organization=organization, pk=api_key_id).first()
    if key is None:
        raise errors.NotFound
    return key


def revoke_keys_of(*, user: Any) -> None:
    """End every key that `user` made: the account has lost its last address to its real owner."""
    keys = ApiKey.objects.filter(created_by=user, revoked_at=None)
    for organization in Organization.objects.filter(api_keys__in=keys).distinct():
        with access.locked_by_holder(organization) as locked:
            ending = list(keys.filter(organization=locked))
            keys.filter(organization=locked).update(revoked_at=locked.now)
            record_all(Actor.system(), locked, [Happening("api_key.revoked", key) for key in ending])


def authenticate(*, secret: str, origin: Origin) -> Actor:
    """The key behind a secret. Raises NotSignedIn where it is unknown, ended, or its creator is no longer a
    member.
    """
    found = _BEHIND.instances(hash=key_hash(secret))
    if not found:
        raise errors.NotSignedIn
    key = found[0]
    actor = Actor("api_key", str(key.pk), key.name, origin=origin, subject=key)
    if access.permissions_of(actor, key.organization) is None:
        raise errors.NotSignedIn
    # Not the database's time: SQLite writes it in fewer digits than it compares a cursor with.
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_GRAIN:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return actor


_BEHIND = Prepared(
    lambda: ApiKey.objects.usable().filter(hash=Bind("hash", CharField())).select_related("organization")
)


def _insert(organization: Organization, key: ApiKey) -> str:
    """Store a key that is complete but for its secret; the secret."""
    secret = new_key()
    key.prefix, key.hash = secret[:PREFIX_LENGTH], key_hash(secret)
    key.created_at = organization.now
    key.save(force_insert=True)
    return secret


def _creation(key: ApiKey) -> Happening:
    changes: dict[str, tuple[Any, Any]] = {"permissions": (None, key.permissions)}
    if key.expires_at:
        changes["expires_at"] = (None, timestamp(key.expires_at))
    return Happening("api_key.created", key, changes)


def _renewed(actor: Actor, old: ApiKey, now: datetime) -> datetime | None:
    """Until when a key that replaces `old` goes on."""
    ends = min(now + (old.expires_at - old.created_at) if old.expires_at else NEVER, _own_end(actor))
    return None if ends == NEVER else ends


def _own_end(actor: Actor) -> datetime:
    """A key makes none that outlives it."""
    own = actor.subject.expires_at if actor.type == "api_key" else None
    return own or NEVER


def _check_ceiling(actor: Actor, organization: Organization, permissions: Collection[str]) -> None:
    held = access.permissions_of(actor, organization) or frozenset()
    if not held.issuperset(permissions):
        raise errors.AboveOwnRole
