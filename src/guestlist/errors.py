"""Every way Guestlist says no. The docstring is the sentence that the person reads."""

from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_noop

# How an invitation can have ended, as sentences say it.
STATUSES = {
    "accepted": gettext_noop("accepted"),
    "declined": gettext_noop("declined"),
    "revoked": gettext_noop("revoked"),
    "expired": gettext_noop("expired"),
}

# How an API key can have ended, as sentences say it.
KEY_STATUSES = {
    "expired": gettext_noop("expired"),
    "revoked": gettext_noop("revoked"),
    "creator_gone": gettext_noop("without its creator"),
}


class GuestlistError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    field: str | None = None

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self.values = values

    def __str__(self) -> str:
        sentence = gettext(" ".join((type(self).__doc__ or "").split()))
        return sentence.format(**self.values)

    def as_problem(self) -> dict[str, Any]:
        """The error as `application/problem+json` (RFC 9457)."""
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": str(self),
            "status": self.status,
            "detail": str(self),
            "code": self.code,
        }
        if self.field:
            problem["errors"] = [{"field": self.field, "code": self.code, "detail": str(self)}]
        return problem | {k: v for k, v in self.values.items() if k in self.shown}

    shown: ClassVar[tuple[str, ...]] = ()
    # Whether the same call may well succeed a moment later.
    passes: ClassVar[bool] = False


class NotSignedIn(GuestlistError):
    """Give an API key of this organization: Authorization: Bearer glk_…"""

    code, status = "not_signed_in", 401


class NotAllowed(GuestlistError):
    """This needs the permission “{permission}”. An owner or admin of {organization} can give it to you."""

    code, status = "not_allowed", 403


class CreatorsOnly(NotAllowed):
    """Creating an organization needs the permission “{permission}”. Only this server’s operator has it."""


class CreatorUnverified(NotAllowed):
    """Creating an organization needs a verified email address. Verify yours first."""


class NotFound(GuestlistError):
    """There is nothing at this address, or you may not see it."""

    code, status = "not_found", 404


class OrganizationGone(NotFound):
    """{organization} no longer takes invitations."""


class InvalidInput(GuestlistError):
    """Something in the request is not as it should be; “errors” names each field."""

    code, status = "invalid_input", 422
    shown = ("errors",)

    @classmethod
    def of(cls, field: str, code: str, detail: str) -> "InvalidInput":
        """About one field."""
        return cls(errors=[{"field": field, "code": code, "detail": detail}])


class InputTooLarge(GuestlistError):
    """That is too much text at once. Send at most 1,000,000 characters."""

    code, status = "input_too_large", 413


class FileTooLarge(InputTooLarge):
    """That file is too large. It can have at most 4 MB."""


class FormTooLarge(InputTooLarge):
    """That is too much text at once, or too large a file. Send at most 1,000,000 characters or 4 MB."""


class TooManyAddresses(GuestlistError):
    """That is {count} addresses. Send at most {limit} at a time; nothing was sent."""

    code, status, field = "too_many_addresses", 422, "emails"


class NoAddresses(GuestlistError):
    """Enter at least one email address."""

    code, status, field = "no_addresses", 422, "emails"


class NoFile(NoAddresses):
    """Choose a file first."""


class FileEmpty(NoAddresses):
    """There is nothing in this file."""


class FileWithoutAddress(NoAddresses):
    """There is no address in this file."""


class FileNotText(GuestlistError):
    """This file is not text. Save it as CSV first, then choose that file."""

    code, status, field = "file_not_text", 422, "file"


class NothingChosen(GuestlistError):
    """Say which invitations: give their ids, or a filter."""

    code, status, field = "nothing_chosen", 422, "ids"


class NoInvitationsChosen(NothingChosen):
    """Select at least one invitation first."""


class NoMembersChosen(NothingChosen):
    """Select at least one member first."""


class TooManyIds(GuestlistError):
    """That is {count} ids. Give at most {limit} at a time, or use a filter."""

    code, status, field = "too_many_ids", 422, "ids"


class InvalidFilter(GuestlistError):
    """“{value}” is not something to filter or sort by. Use one of: {choices}."""

    code, status, field = "invalid_filter", 422, "sort"

    def __init__(self, *, field: str = "sort", **values: str) -> None:
        super().__init__(**values)
        self.field = field


class InvalidCursor(GuestlistError):
    """This cursor is not one that this list gave. Start again without a cursor."""

    code, status, field = "invalid_cursor", 422, "cursor"


class IdempotencyKeyInvalid(GuestlistError):
    """Idempotency-Key holds 1 to 255 printable ASCII characters, for example a UUID."""

    code, status, field = "idempotency_key_invalid", 422, "Idempotency-Key"


class IdempotencyKeyReused(GuestlistError):
    """This Idempotency-Key was used for another call in the last 24 hours. Use a new one for each call."""

    code, status, field = "idempotency_key_reused", 422, "Idempotency-Key"


class NotPending(GuestlistError):
    """This invitation is no longer pending: it is {status}."""

    code, status = "not_pending", 409
    shown = ("invitation_status",)

    def __init__(self, status: str) -> None:
        super().__init__(status=gettext(STATUSES.get(status, status)), invitation_status=status)


class AccountExists(GuestlistError):
    """This address has an account already. Sign in with it, or ask whoever runs this server for help."""

    code, status = "account_exists", 409


class UnsupportedCharset(GuestlistError):
    """Send forms as UTF-8."""

    code, status = "unsupported_charset", 415


class EmailMismatch(GuestlistError):
    """This invitation is for another email address than those you have verified."""

    code, status = "email_mismatch", 403


class AddressNotConfirmed(GuestlistError):
    """That is not the address this invitation was sent to."""

    code, status, field = "address_not_confirmed", 403, "email"


class MailboxNotProved(GuestlistError):
    """Only the owner of the address can do that. Sign in with it, or open the link that was mailed to it."""

    code, status = "mailbox_not_proved", 403


class Suppressed(GuestlistError):
    """{email} asked not to be invited again, so nothing was sent."""

    code, status = "suppressed", 409


class LimitReached(GuestlistError):
    """A limit has been reached; nothing was sent. Try again {when}."""

    code, status = "limit_reached", 429
    # What a program needs: the name of the limit, how many it allows, how many are left, seconds to wait.
    shown = ("limit", "allowed", "left", "retry_after")


class InviterLimit(LimitReached):
    """Invitations left to you now: {left} of {allowed} in {period}. Nothing was sent; try again {when}."""

    code = "inviter_limit"


class OrganizationLimit(LimitReached):
    """Invitations left to {organization} now: {left} of {allowed} in {period}. Nothing was sent; try again
    {when}.
    """

    code = "organization_limit"


class ResendLimit(LimitReached):
    """This invitation was sent again a short while ago. Nothing was sent; try again {when}."""

    code = "resend_limit"


class CreationLimit(LimitReached):
    """Organizations left to you to create: {left} of {allowed} in {period}. Try again {when}."""

    code = "creation_limit"


class TooManyTries(LimitReached):
    """Too many links or keys that don’t exist were tried from your network. Try again {when}."""

    code = "too_many_tries"


class TooManyTests(LimitReached):
    """A test was mailed to you a moment ago. Look for it, and send another one in a minute."""

    code = "too_many_tests"


class NotRetryable(GuestlistError):
    """This message can’t be sent again: it is {state}."""

    code, status = "not_retryable", 409
    shown = ("delivery_state", "invitation_status")


class ColourInvalid(GuestlistError):
    """Write a colour as # and six digits or letters from a to f, for example #4a47d6."""

    code, status, field = "colour_invalid", 422, "accent"


class LanguageUnknown(GuestlistError):
    """There is no language “{language}” here. Use one of: {choices}."""

    code, status, field = "language_unknown", 422, "language"


class ReminderDaysInvalid(GuestlistError):
    """Write the days as numbers from 1 to 60 with commas between them, at most five, or leave them out."""

    code, status, field = "reminder_days_invalid", 422, "reminder_days"


class NoVerifiedAddress(GuestlistError):
    """A test goes to your own address, and you have none that is verified. Verify yours first."""

    code, status = "no_verified_address", 409


class EmailOff(GuestlistError):
    """E-mail is not configured, so no test can go out. Whoever runs this server can set it up."""

    code, status = "email_off", 409


class EmailConfigured(GuestlistError):
    """E-mail is configured, so invitations go out by mail. Links to hand over are for servers without it."""

    code, status = "email_configured", 409


class LastOwner(GuestlistError):
    """{organization} needs at least one owner. Make somebody else an owner first."""

    code, status = "last_owner", 409


class AboveOwnRole(GuestlistError):
    """You can’t give or take away permissions that you don’t have yourself."""

    code, status = "above_own_role", 403


class OwnRole(GuestlistError):
    """You can’t change your own role. Ask another owner or admin."""

    code, status = "own_role", 403


class OwnMembership(GuestlistError):
    """You can’t remove yourself. Leave the organization instead."""

    code, status = "own_membership", 403


class OwnersOnly(GuestlistError):
    """Only an owner can pass the ownership on."""

    code, status = "owners_only", 403


class UnknownRole(GuestlistError):
    """There is no such role in this organization."""

    code, status, field = "unknown_role", 422, "role"


class UnknownPermission(GuestlistError):
    """There is no permission “{permission}”."""

    code, status, field = "unknown_permission", 422, "permissions"


class FixedRole(GuestlistError):
    """The role {role} has every permission in every organization, so it can’t be changed or deleted."""

    code, status = "fixed_role", 409


class RoleNameTaken(GuestlistError):
    """There is a role “{name}” already. Choose another name."""

    code, status, field = "role_name_taken", 409, "name"


class RoleHasMembers(GuestlistError):
    """The role {role} has members. Choose which role they get instead, or none."""

    code, status, field = "role_has_members", 409, "successor"


class TooManyRoles(GuestlistError):
    """There is room for {limit} roles. Change or delete one of those there are."""

    code, status = "too_many_roles", 409


class NameEmpty(GuestlistError):
    """Enter a name."""

    code, status, field = "name_empty", 422, "name"


class NameHasLink(GuestlistError):
    """A name can’t hold a web address. Write it without dots or slashes."""

    code, status, field = "name_has_link", 422, "name"


class SlugInvalid(GuestlistError):
    """The short name may hold lower-case letters, digits and single hyphens between them, 63 at most."""

    code, status, field = "slug_invalid", 422, "slug"


class SlugTaken(GuestlistError):
    """Another organization has the short name “{slug}”."""

    code, status, field = "slug_taken", 409, "slug"


class NameMismatch(GuestlistError):
    """That is not the name of the organization. Type “{organization}”."""

    code, status, field = "name_mismatch", 422, "name"


class TwoFactorRequired(GuestlistError):
    """{organization} requires two-factor authentication. Set it up to go on."""

    code, status = "two_factor_required", 403


class TwoFactorFirst(GuestlistError):
    """Set up two-factor authentication for yourself first. Otherwise you would lock yourself out."""

    code, status = "two_factor_first", 409


class TwoFactorUnknown(GuestlistError):
    """This server doesn’t know who uses two-factor authentication, so it can’t be required."""

    code, status = "two_factor_unknown", 409


class AddressInvalid(GuestlistError):
    """“{email}” is not an email address."""

    code, status, field = "address_invalid", 422, "email"


class HasOwner(GuestlistError):
    """{organization} has an owner already, so it needs no set-up link."""

    code, status = "has_owner", 409


class SetupLinkDead(GuestlistError):
    """This set-up link was used already, has expired, or never existed."""

    code, status = "setup_link_dead", 410


class MailFailed(GuestlistError):
    """The mail server doesn’t answer, so nothing was sent. Try again in a few minutes."""

    code, status = "mail_failed", 503


class DomainInvalid(GuestlistError):
    """“{domain}” is not a mail domain. Write for example acme.com, or *.acme.com for what is below it."""

    code, status, field = "domain_invalid", 422, "domains"


class TooManyDomains(GuestlistError):
    """There is room for {limit} domains."""

    code, status, field = "too_many_domains", 422, "domains"


class LifetimeInvalid(GuestlistError):
    """Write a lifetime from 1 hour to 3,650 days, for example 36h or 7d, or never."""

    code, status, field = "lifetime_invalid", 422, "lifetime"


class DomainNotAllowed(GuestlistError):
    """{organization} doesn’t allow invitations to addresses at {domain}."""

    code, status = "domain_not_allowed", 409


class OwnerNotForNewMembers(GuestlistError):
    """Nobody becomes an owner by joining. Choose another role for new members."""

    code, status, field = "owner_not_for_new_members", 422, "role"


class PublicDomain(GuestlistError):
    """Anybody can have an address at {domain}, so it can’t be your organization’s domain."""

    code, status, field = "public_domain", 422, "domain"


class DomainListed(GuestlistError):
    """{domain} is in the list already."""

    code, status, field = "domain_listed", 409, "domain"


class AddressElsewhere(GuestlistError):
    """The code has to go to an address at {domain} itself."""

    code, status, field = "address_elsewhere", 422, "email"


class ModeUnknown(GuestlistError):
    """Say what people with an address there may do. Use one of: {choices}."""

    code, status, field = "mode_unknown", 422, "mode"


class DomainVerified(GuestlistError):
    """{domain} is verified already."""

    code, status = "domain_verified", 409


class DomainUnverified(GuestlistError):
    """{domain} is not verified yet. Enter the code that was mailed first."""

    code, status = "domain_unverified", 409


class CodeWrong(GuestlistError):
    """That is not the code. Look at the newest mail and enter its 8 digits."""

    code, status, field = "code_wrong", 422, "code"


class CodeExpired(GuestlistError):
    """That code holds for one hour, which is over. Send a new one."""

    code, status, field = "code_expired", 410, "code"


class CodeTriesOver(GuestlistError):
    """Too many wrong codes were entered, so this one no longer works. Send a new one."""

    code, status, field = "code_tries_over", 410, "code"


class TooManyCodes(LimitReached):
    """A code was mailed there a short while ago. Nothing was sent; try again {when}."""

    code = "too_many_codes"


class DomainClosed(GuestlistError):
    """{organization} doesn’t let people at {domain} in this way any more."""

    code, status = "domain_closed", 409


class AskedBefore(GuestlistError):
    """{organization} has answered your request already. Talk to somebody there, or ask again tomorrow."""

    code, status = "asked_before", 409


class TooManyRequests(GuestlistError):
    """So many people ask to join {organization} that no more requests are taken. Try again later."""

    code, status = "too_many_requests", 409


class BelongsAlready(GuestlistError):
    """You belong to {organization} already."""

    code, status = "belongs_already", 409


class NoRequestsChosen(GuestlistError):
    """Say which requests: select some first."""

    code, status, field = "no_requests_chosen", 422, "ids"


class RemovedBefore(GuestlistError):
    """You were removed from {organization} and can’t join by yourself. Ask a manager there to invite you."""

    code, status = "removed_before", 403


class NoFittingAddress(GuestlistError):
    """You have verified no address with which you can join {organization} in this way."""

    code, status = "no_fitting_address", 403


class LinkForDomains(GuestlistError):
    """This link is for addresses at {domains}."""

    code, status, field = "link_for_domains", 422, "email"


class JoinLinkClosed(GuestlistError):
    """The link by which you wanted to join {organization} is used up, has expired or was turned off."""

    code, status = "join_link_closed", 410


class JoiningNeedsEmail(GuestlistError):
    """E-mail is not configured, so no invitation can go out. Sign in with an account that has the address."""

    code, status = "joining_needs_email", 409


class SelfInvitationLimit(LimitReached):
    """So many people ask to join {organization} now that no more mail goes out. Try again {when}."""

    code = "self_invitation_limit"


class MaxUsesInvalid(GuestlistError):
    """Write how often it can be used as a number from {least} to {most}, or leave it out."""

    code, status, field = "max_uses_invalid", 422, "max_uses"


class ExpiryInvalid(GuestlistError):
    """Choose a day from tomorrow on, and within ten years."""

    code, status, field = "expiry_invalid", 422, "expires"


class OverlapInvalid(GuestlistError):
    """Write how long the old one goes on, from 0 to {days} days, for example 24h or 7d."""

    code, status, field = "overlap_invalid", 422, "overlap"


class KeyEnded(GuestlistError):
    """This key has ended already: it is {status}."""

    code, status = "key_ended", 409

    def __init__(self, status: str) -> None:
        super().__init__(status=gettext(KEY_STATUSES.get(status, status)))


class KeyReplaced(GuestlistError):
    """This key has been replaced already. Rotate the one that replaces it."""

    code, status = "key_replaced", 409


class KeyMade(GuestlistError):
    """This key has been made already, and was shown that one time. If it is lost, rotate it."""

    code, status = "key_made", 409


class TooManyJoinLinks(GuestlistError):
    """There is room for {limit} join links that are on. Turn one off first."""

    code, status = "too_many_join_links", 409


class WebhookUrlInvalid(GuestlistError):
    """That is not the address of a webhook. Write for example https://example.com/hooks, without a user name
    and without a #.
    """

    code, status, field = "webhook_url_invalid", 422, "url"


class WebhookUrlInsecure(GuestlistError):
    """Use an address that begins with https://, so that nobody reads on the way what is sent there."""

    code, status, field = "webhook_url_insecure", 422, "url"


class WebhookTargetForbidden(GuestlistError):
    """This address is not on the public network, so nothing is sent there. Whoever runs this server can allow
    it.
    """

    code, status, field = "webhook_target_forbidden", 422, "url"


class WebhookTargetUnknown(GuestlistError):
    """There is no server called {host}. Look for a typing error, or try again in a minute."""

    code, status, field = "webhook_target_unknown", 422, "url"


class WebhookTargetBusy(GuestlistError):
    """Too many addresses are being looked up right now. Try again in a few seconds."""

    code, status, field = "webhook_target_busy", 503, "url"
    passes = True


class WebhookTypeUnknown(GuestlistError):
    """Webhooks carry no events of the type “{type}”."""

    code, status, field = "webhook_type_unknown", 422, "types"


class WebhookWithoutTypes(GuestlistError):
    """Choose at least one type of event."""

    code, status, field = "webhook_without_types", 422, "types"


class WebhookTypeUnreadable(GuestlistError):
    """This webhook is told of “{type}”, and to read that you need the permission “{permission}”."""

    code, status, field = "webhook_type_unreadable", 403, "types"


class WebhookCreatorMayNotRead(GuestlistError):
    """Whoever created this webhook may not read “{type}”, so it would never be told. Create another one."""

    code, status, field = "webhook_creator_may_not_read", 409, "types"


class TooManyWebhooks(GuestlistError):
    """There is room for {limit} webhooks. Delete one first."""

    code, status = "too_many_webhooks", 409


class WebhookMade(GuestlistError):
    """This webhook has been made already; its secret was shown that one time. If it is lost, rotate it."""

    code, status = "webhook_made", 409


class SecretReplaced(GuestlistError):
    """This secret has been replaced already, and the new one was shown that one time. If it is lost, rotate
    it again.
    """

    code, status = "secret_replaced", 409


class WebhookOff(GuestlistError):
    """This webhook is off, so nothing is sent to it. Turn it on first."""

    code, status = "webhook_off", 409


class CallUnderWay(GuestlistError):
    """This call is being made right now. Wait for the answer."""

    code, status = "call_under_way", 409
    passes = True
