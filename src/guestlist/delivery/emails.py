"""The messages that invite people. Names in them are hostile text; nothing of them reaches `From`."""

import quopri
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.conf import conf
from guestlist.links import invitation_url
from guestlist.models import Delivery, Invitation
from guestlist.models.invitation import NEVER
from guestlist.names import clean_name


class Message(EmailMultiAlternatives):
    """A message of ASCII lines: no server on its way has to re-encode it, which would break signatures."""

    def message(self, *args: Any, **kwargs: Any) -> Any:
        """The message with every text as quoted-printable."""
        built = super().message(*args, **kwargs)
        for part in built.walk():
            if part.get_content_maintype() == "text":
                content: Any = part.get_payload(decode=True)
                del part["Content-Transfer-Encoding"]
                part["Content-Transfer-Encoding"] = "quoted-printable"
                part.set_payload(quopri.encodestring(content).decode("ascii"))
        return built


def invitation_message(delivery: Delivery) -> EmailMultiAlternatives:
    """The message of an invitation, with its link made from the address in the configuration.

    `delivery` comes with its invitation and organization. Raises ValueError for an address that Django's
    mailer would send to somebody else.
    """
    invitation = delivery.invitation
    if sanitize_address(invitation.email, "utf-8") != invitation.email:
        raise ValueError("a mail server would read this address as another one")
    with translation.override(settings.LANGUAGE_CODE), timezone.override(UTC):
        values = _values(delivery)
        message = Message(
            subject=values["subject"],
            body=render_to_string("guestlist/email/invitation.txt", values),
            from_email=conf().email_from,
            to=[invitation.email],
            reply_to=[values["inviter_email"]] if values["inviter_email"] else None,
            headers={"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(render_to_string("guestlist/email/invitation.html", values), "text/html")
    return message


def _values(delivery: Delivery) -> dict[str, Any]:
    invitation, organization = delivery.invitation, delivery.organization
    link = invitation_url(invitation.nonce, invitation.pk)
    name = _shown(organization.name, otherwise=organization.slug)
    inviter_email = _inviter_email(invitation)
    inviter = _shown(invitation.invited_by_name, otherwise=inviter_email)
    return {
        "subject": _subject(inviter if inviter_email else "", name),
        "organization": name,
        "slug": organization.slug,
        "inviter": inviter,
        "inviter_email": inviter_email,
        "email": invitation.email,
        "expires_at": None if invitation.expires_at == NEVER else invitation.expires_at,
        "link": link,
        "decline_link": f"{link}/decline",
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }


def _subject(inviter: str, organization: str) -> str:
    if not inviter:
        return _("Join %(organization)s") % {"organization": organization}
    values = {"inviter": inviter, "organization": organization}
    return _("%(inviter)s invited you to join %(organization)s") % values


def _inviter_email(invitation: Invitation) -> str:
    """The address of the person who invited; a key and the operator have none."""
    email = invitation.invited_by_email if invitation.invited_by_type == "user" else ""
    return email if email and sanitize_address(email, "utf-8") == email else ""


def _shown(name: str, *, otherwise: str) -> str:
    """`name`, unless a mail program would turn a part of it into a link."""
    try:
        return clean_name(name)
    except errors.GuestlistError:
        return otherwise
