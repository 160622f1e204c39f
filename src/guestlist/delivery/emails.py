"""The messages that invite people, and word to those who invited. Names in them are hostile text; nothing
of them reaches `From`.
"""

import quopri
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.utils import timezone, translation

from guestlist.conf import conf
from guestlist.delivery.wording import template_of, values_of
from guestlist.links import invitation_url, unsubscribe_url
from guestlist.models import Delivery
from guestlist.models.delivery import TO_INVITED


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
        shared = values_of(delivery)
    personal, headers = personal_of(delivery)
    return Draft(to, template_of(delivery), language, shared, personal, headers)


def personal_of(delivery: Delivery) -> tuple[dict[str, str], dict[str, str]]:
    """What differs between the messages of one send: the values of its template, and the headers."""
    headers = {"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"}
    if delivery.kind not in TO_INVITED:
        return {}, headers
    invitation = delivery.invitation
    link = invitation_url(invitation.nonce, invitation.pk)
    headers["List-Unsubscribe"] = f"<{unsubscribe_url(invitation.nonce, invitation.pk)}>"
    headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return {"email": invitation.email, "link": link, "decline_link": f"{link}/decline"}, headers


def shared_key(delivery: Delivery) -> Hashable:
    """Equal for messages that differ in nothing but what is personal: whatever `draft_of` reads is in it."""
    organization, invitation = delivery.organization, delivery.invitation
    return (
        delivery.kind,
        language_of(delivery),
        *(organization.pk, organization.slug, organization.name, organization.accent),
        *(invitation.invited_by_type, invitation.invited_by_name, invitation.invited_by_email),
        invitation.expires_at,
    )


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
