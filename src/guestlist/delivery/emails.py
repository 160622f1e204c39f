"""The messages that invite people, and word to those who invited. Names in them are hostile text; nothing
of them reaches `From`.
"""

import quopri
from collections.abc import Callable
from dataclasses import dataclass
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
from guestlist.links import invitation_url, unsubscribe_url
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import TO_INVITED, Kind
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


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is drawn. `personal` are those values of its template that differ between the
    messages of one send; all others are in `shared`. `headers` are its own.
    """

    to: str
    template: str
    language: str
    shared: dict[str, Any]
    personal: dict[str, str]
    headers: dict[str, str]


def draft_of(delivery: Delivery) -> Draft:
    """What the message of a delivery says, with its links made from the address in the configuration.

    `delivery` comes with its invitation and organization. Raises ValueError for an address that Django's
    mailer would send to somebody else.
    """
    invitation = delivery.invitation
    to = delivery.recipient or invitation.email
    if sanitize_address(to, "utf-8") != to:
        raise ValueError("a mail server would read this address as another one")
    language = language_of(delivery)
    with translation.override(language), timezone.override(UTC):
        shared = _common(delivery) | _VALUES[Kind(delivery.kind)](delivery)
    personal, headers = {}, {"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"}
    if delivery.kind in TO_INVITED:
        link = invitation_url(invitation.nonce, invitation.pk)
        unsubscribe = unsubscribe_url(invitation.nonce, invitation.pk)
        personal = {"email": to, "link": link, "decline_link": f"{link}/decline"}
        headers["List-Unsubscribe"] = f"<{unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return Draft(to, _TEMPLATES.get(Kind(delivery.kind), "news"), language, shared, personal, headers)


def draw(draft: Draft) -> Message:
    """The message of `draft`."""
    values = draft.shared | draft.personal
    with translation.override(draft.language), timezone.override(UTC):
        message = Message(
            subject=values["subject"],
            body=render_to_string(f"guestlist/email/{draft.template}.txt", values),
            from_email=conf().email_from,
            to=[draft.to],
            reply_to=[values["reply_to"]] if values.get("reply_to") else None,
            headers=draft.headers,
        )
        html = render_to_string(f"guestlist/email/{draft.template}.html", values)
    message.attach_alternative(html, "text/html")
    return message


def message_of(delivery: Delivery) -> Message:
    """The message of a delivery. Raises ValueError as `draft_of` does."""
    return draw(draft_of(delivery))


def language_of(delivery: Delivery) -> str:
    """The invitation's language, else the organization's, else the server's."""
    chosen = (delivery.invitation.language if delivery.invitation else "") or delivery.organization.language
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _common(delivery: Delivery) -> dict[str, Any]:
    organization = delivery.organization
    return {
        "organization": _shown(organization.name, otherwise=organization.slug),
        "slug": organization.slug,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }


def _invitation(delivery: Delivery) -> dict[str, Any]:
    invitation, organization = delivery.invitation, delivery.organization
    name = _shown(organization.name, otherwise=organization.slug)
    inviter_email = _inviter_email(invitation)
    inviter = _shown(invitation.invited_by_name, otherwise=inviter_email)
    return {
        "subject": _subject(inviter if inviter_email else "", name),
        "inviter": inviter,
        "inviter_email": inviter_email,
        "reply_to": inviter_email,
        "expires_at": None if invitation.expires_at == NEVER else invitation.expires_at,
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
_TEMPLATES = {Kind.INVITATION: "invitation"}


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
