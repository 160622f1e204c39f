"""Create API keys, and tell who is behind one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from guestlist import errors
from guestlist.actions import access
from guestlist.actors import Actor, Origin
from guestlist.events import Happening, record, record_all
from guestlist.models import ApiKey, Organization
from guestlist.models.api_key import key_hash, new_key
from guestlist.names import clean_name
from guestlist.permissions import Permission, all_permissions

# Writing the time of use at every request would make each read a write.
LAST_USED_GRAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made. `secret` is shown once and stored nowhere."""

    key: ApiKey
    secret: str

    def as_resource(self) -> dict[str, Any]:
        """As it is shown that one time."""
        return {"key": self.secret, **self.key.as_resource()}


def create_api_key(
    *, actor: Actor, organization: Organization, name: str, permissions: Iterable[str]
) -> NewApiKey:
    """A key with no more permissions than its creator has.

    Raises NotAllowed, UnknownPermission, AboveOwnRole, NameEmpty, NameHasLink.
    """
    with access.locked(actor, organization, Permission.API_KEY_MANAGE) as organization:
        wanted = frozenset(permissions)
        for unknown in sorted(wanted - all_permissions()):
            raise errors.UnknownPermission(permission=unknown)
        if not wanted <= (access.permissions_of(actor, organization) or frozenset()):
            raise errors.AboveOwnRole
        secret = new_key()
        key = ApiKey.objects.create(
            organization=organization,
            name=clean_name(name),
            prefix=secret[:12],
            hash=key_hash(secret),
            permissions=sorted(wanted),
            created_by=_maker(actor),
            created_at=organization.now,
        )
        change = {"permissions": (None, key.permissions)}
        record(actor, organization, Happening("api_key.created", key, change))
    return NewApiKey(key, secret)


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
    key = ApiKey.objects.usable().filter(hash=key_hash(secret)).select_related("organization").first()
    if key is None:
        raise errors.NotSignedIn
    actor = Actor("api_key", str(key.pk), key.name, origin=origin, subject=key)
    if access.permissions_of(actor, key.organization) is None:
        raise errors.NotSignedIn
    if key.last_used_at is None or timezone.now() - key.last_used_at > LAST_USED_GRAIN:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())
    return actor


def _maker(actor: Actor) -> Any:
    """Whose key it is: one that a key makes ends with the same membership."""
    if actor.type == "api_key":
        return actor.subject.created_by
    return actor.subject if actor.type == "user" else None
