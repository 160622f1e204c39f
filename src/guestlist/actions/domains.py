"""Add a mail domain, verify it by a code mailed there, say what people there may do, remove."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F as Column

from guestlist import errors
from guestlist.actions import access, limits
from guestlist.actions.mail import new_notice, owe
from guestlist.actions.request_ends import end_requests
from guestlist.actions.revocation import revoke_rows
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.conf import Limit
from guestlist.events import Happening, record
from guestlist.links import is_code_of, new_nonce
from guestlist.mail_domains import parse_domain
from guestlist.models import Delivery, Domain, Invitation, JoinRequest, Organization
from guestlist.models.delivery import Kind, State
from guestlist.models.domain import Mode
from guestlist.permissions import Permission
from guestlist.public_mail_domains import is_public, is_public_suffix

MOST_DOMAINS = 50
MOST_TRIES = 5
CODE_LIFETIME = timedelta(hours=1)
# Codes to one address, whichever organization asks for them.
CODE_LIMITS = (Limit(1, timedelta(minutes=1)), Limit(10, timedelta(days=1)))
# Codes that one organization asks for, to whichever address: nobody tries code after code at one domain, nor
# has mail sent to one stranger after another.
OWN_CODE_LIMIT = Limit(50, timedelta(days=1))


def add_domain(
    *, actor: Actor, organization: Organization, domain: str, email: str, mode: str = ""
) -> Domain:
    """Add a domain, and mail the code that verifies it to `email`, an address there. Until then it lets
    nobody in. Several organizations may have the same domain.

    Raises NotAllowed, DomainInvalid, PublicDomain, DomainListed, AddressInvalid, AddressElsewhere,
    ModeUnknown, TooManyDomains, Suppressed, TooManyCodes.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        name = _own_domain(domain)
        address = _address_at(name, email)
        if Domain.objects.filter(organization=organization, domain=name).exists():
            raise errors.DomainListed(domain=name)
        if Domain.objects.filter(organization=organization).count() >= MOST_DOMAINS:
            raise errors.TooManyDomains(limit=MOST_DOMAINS)
        row = Domain(
            organization=organization,
            domain=name,
            mode=_mode(mode) if mode else Mode.REQUEST,
            email=address,
            nonce=new_nonce(),
            code_expires_at=organization.now + CODE_LIFETIME,
            created_at=organization.now,
        )
        row.save(force_insert=True)
        record(actor, organization, Happening("domain.added", row, {"email": (None, address)}))
        _mail_code(actor, organization, row)
    return row


def send_code(*, actor: Actor, organization: Organization, domain_id: Any) -> Domain:
    """Mail a new code; the one before stops working.

    Raises NotAllowed, NotFound, DomainVerified, Suppressed, TooManyCodes.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        row = _unverified(organization, domain_id)
        row.nonce, row.tries = new_nonce(), 0
        row.code_expires_at = organization.now + CODE_LIFETIME
        row.save(update_fields=["nonce", "tries", "code_expires_at"])
        _mail_code(actor, organization, row)
    return row


def verify_domain(*, actor: Actor, organization: Organization, domain_id: Any, code: str) -> Domain:
    """Show with the mailed code that the domain is the organization's. A wrong code counts as a try.

    Raises NotAllowed, NotFound, DomainVerified, CodeWrong, CodeExpired, CodeTriesOver.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        row = _unverified(organization, domain_id)
        refusal = _try(organization, row, code)
        if refusal is None:
            row.verified_at = organization.now
            row.save(update_fields=["verified_at"])
            _cancel_codes(organization, row)
            record(actor, organization, Happening("domain.verified", row, {"mode": (None, row.mode)}))
    if refusal is not None:  # only now: the try that was counted has to stay
        raise refusal
    return row


def change_domain_mode(*, actor: Actor, organization: Organization, domain_id: Any, mode: str) -> Domain:
    """Say what people with an address at a verified domain may do. Where they can’t join at once any more,
    invitations that they had sent themselves are revoked.

    Raises NotAllowed, NotFound, DomainUnverified, ModeUnknown.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        row, wanted = _get(organization, domain_id), _mode(mode)
        if row.verified_at is None:
            raise errors.DomainUnverified(domain=row.domain)
        before, row.mode = row.mode, wanted
        if before != wanted:
            row.save(update_fields=["mode"])
            record(actor, organization, Happening("domain.updated", row, {"mode": (before, wanted.value)}))
            if before == Mode.JOIN:
                revoke_rows(actor, organization, Invitation.objects.filter(domain=row))
    return row


def remove_domain(*, actor: Actor, organization: Organization, domain_id: Any) -> Domain:
    """Take a domain off the list: nobody joins or asks by it any more, invitations that people had sent
    themselves by it are revoked, and requests that wait are dismissed. Members stay.

    Raises NotAllowed, NotFound.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        row = _get(organization, domain_id)
        revoke_rows(actor, organization, Invitation.objects.filter(domain=row))
        requests = JoinRequest.objects.filter(domain=row)
        end_requests(actor, organization, requests, JoinRequest.State.DISMISSED)
        if row.verified_at is None:
            _cancel_codes(organization, row)
        record(actor, organization, Happening("domain.removed", row, {"mode": (row.mode, None)}))
        Domain.objects.filter(pk=row.pk).delete()
    return row


def find_domain(*, organization: Organization, domain_id: Any) -> Domain:
    """One domain of the organization. Raises NotFound."""
    return _get(organization, domain_id)


def _own_domain(text: str) -> str:
    """A domain that can be somebody's own."""
    name = parse_domain(text)
    if is_public_suffix(name) or is_public(name):
        raise errors.PublicDomain(domain=name)
    return name


def _address_at(domain: str, text: str) -> str:
    found = parse_items([text]).addresses
    if len(found) != 1:
        raise errors.AddressInvalid(email=text[:254])
    if found[0].domain != domain:
        raise errors.AddressElsewhere(domain=domain)
    return found[0].email


def _mode(text: str) -> Mode:
    if text not in Mode.values:
        raise errors.ModeUnknown(choices=", ".join(Mode.values))
    return Mode(text)


def _get(organization: Organization, domain_id: Any) -> Domain:
    row = Domain.objects.filter(organization=organization, pk=domain_id).first()
    if row is None:
        raise errors.NotFound
    return row


def _unverified(organization: Organization, domain_id: Any) -> Domain:
    row = _get(organization, domain_id)
    if row.verified_at is not None:
        raise errors.DomainVerified(domain=row.domain)
    return row


def _try(organization: Organization, row: Domain, code: str) -> errors.GuestlistError | None:
    """Count a try; why it is refused, if it is."""
    if row.code_expires_at <= organization.now:
        return errors.CodeExpired()
    left = Domain.objects.filter(pk=row.pk, tries__lt=MOST_TRIES)
    if not left.update(tries=Column("tries") + 1):
        return errors.CodeTriesOver()
    digits = "".join(code.split()).replace("-", "")
    return None if is_code_of(digits, row.nonce, row.pk) else errors.CodeWrong()


def _mail_code(actor: Actor, organization: Organization, row: Domain) -> None:
    """The code is put in when the message is drawn, so none is stored."""
    content = {"domain": str(row.pk), "asked_by": actor.name[:150] if actor.type == "user" else ""}
    mail = new_notice(organization, Kind.DOMAIN_CODE, row.email, content)
    if suppressed_keys(organization, [mail.key]):
        raise errors.Suppressed(email=row.email)
    for limit in CODE_LIMITS:
        _check_limit(limit, mail.key, organization.now)
    limits.take_code(organization=organization, limit=OWN_CODE_LIMIT)
    _cancel_codes(organization, row)
    owe([mail])


def _check_limit(limit: Limit, key: str, now: datetime) -> None:
    mails = Delivery.objects.filter(key=key, kind=Kind.DOMAIN_CODE, created_at__gt=now - limit.period)
    times = list(mails.order_by("-created_at").values_list("created_at", flat=True)[: limit.count])
    if len(times) == limit.count:
        raise limits.refusal(errors.TooManyCodes, "codes", limit, times[-1] + limit.period - now)


def _cancel_codes(organization: Organization, row: Domain) -> None:
    """Codes that have not left yet are of no use."""
    owed = Delivery.objects.owed().filter(organization=organization, kind=Kind.DOMAIN_CODE)
    owed.filter(recipient=row.email).update(state=State.CANCELED, next_at=None, detail="")
