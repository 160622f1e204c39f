"""A join link's own page. Reading it changes nothing and writes no session."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from guestlist import errors
from guestlist.actions import join_links
from guestlist.actions.guesses import count_guess
from guestlist.conf import conf
from guestlist.models import JoinLink, Membership
from guestlist.models.join_link import State
from guestlist.web.access import actor_of, origin
from guestlist.web.dates import last_day
from guestlist.web.errors import with_retry_after
from guestlist.web.link import link_page, sign_in_url


def _show(request: HttpRequest, join_link: JoinLink, token: str) -> HttpResponse:
    """The offer; a POST joins, or mails an invitation to the address that was typed."""
    if _is_member(request, join_link):
        return redirect("guestlist:organization", join_link.organization.slug)
    try:
        if join_link.state_now != State.ON:
            return _closed(request, join_link)
        if request.method != "POST":
            return _offer(request, join_link)
        if "email" in request.POST:
            return _mail(request, join_link, token)
        return _join(request, join_link)
    except errors.RemovedBefore as error:
        return _page(request, join_link, "removed", status=error.status, refusal=str(error))
    except errors.JoinLinkClosed:
        return _closed(request, join_links.find_join_link(token=token))


show = link_page(_show, join_links.find_join_link)


def _join(request: HttpRequest, join_link: JoinLink) -> HttpResponse:
    actor = actor_of(request)
    if actor.type != "user":
        return _offer(request, join_link, status=403)
    try:
        member = join_links.join_by_link(actor=actor, join_link=join_link).membership
    except (errors.NoFittingAddress, errors.DomainNotAllowed) as error:
        return _offer(request, join_link, refusal=str(error), status=error.status)
    messages.success(request, _("Welcome to %(name)s.") % {"name": member.organization.name})
    return redirect("guestlist:organization", member.organization.slug)


def _mail(request: HttpRequest, join_link: JoinLink, token: str) -> HttpResponse:
    email = request.POST["email"].strip()[:1000]
    try:
        # Every try counts for its network, whatever becomes of it.
        count_guess(ip=origin(request).ip)
        join_links.invite_by_link(origin=origin(request), join_link=join_link, email=email)
    except (errors.AddressInvalid, errors.LinkForDomains) as error:
        return _offer(request, join_link, email=email, error=str(error), status=error.status)
    except (errors.JoiningNeedsEmail, errors.LimitReached) as error:
        answer = _offer(request, join_link, email=email, refusal=str(error), status=error.status)
        return with_retry_after(answer, error)
    # Whatever became of it, so that nobody learns whose address it is.
    messages.success(request, _("If this address can join, mail is on its way to it."))
    return redirect("guestlist:join_link_page", token)


def _offer(request: HttpRequest, join_link: JoinLink, *, status: int = 200, **shown: Any) -> HttpResponse:
    actor = actor_of(request)
    fitting = join_links.standing(actor=actor, join_link=join_link)
    context = {"email": "", "error": "", "refusal": "", "fitting": fitting, "domains": join_link.domains}
    context |= {"signed_in_name": actor.name, "signed_in_email": actor.email}
    context |= {"expires": last_day(join_link.expires_at), "by_mail": conf().email_sending != "off"}
    state = "ready" if fitting else "box"
    return _page(request, join_link, state, status=status, **context | shown)


def _closed(request: HttpRequest, join_link: JoinLink) -> HttpResponse:
    return _page(request, join_link, join_link.state_now, status=410)


def _page(
    request: HttpRequest, join_link: JoinLink, state: str, *, status: int, **shown: Any
) -> HttpResponse:
    signed_in = request.user.is_authenticated
    context = {
        "state": state,
        "organization": join_link.organization,
        "sign_in_url": None if signed_in else sign_in_url(request),
    }
    return render(request, "guestlist/join.html", context | shown, status=status)


def _is_member(request: HttpRequest, join_link: JoinLink) -> bool:
    if not request.user.is_authenticated:
        return False
    own = Membership.objects.active().filter(organization=join_link.organization, user=request.user.pk)
    return own.exists()
