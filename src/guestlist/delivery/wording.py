"""What each kind of message says: the values of its template, in the language that is active."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.mail.message import sanitize_address
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actions.lifetimes import lifetime_of
from guestlist.colours import button_colours
from guestlist.conf import conf
from guestlist.links import domain_code
from guestlist.models import Delivery, Domain, Invitation, JoinRequest, Membership
from guestlist.models.delivery import Kind
from guestlist.models.invitation import NEVER, Status
from guestlist.models.webhook import WhyOff
from guestlist.names import clean_line, clean_name, has_link

LONGEST_WORDS = 200


def values_of(delivery: Delivery) -> dict[str, Any]:
    """All values of the template of a message but those that are personal."""
    organization = delivery.organization
    common = {
        "organization": _organization(delivery),
        "slug": organization.slug,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        **button_colours(organization.accent),
    }
    return common | _VALUES[Kind(delivery.kind)](delivery)


def template_of(delivery: Delivery) -> str:
    """The name of its template in guestlist/email/, without the suffix."""
    return _TEMPLATES.get(Kind(delivery.kind), str(delivery.kind))


def _invitation(delivery: Delivery) -> dict[str, Any]:
    invitation = delivery.invitation
    inviter_email = _inviter_email(invitation)
    inviter = _shown(invitation.invited_by_name, otherwise=inviter_email)
    return {
        "subject": _subject(inviter if inviter_email else "", _organization(delivery)),
        "inviter": inviter,
        "inviter_email": inviter_email,
        "reply_to": inviter_email,
        "expires_at": None if invitation.expires_at == NEVER else invitation.expires_at,
    }


def _reminder(delivery: Delivery) -> dict[str, Any]:
    values = _invitation(delivery)
    names = {"inviter": values["inviter"], "organization": _organization(delivery)}
    if not values["inviter_email"]:
        return values | {"subject": _("Reminder: join %(organization)s") % names}
    return values | {"subject": _("Reminder: %(inviter)s invited you to join %(organization)s") % names}


def _asked(delivery: Delivery) -> dict[str, Any]:
    values = _news_values(delivery)
    return {
        "subject": _("%(email)s asks for a new invitation to %(organization)s") % values,
        "text": _("The last invitation can’t be used any more. One click sends a new one."),
        "quote": "",
        "link": _list_url(delivery, "asked", delivery.invitation.key),
        "label": _("Show the request"),
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
        "link": _list_url(delivery, Status.DECLINED, delivery.invitation.key),
        "label": _("Show the invitation"),
    }


def _digest(delivery: Delivery) -> dict[str, Any]:
    expired, bounced = (_part(delivery.content.get(name, {})) for name in ("expired", "bounced"))
    expired["heading"] = _expired(expired["count"])
    bounced["heading"] = _bounced(bounced["count"])
    values = {
        "organization": _organization(delivery),
        "expired": expired["heading"],
        "bounced": bounced["heading"],
    }
    if not bounced["count"]:
        subject = _("%(organization)s: %(expired)s") % values
    elif not expired["count"]:
        subject = _("%(organization)s: %(bounced)s") % values
    else:
        subject = _("%(organization)s: %(expired)s, %(bounced)s") % values
    return {
        "subject": subject,
        "parts": [part for part in (expired, bounced) if part["count"]],
        "link": _list_url(delivery, Status.EXPIRED if expired["count"] else Status.PENDING),
    }


def _expired(count: int) -> str:
    return ngettext("%(count)s invitation expired", "%(count)s invitations expired", count) % {"count": count}


def _bounced(count: int) -> str:
    return ngettext("%(count)s email came back", "%(count)s emails came back", count) % {"count": count}


def _part(content: Mapping[str, Any]) -> dict[str, Any]:
    """One part of a digest: how many, the first of them, and how many more."""
    first = [{"email": line["email"], "words": _words(line["detail"])} for line in content.get("first", ())]
    count = int(content.get("count", 0))
    return {"count": count, "first": first, "more": count - len(first)}


def _words(said: str) -> str:
    """What a stranger's mail server said, without what a mail program would turn into a link."""
    words = " ".join("…" if has_link(word) else word for word in said.split())
    line = clean_line(words, LONGEST_WORDS)
    return "" if has_link(line) else line


def _test(delivery: Delivery) -> dict[str, Any]:
    """An invitation as it would look if whoever gets the test had sent it."""
    organization, to = delivery.organization, delivery.recipient
    member = Membership.objects.active().filter(organization=organization, email=to).first()
    inviter = _shown(member.name if member else "", otherwise=to)
    lifetime = lifetime_of(organization)
    return {
        "subject": _("Test: %s") % _subject(inviter, _organization(delivery)),
        "inviter": inviter,
        "inviter_email": to,
        "expires_at": lifetime and delivery.created_at + lifetime,
        "email": to,
        "link": f"{conf().url}{reverse('guestlist:settings', args=[organization.slug])}",
    }


def _domain_code(delivery: Delivery) -> dict[str, Any]:
    """The newest code of the domain; none where the domain is gone or verified meanwhile."""
    organization, content = delivery.organization, delivery.content
    rows = Domain.objects.filter(organization=organization, pk=content.get("domain"), verified_at=None)
    domain = rows.first()
    if domain is None:
        raise ValueError("the domain is verified or gone")
    asked_by = content.get("asked_by") or ""
    return {
        "subject": _("Your code for %(domain)s") % {"domain": domain.domain},
        "domain": domain.domain,
        "asked_by": _shown(asked_by, otherwise="") if asked_by else "",
        "code": domain_code(domain.nonce, domain.pk),
    }


def _join_request(delivery: Delivery) -> dict[str, Any]:
    organization = delivery.organization
    waiting = JoinRequest.objects.pending().filter(organization=organization)
    number, newest = waiting.count(), waiting.order_by("-created_at", "-pk").first()
    values = {
        "organization": _organization(delivery),
        "count": number,
        "email": newest.email if newest else "",
    }
    one = _("%(email)s asks to join %(organization)s") % values
    many = ngettext(
        "%(count)s person asks to join %(organization)s",
        "%(count)s people ask to join %(organization)s",
        number,
    )
    return {
        "subject": one if number == 1 else many % values,
        "text": _("They have an address at one of your domains. Grant the request or dismiss it."),
        "quote": "",
        "link": f"{conf().url}{reverse('guestlist:join_requests', args=[organization.slug])}",
        "label": _("Show the requests"),
    }


def _webhook_off(delivery: Delivery) -> dict[str, Any]:
    """Its address is not shown, for a mail program would turn it into a link."""
    why = {
        WhyOff.GONE: _("Its receiver answered that it is gone for good (410)."),
        WhyOff.FAILING: _("Its receiver took nothing for a whole day."),
    }
    text = _(
        "What it had not been sent by then is not sent any more. Look at what was answered, and turn it on."
    )
    description = delivery.content.get("description") or ""
    page = reverse("guestlist:webhook", args=[delivery.organization.slug, delivery.content.get("webhook")])
    return {
        "subject": _("%(organization)s: a webhook was turned off")
        % {"organization": _organization(delivery)},
        "text": f"{why.get(delivery.content.get('why'), '')} {text}".strip(),
        "quote": _shown(description, otherwise="") if description else "",
        "link": f"{conf().url}{page}",
        "label": _("Show the webhook"),
    }


_VALUES: dict[Kind, Callable[[Delivery], dict[str, Any]]] = {
    Kind.INVITATION: _invitation,
    Kind.REMINDER: _reminder,
    Kind.ASKED: _asked,
    Kind.DECLINED: _declined,
    Kind.DIGEST: _digest,
    Kind.TEST: _test,
    Kind.DOMAIN_CODE: _domain_code,
    Kind.JOIN_REQUEST: _join_request,
    Kind.WEBHOOK_OFF: _webhook_off,
}
_TEMPLATES = {Kind.ASKED: "news", Kind.DECLINED: "news", Kind.JOIN_REQUEST: "news"}


def _organization(delivery: Delivery) -> str:
    return _shown(delivery.organization.name, otherwise=delivery.organization.slug)


def _news_values(delivery: Delivery) -> dict[str, str]:
    return {"email": delivery.invitation.email, "organization": _organization(delivery)}


def _list_url(delivery: Delivery, status: str, text: str = "") -> str:
    path = reverse("guestlist:invitations", args=[delivery.organization.slug])
    return f"{conf().url}{path}?{urlencode({'status': status} | ({'q': text} if text else {}))}"


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
