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


class GuestlistError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    field: ClassVar[str | None] = None

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


class InputTooLarge(GuestlistError):
    """That is too much text at once. Send at most 1,000,000 characters."""

    code, status = "input_too_large", 413


class TooManyAddresses(GuestlistError):
    """That is {count} addresses. Send at most {limit} at a time; nothing was sent."""

    code, status, field = "too_many_addresses", 422, "emails"


class NoAddresses(GuestlistError):
    """Enter at least one email address."""

    code, status, field = "no_addresses", 422, "emails"


class NothingChosen(GuestlistError):
    """Say which invitations: give their ids, or a filter."""

    code, status, field = "nothing_chosen", 422, "ids"


class TooManyIds(GuestlistError):
    """That is {count} ids. Give at most {limit} at a time, or use a filter."""

    code, status, field = "too_many_ids", 422, "ids"


class InvalidFilter(GuestlistError):
    """“{value}” is not something to filter or sort by. Use one of: {choices}."""

    code, status, field = "invalid_filter", 422, "sort"


class InvalidCursor(GuestlistError):
    """This cursor is not one that this list gave. Start again without a cursor."""

    code, status, field = "invalid_cursor", 422, "cursor"


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


class UnknownRole(GuestlistError):
    """There is no such role in this organization."""

    code, status, field = "unknown_role", 422, "role"


class UnknownPermission(GuestlistError):
    """There is no permission “{permission}”."""

    code, status, field = "unknown_permission", 422, "permissions"


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
