"""What a verified domain opens to people with an address there: to join, or to ask."""

from dataclasses import dataclass
from typing import Any

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitation_settings import is_allowed
from guestlist.actions.invitee import verified_keys
from guestlist.actions.join_requests import ask, asker_of
from guestlist.actions.joining import invite_self, join, removed_from
from guestlist.actors import Actor, Origin
from guestlist.addresses import Address
from guestlist.models import Domain, JoinRequest, Membership, Organization
from guestlist.models.domain import Mode

# A domain of more organizations than that is nobody's own.
MOST_OPEN = 50
OPEN = (Mode.JOIN, Mode.REQUEST)


@dataclass(frozen=True, slots=True)
class Opening:
    """An organization that lets in whoever has `key`, an address at its domain, or lets them ask; `waiting`
    says that they have.
    """

    organization: Organization
    domain: Domain
    key: str
    waiting: bool

    @property
    def joins(self) -> bool:
        """Whether they can join at once."""
        return self.domain.mode == Mode.JOIN


def open_to(*, actor: Actor) -> list[Opening]:
    """What the signed-in user's verified addresses open, by the name of the organization: not where they are
    a member, nor where they were removed. Six queries for any number.
    """
    keys = verified_keys(actor)
    rows = list(_open_domains(keys)[:MOST_OPEN]) if keys else []
    organizations = {row.organization_id for row in rows}
    closed = _closed(actor, keys, organizations) if rows else set()
    requests = JoinRequest.objects.pending().filter(organization__in=organizations, key__in=keys)
    waiting = set(requests.values_list("organization", flat=True)) if rows else set()
    found: dict[Any, Opening] = {}
    for row in rows:
        key = _key_at(row, keys)
        if key and row.organization_id not in closed and row.organization_id not in found:
            found[row.organization_id] = Opening(row.organization, row, key, row.organization_id in waiting)
    return list(found.values())


def join_by_domain(*, actor: Actor, domain_id: Any) -> Membership:
    """Make the signed-in user a member, for one of their verified addresses is at the domain.

    Raises NotFound, DomainClosed, RemovedBefore.
    """
    domain, keys = _find(actor, domain_id)
    with access.locked_by_holder(domain.organization) as organization:
        _key(organization, domain, keys, Mode.JOIN)
        return join(actor, organization, via=Membership.Via.DOMAIN)


def ask_by_domain(*, actor: Actor, domain_id: Any) -> JoinRequest:
    """Ask the organization to let the signed-in user in, for one of their verified addresses is at the
    domain. Asking twice is as good as once.

    Raises NotFound, DomainClosed, RemovedBefore, AskedBefore, Suppressed, TooManyRequests.
    """
    domain, keys = _find(actor, domain_id)
    with access.locked_by_holder(domain.organization) as organization:
        key = _key(organization, domain, keys, Mode.REQUEST)
        asker = asker_of(actor, Address(key=key, email=key))
        return ask(actor, organization, domain=domain, asker=asker)


def knock(*, address: Address, origin: Origin) -> None:
    """Somebody who is not signed in typed an address: what its domain opens is mailed there, or asked for.
    Whoever typed it learns nothing, for the address is not shown to be theirs.
    """
    actor = Actor.invitee(address.email, origin=origin)
    for domain in list(_open_domains({address.key})[:MOST_OPEN]):
        try:
            _knock(actor, domain, address)
        except errors.GuestlistError:
            continue


def _knock(actor: Actor, domain: Domain, address: Address) -> None:
    with access.locked_by_holder(domain.organization) as organization:
        fresh = Domain.objects.filter(pk=domain.pk, verified_at__isnull=False).first()
        if fresh is None or not is_allowed(organization, address.key):
            return
        if fresh.mode == Mode.JOIN:
            invite_self(organization, address, domain=fresh, origin=actor.origin)
        elif fresh.mode == Mode.REQUEST:
            ask(actor, organization, domain=fresh, asker=asker_of(actor, address))


def _open_domains(keys: set[str]) -> Any:
    names = {key.rpartition("@")[2] for key in keys}
    rows = Domain.objects.filter(domain__in=names, verified_at__isnull=False, mode__in=OPEN)
    rows = rows.filter(organization__deleted_at=None).select_related("organization")
    # To join comes before to ask, where two addresses open the same organization.
    return rows.order_by("organization__name", "organization", "mode", "domain")


def _closed(actor: Actor, keys: set[str], organizations: set[Any]) -> set[Any]:
    """Those of which the user is a member, and those that removed them last."""
    removed = removed_from(organizations, keys, actor.subject.pk)
    members = Membership.objects.active().filter(user=actor.subject, organization__in=organizations)
    return removed | set(members.values_list("organization", flat=True))


def _key_at(domain: Domain, keys: set[str], organization: Organization | None = None) -> str | None:
    """The first of the addresses that is at the domain and that the organization lets be invited."""
    at = sorted(key for key in keys if key.rpartition("@")[2] == domain.domain)
    return next((key for key in at if is_allowed(organization or domain.organization, key)), None)


def _find(actor: Actor, domain_id: Any) -> tuple[Domain, set[str]]:
    """A domain at which the user has an address; whoever has none there is not told that it exists."""
    keys = verified_keys(actor)
    names = {key.rpartition("@")[2] for key in keys}
    rows = Domain.objects.filter(pk=domain_id, domain__in=names, verified_at__isnull=False)
    domain = rows.select_related("organization").first()
    if domain is None:
        raise errors.NotFound
    return domain, keys


def _key(organization: Organization, domain: Domain, keys: set[str], mode: Mode) -> str:
    """The address that opens it, asked again under the lock."""
    still = Domain.objects.filter(pk=domain.pk, verified_at__isnull=False, mode=mode).exists()
    key = _key_at(domain, keys, organization) if still else None
    if key is None:
        raise errors.DomainClosed(organization=organization.name, domain=domain.domain)
    return key
