"""How things stand before a scenario begins: each is a word of the table, done by Alice or by the invited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import F

from guestlist.actions.acceptance import accept_invitation, decline_invitation
from guestlist.actions.asking import ask_for_invitation
from guestlist.actions.batches import Selection
from guestlist.actions.invitation_settings import update_invitation_settings
from guestlist.actions.invitations import revoke_invitations, send_invitations
from guestlist.actions.members import remove_member
from guestlist.actions.reports import note_report
from guestlist.actions.suppressions import suppress_invitations
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_items
from guestlist.models import Delivery, Invitation, Membership, Organization
from guestlist_server.accounts.models import User
from tests.conftest import actor_of, join, make_user

SCOPES = {"this": "organization", "every": "server"}


def _alice() -> Actor:
    return actor_of(User.objects.get(email="alice@northwind.test"))


def pending(organization: Organization, *emails: str, **manner: str) -> list[Invitation]:
    """Invited, and nobody has answered."""
    parsed = parse_items(emails)
    batch = send_invitations(actor=_alice(), organization=organization, parsed=parsed, **manner)
    rows = [outcome.invitation for outcome in batch.outcomes if outcome.invitation]
    assert len(rows) == len(emails)
    return rows


def pending_for(organization: Organization, lifetime: str, *emails: str) -> None:
    """Invited with a lifetime of their own."""
    pending(organization, *emails, lifetime=lifetime)


def lapsed(organization: Organization, *emails: str) -> None:
    """Invited a month ago; their time is over, which nobody has written down."""
    _age(pending(organization, *emails), days=30)


def sent_yesterday(organization: Organization, *emails: str) -> None:
    """Invited a day ago."""
    _age(pending(organization, *emails), days=1)


def revoked(organization: Organization, *emails: str) -> None:
    """Invited and revoked."""
    chosen = Selection(ids=[str(row.pk) for row in pending(organization, *emails)])
    revoke_invitations(actor=_alice(), organization=organization, selection=chosen)


def declined(organization: Organization, *emails: str) -> list[Invitation]:
    """Invited; they do not want it."""
    rows = pending(organization, *emails)
    for row in rows:
        decline_invitation(actor=_invited(row), invitation=row, typed_address=row.email)
    return rows


def asking(organization: Organization, *emails: str) -> None:
    """Declined, and then asked for a new invitation."""
    for row in declined(organization, *emails):
        ask_for_invitation(actor=_invited(row), invitation=row)


def accepted(organization: Organization, *emails: str) -> None:
    """Invited, and members since."""
    for row in pending(organization, *emails):
        accept_invitation(actor=actor_of(make_user(row.email, "Ann Other")), invitation=row)


def members(organization: Organization, *emails: str) -> None:
    """Members who were not invited."""
    for email in emails:
        join(organization, make_user(email, "Mo Member"), "Member")


def also_has(organization: Organization, email: str, *others: str) -> None:
    """A member's account has further verified addresses."""
    for other in others:
        EmailAddress.objects.create(user=User.objects.get(email=email), email=other, verified=True)


def unverified(organization: Organization, email: str, *others: str) -> None:
    """A member's account has typed in addresses that are not verified."""
    for other in others:
        EmailAddress.objects.create(user=User.objects.get(email=email), email=other, verified=False)


def removed(organization: Organization, *emails: str) -> None:
    """Members who were removed."""
    members(organization, *emails)
    for row in Membership.objects.filter(organization=organization, email_key__in=emails):
        remove_member(actor=_alice(), organization=organization, member_id=row.pk)


def account(organization: Organization, *emails: str) -> None:
    """People with an account, in no organization."""
    for email in emails:
        make_user(email, "Guest Else")


def suppressed(organization: Organization, scope: str, *emails: str) -> None:
    """Invited once; asked not to be invited to `this` organization, or to `every` one."""
    rows = pending(organization, *emails)
    for row in rows:
        suppress_invitations(
            actor=_invited(row), invitation=row, scope=SCOPES[scope], typed_address=row.email
        )
    chosen = Selection(ids=[str(row.pk) for row in rows])
    revoke_invitations(actor=_alice(), organization=organization, selection=chosen)


def unwanted(organization: Organization, *emails: str) -> None:
    """Pending, and asked not to be invited again."""
    for row in pending(organization, *emails):
        suppress_invitations(
            actor=_invited(row), invitation=row, scope="organization", typed_address=row.email
        )


def bounced(organization: Organization, *emails: str) -> None:
    """Invited once; the mail came back for good, and the invitation was revoked."""
    rows = pending(organization, *emails)
    for row in rows:
        _report(row, "bounced")
    chosen = Selection(ids=[str(row.pk) for row in rows])
    revoke_invitations(actor=_alice(), organization=organization, selection=chosen)


def bounced_and_pending(organization: Organization, *emails: str) -> None:
    """Invited; the mail came back for good."""
    for row in pending(organization, *emails):
        _report(row, "bounced")


def complained(organization: Organization, *emails: str) -> None:
    """Invited once; marked as spam, and the invitation was revoked."""
    rows = pending(organization, *emails)
    for row in rows:
        _report(row, "complained")
    chosen = Selection(ids=[str(row.pk) for row in rows])
    revoke_invitations(actor=_alice(), organization=organization, selection=chosen)


def sets(organization: Organization, **changed: str) -> None:
    """Has these settings for invitations."""
    row = Organization.objects.get(pk=organization.pk)
    known = {
        "lifetime": row.invitation_lifetime,
        "allowed_domains": " ".join(row.allowed_domains),
        "denied_domains": " ".join(row.denied_domains),
        "new_member_role_id": row.new_member_role_id,
    }
    update_invitation_settings(actor=_alice(), organization=row, **(known | changed))


def lasting(organization: Organization, lifetime: str) -> None:
    """Invitations last as long as that."""
    sets(organization, lifetime=lifetime)


def allowing(organization: Organization, *domains: str) -> None:
    """Only addresses there are invited."""
    sets(organization, allowed_domains=" ".join(domains))


def denying(organization: Organization, *domains: str) -> None:
    """Addresses there are not invited."""
    sets(organization, denied_domains=" ".join(domains))


def elsewhere(organization: Organization, *emails: str) -> None:
    """Pending in another organization."""
    from guestlist.actions.organizations import create_organization

    dora = make_user("dora@beta.test", "Dora Dunn")
    beta = create_organization(actor=Actor.operator(), name="Beta", slug="beta", owner=dora)
    send_invitations(actor=actor_of(dora), organization=beta, parsed=parse_items(emails))


def _age(rows: list[Invitation], days: int) -> None:
    ago = timedelta(days=days)
    Invitation.objects.filter(pk__in=[row.pk for row in rows]).update(
        invited_at=F("invited_at") - ago,
        last_sent_at=F("last_sent_at") - ago,
        expires_at=F("expires_at") - ago,
    )


def _invited(row: Invitation) -> Actor:
    return Actor.invitee(row.email, origin=Origin("web", "192.0.2.9", "tests"))


def _report(row: Invitation, outcome: str) -> None:
    mails = Delivery.objects.filter(invitation=row)
    mails.update(state="sent", next_at=None)
    note_report(delivery_id=mails.get().pk, outcome=outcome, detail="550 5.1.1 no such user", hard=True)


WORDS: dict[str, Callable[..., Any]] = {
    "accepted": accepted,
    "account": account,
    "allowing": allowing,
    "also has": also_has,
    "asking": asking,
    "bounced": bounced,
    "bounced and pending": bounced_and_pending,
    "complained": complained,
    "declined": declined,
    "denying": denying,
    "elsewhere": elsewhere,
    "lapsed": lapsed,
    "lasting": lasting,
    "members": members,
    "pending": pending,
    "pending for": pending_for,
    "removed": removed,
    "revoked": revoked,
    "sent yesterday": sent_yesterday,
    "suppressed for": suppressed,
    "unverified": unverified,
    "unwanted": unwanted,
}
