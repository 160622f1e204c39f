"""The messages that invite people, and word to those who invited. Names in them are hostile text; nothing
of them reaches `From`.
"""

import quopri
from collections.abc import Callable
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.conf import conf
from guestlist.links import invitation_url
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import Kind
from guestlist.models.invitation import NEVER, Status
from guestlist.names import clean_name, has_link


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


def message_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The message of a delivery, with its link made from the address in the configuration.

    `delivery` comes with its invitation and organization. Raises ValueError for an address that Django's
    mailer would send to somebody else.
    """
    to = delivery.recipient or delivery.invitation.email
    if sanitize_address(to, "utf-8") != to:
        raise ValueError("a mail server would read this address as another one")
    with translation.override(settings.LANGUAGE_CODE), timezone.override(UTC):
        values = _common(delivery) | _VALUES[Kind(delivery.kind)](delivery)
        template = "invitation" if delivery.kind == Kind.INVITATION else "news"
        message = Message(
            subject=values["subject"],
            body=render_to_string(f"guestlist/email/{template}.txt", values),
            from_email=conf().email_from,
            to=[to],
            reply_to=[values["reply_to"]] if values.get("reply_to") else None,
            headers={"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(render_to_string(f"guestlist/email/{template}.html", values), "text/html")
    return message


def _common(delivery: Delivery) -> dict[str, Any]:
    organization = delivery.organization
    return {
        "organization": _shown(organization.name, otherwise=organization.slug),
        "slug": organization.slug,
        "email": delivery.invitation.email,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }


def _invitation(delivery: Delivery) -> dict[str, Any]:
    invitation, organization = delivery.invitation, delivery.organization
    link = invitation_url(invitation.nonce, invitation.pk)
    name = _shown(organization.name, otherwise=organization.slug)
    inviter_email = _inviter_email(invitation)
    inviter = _shown(invitation.invited_by_name, otherwise=inviter_email)
    return {
        "subject": _subject(inviter if inviter_email else "", name),
        "inviter": inviter,
        "inviter_email": inviter_email,
        "reply_to": inviter_email,
        "expires_at": None if invitation.expires_at == NEVER else invitation.expires_at,
        "link": link,
        "decline_link": f"{link}/decline",
    }


def _asked(delivery: Delivery) -> dict[str, Any]:
    values = _news_values(delivery)
    return {
        "subject": _("%(email)s asks for a new invitation to %(organization)s") % values,
        "text": _("The last invitation can’t be used any more. One click sends a new one."),
        "quote": "",
        "link": _list_url(delivery, "asked"),
        "button": _("Show the request"),
    }


def _declined(delivery: Delivery) -> dict[str, Any]:
    values, note = _news_values(delivery), delivery.invitation.decline_note
    # A mail program would turn a web address of a stranger into a link.
    hidden = has_link(note)
    text = _("They left a word for you, which holds a link. Read it on the page.") if hidden else ""
    return {
        "subject": _("%(email)s declined the invitation to %(organization)s") % values,
        "text": text or _("They left a word for you:"),
        "quote": "" if hidden else note,
        "link": _list_url(delivery, Status.DECLINED),
        "button": _("Show the invitation"),
    }


_VALUES: dict[Kind, Callable[[Delivery], dict[str, Any]]] = {
    Kind.INVITATION: _invitation,
    Kind.ASKED: _asked,
    Kind.DECLINED: _declined,
}


def _news_values(delivery: Delivery) -> dict[str, str]:
    organization = delivery.organization
    return {
        "email": delivery.invitation.email,
        "organization": _shown(organization.name, otherwise=organization.slug),
    }


def _list_url(delivery: Delivery, status: str) -> str:
    path = reverse("guestlist:invitations", args=[delivery.organization.slug])
    return f"{conf().url}{path}?{urlencode({'status': status, 'q': delivery.invitation.key})}"


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
