"""Create organizations, change them, set how their mail is, and give them their first owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from guestlist import addresses, errors
from guestlist.actions import access, limits
from guestlist.actions.mail import new_notice, owe
from guestlist.actions.mail_settings import parse_accent, parse_language, parse_reminder_days
from guestlist.actions.members import add_member
from guestlist.actions.reminders import plan_reminders
from guestlist.actions.slugs import check_slug, take_slug
from guestlist.actors import Actor
from guestlist.conf import conf
from guestlist.events import Happening, record
from guestlist.models import Delivery, Membership, Organization, Role, SetupLink
from guestlist.models.delivery import Kind
from guestlist.models.setup_link import code_hash, new_code
from guestlist.names import clean_name
from guestlist.permissions import CREATE_ORGANIZATION, Permission, admin_permissions, permission_label

SETUP_LINK_LIFETIME = timedelta(days=7)
TEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SetupCode:
    """A set-up link and the code that opens it, which is shown once."""

    link: SetupLink
    code: str

    @property
    def url(self) -> str:
        """Where the code is used."""
        return f"{conf().url}/setup/{self.code}"


def create_organization(
    *, actor: Actor, name: str, slug: str, owner: Any = None, first_run: bool = False
) -> Organization:
    """A new organization with the roles Owner, Admin and Member, and `owner` (a user) as its owner.

    The operator may; a user may for themselves, where `require_may_create` lets them or where they have
    claimed the link of the first run and there is no organization yet.
    Raises NotAllowed, NameEmpty, NameHasLink, SlugInvalid, SlugTaken, CreationLimit.
    """
    with transaction.atomic():
        if not (first_run and actor.type == "user" and not Organization.objects.exists()):
            require_may_create(actor=actor)
        if actor.type != "operator" and owner != actor.subject:
            raise errors.CreatorsOnly(permission=permission_label(CREATE_ORGANIZATION))
        organization = _insert(clean_name(name), slug)
        limits.take_creation(actor=actor, now=organization.now)
        owner_role = _insert_roles(organization)
        record(actor, organization, Happening("organization.created", organization))
        if owner is not None:
            add_member(actor, organization, user=owner, via=Membership.Via.FOUNDED, role=owner_role)
    return organization


def require_may_create(*, actor: Actor) -> None:
    """The operator may create organizations; a user with a verified address may where the settings let
    anyone. Raises CreatorsOnly, CreatorUnverified; both are NotAllowed.
    """
    if actor.type == "operator":
        return
    if actor.type != "user" or conf().create_organizations != "anyone":
        raise errors.CreatorsOnly(permission=permission_label(CREATE_ORGANIZATION))
    if not list(conf().addresses.verified_addresses(actor.subject)):
        raise errors.CreatorUnverified(permission=permission_label(CREATE_ORGANIZATION))


def update_organization(
    *,
    actor: Actor,
    organization: Organization,
    name: str | None = None,
    slug: str | None = None,
    accent: str | None = None,
) -> Organization:
    """Change how an organization is called, its short name and its colour; what is None stays. The short name
    that it had is kept, so that links with it still lead there.

    Raises NotAllowed, NameEmpty, NameHasLink, SlugInvalid, SlugTaken, ColourInvalid.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        before = organization.slug
        typed = {
            "name": None if name is None else clean_name(name),
            "slug": None if slug is None else check_slug(slug),
            "accent": None if accent is None else parse_accent(accent),
        }
        changes = _changes(organization, {key: value for key, value in typed.items() if value is not None})
        if "slug" in changes:
            take_slug(organization, before)
        _save(actor, organization, changes)
    return organization


def update_mail_settings(
    *,
    actor: Actor,
    organization: Organization,
    language: str | None = None,
    reminder_days: str | None = None,
    digests: bool | None = None,
) -> Organization:
    """Set the language of an organization's mail and when it goes out; what is None stays. Pending
    invitations follow new days at once. Raises NotAllowed, LanguageUnknown, ReminderDaysInvalid.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        typed = {
            "language": None if language is None else parse_language(language),
            "reminder_days": None if reminder_days is None else parse_reminder_days(reminder_days),
            "digests": digests,
        }
        changes = _changes(organization, {key: value for key, value in typed.items() if value is not None})
        _save(actor, organization, changes)
        if "reminder_days" in changes:
            plan_reminders(organization)
    return organization


def send_test(*, actor: Actor, organization: Organization) -> Delivery:
    """Mail whoever asks what an invitation looks like, at their own verified address, once a minute.

    Raises NotAllowed, EmailOff, NoVerifiedAddress, TooManyTests.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        if conf().email_sending == "off":
            raise errors.EmailOff
        members = Membership.objects.active().filter(organization=organization, email_verified=True)
        user_id = actor.subject.pk if actor.type == "user" else None
        member = members.exclude(email="").filter(user=user_id).first() if user_id else None
        if member is None:
            raise errors.NoVerifiedAddress
        test = new_notice(organization, Kind.TEST, member.email, {})
        _require_pause(organization, test)
        owe([test])
    return test


def create_setup_link(*, actor: Actor, organization: Organization, email: str | None = None) -> SetupCode:
    """A new set-up link for an organization without an owner; an earlier one stops working.

    `email` is the owner to be, unless told the one of the earlier link.
    Raises NotAllowed, HasOwner, AddressInvalid.
    """
    with access.locked(actor, organization, Permission.ORGANIZATION_UPDATE) as organization:
        if actor.type != "operator":
            raise errors.CreatorsOnly(permission=permission_label(CREATE_ORGANIZATION))
        if _owners(organization).exists():
            raise errors.HasOwner(organization=organization.name)
        unused = SetupLink.objects.filter(organization=organization, used_at=None)
        email = _parsed_address(email or "".join(unused.values_list("email", flat=True)))
        unused.delete()
        code = new_code()
        link = SetupLink.objects.create(
            organization=organization,
            email=email,
            hash=code_hash(code),
            expires_at=organization.now + SETUP_LINK_LIFETIME,
        )
        change = {"email": (None, email)}
        record(actor, organization, Happening("setup_link.created", organization, change))
    return SetupCode(link, code)


def create_first_run_link() -> SetupCode | None:
    """A new link for the first run of a server, ending the one of the start before; None once any user or
    organization exists.
    """
    with transaction.atomic():
        SetupLink.objects.filter(organization=None, used_at=None).delete()
        if _is_set_up():
            return None
        code = new_code()
        return SetupCode(SetupLink.objects.create(hash=code_hash(code)), code)


def claim_setup_link(*, code: str) -> SetupLink:
    """Use a set-up link up, inside the caller's transaction, which makes the owner.

    Only one of any number of concurrent calls gets it. Raises SetupLinkDead.
    """
    link = find_setup_link(code=code)
    if not SetupLink.objects.usable(code).update(used_at=Now()):
        raise errors.SetupLinkDead
    return link


def find_setup_link(*, code: str) -> SetupLink:
    """The set-up link with this code, for showing its page. Raises SetupLinkDead."""
    usable = SetupLink.objects.usable(code).filter(organization__deleted_at=None)
    link = usable.select_related("organization").first()
    if link is None or (link.organization is None and _is_set_up()):
        raise errors.SetupLinkDead
    return link


def make_first_owner(*, actor: Actor, organization: Organization) -> Membership:
    """Make the user who claimed the organization's set-up link its owner. Raises HasOwner."""
    with access.locked_by_holder(organization) as organization:
        if _owners(organization).exists():
            raise errors.HasOwner(organization=organization.name)
        role = Role.objects.get(organization=organization, fixed=True)
        member = Membership.objects.active().filter(organization=organization, user=actor.subject).first()
        if member is None:
            via = Membership.Via.SET_UP
            return add_member(actor, organization, user=actor.subject, via=via, role=role)
        member.role = role
        member.save(update_fields=["role"])
        record(actor, organization, Happening("member.role_changed", member, {"role": (None, role.name)}))
        return member


def _require_pause(organization: Organization, test: Delivery) -> None:
    earlier = Delivery.objects.filter(organization=organization, kind=Kind.TEST, key=test.key)
    newest = earlier.order_by("-created_at").values_list("created_at", flat=True).first()
    if newest and (left := newest + TEST_PAUSE - organization.now) > timedelta(0):
        raise errors.TooManyTests(limit="test", allowed=1, left=0, retry_after=ceil(left.total_seconds()))


def _is_set_up() -> bool:
    return Organization.objects.exists() or get_user_model()._default_manager.exists()


def _owners(organization: Organization) -> Any:
    return Membership.objects.active().filter(organization=organization, role__fixed=True)


def _parsed_address(text: str) -> str:
    found = addresses.parse_items([text]).addresses
    if len(found) != 1:
        raise errors.AddressInvalid(email=text)
    return found[0].email


def _insert(name: str, slug: str) -> Organization:
    organization = Organization(name=name, slug=check_slug(slug))
    take_slug(organization)
    return Organization.objects.lock(organization.pk)


def _changes(organization: Organization, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field → (before, after) of those that differ, and `organization` with what is wanted."""
    before = {name: getattr(organization, name) for name in wanted}
    for name, value in wanted.items():
        setattr(organization, name, value)
    return {name: (before[name], value) for name, value in wanted.items() if value != before[name]}


def _save(actor: Actor, organization: Organization, changes: dict[str, tuple[Any, Any]]) -> None:
    if changes:
        organization.save(update_fields=list(changes))
        record(actor, organization, Happening("organization.updated", organization, changes))


def _insert_roles(organization: Organization) -> Role:
    owner = Role(organization=organization, name="Owner", fixed=True)
    admin = Role(organization=organization, name="Admin", permissions=sorted(admin_permissions()))
    member = Role(organization=organization, name="Member")
    Role.objects.bulk_create([owner, admin, member])
    return owner
