"""/outbox: mail captured in development, so that a newcomer sees the whole loop without a mail server.

Links of invitations are computed when the page is looked at; nothing with a link is stored.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from guestlist.delivery.emails import message_of
from guestlist.links import invitation_url
from guestlist.models import Delivery
from guestlist.models.delivery import TO_INVITED, State
from guestlist_server.capture import captured, captured_bytes

SHOWN = 100
FORWARDING = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
_URL = re.compile(r"https?://[^\s<>\"']+")


def outbox(request: HttpRequest) -> HttpResponse:
    """The captured mail, newest first, with its links."""
    _refuse_unless_captured(request)
    messages = sorted([*_deliveries(), *_account_mail()], key=lambda message: message["at"], reverse=True)
    return render(request, "outbox.html", {"messages": messages[:SHOWN]})


def download(request: HttpRequest, message_id: str) -> HttpResponse:
    """One captured message as a mail program opens it."""
    _refuse_unless_captured(request)
    content = captured_bytes(message_id) or _delivery_bytes(message_id)
    if content is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{message_id}.eml"'}
    return HttpResponse(content, content_type="message/rfc822", headers=headers)


def _refuse_unless_captured(request: HttpRequest) -> None:
    """The page exists only where mail is captured, and for nobody who comes through a proxy."""
    if settings.ENV.email_sending != "capture" or not settings.ENV.loopback or is_forwarded(request):
        raise Http404


def is_forwarded(request: HttpRequest) -> bool:
    """Whether a proxy says that it passed the request on."""
    return any(name in FORWARDING or name.startswith("HTTP_X_FORWARDED") for name in request.META)


def _sent() -> QuerySet[Delivery]:
    sent = Delivery.objects.filter(state=State.SENT)
    return sent.select_related("invitation", "organization").order_by("-at", "-pk")


def _deliveries() -> Iterator[dict[str, Any]]:
    for delivery in _sent()[:SHOWN]:
        message, links = message_of(delivery), []
        if delivery.invitation and delivery.kind in TO_INVITED:
            link = invitation_url(delivery.invitation.nonce, delivery.invitation.pk)
            links = [
                {"url": link, "label": _("Accept invitation")},
                {"url": f"{link}/decline", "label": _("Decline")},
            ]
        text = str(message.body)
        yield _shown(
            str(delivery.pk),
            message.to[0],
            str(message.subject),
            delivery.at,
            text,
            links or _links_in(text),
            delivery.kind,
        )


def _delivery_bytes(message_id: str) -> bytes | None:
    try:
        delivery = _sent().filter(pk=message_id).first()
    except ValidationError:  # not an id
        return None
    return message_of(delivery).message().as_bytes() if delivery else None


def _links_in(text: str) -> list[dict[str, str]]:
    return [{"url": url, "label": url} for url in dict.fromkeys(_URL.findall(text))]


def _account_mail() -> Iterator[dict[str, Any]]:
    for name, seconds, message in captured():
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        links = _links_in(text)
        at = datetime.fromtimestamp(seconds, UTC)
        yield _shown(name, str(message["To"]), str(message["Subject"]), at, text, links, "account")


def _shown(
    message_id: str, to: str, subject: str, at: datetime | None, text: str, links: list[Any], kind: str
) -> dict[str, Any]:
    return {
        "id": message_id,
        "to": to,
        "subject": subject,
        "at": at,
        "text": text,
        "links": links,
        "download_url": f"/outbox/{message_id}.eml",
        "kind": kind,
    }
