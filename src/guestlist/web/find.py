"""Find your organization: those that one’s own address opens."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from guestlist import errors
from guestlist.actions.guesses import count_guess
from guestlist.actions.openings import ask_by_domain, join_by_domain, knock, open_to
from guestlist.addresses import parse_items
from guestlist.conf import conf
from guestlist.web.access import actor_of, origin, personal_shell, signed_in_page
from guestlist.web.link import sign_in_url


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Signed in: what one’s verified addresses open. Signed out: a box for an address, and one answer."""
    if request.user.is_authenticated:
        context = {"shell": personal_shell(actor_of(request)), "openings": openings(request)}
        return render(request, "guestlist/find_own.html", context)
    return _knock(request) if request.method == "POST" else _box(request)


@require_POST
@signed_in_page
def join(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    """Join, by an address at the domain."""
    try:
        member = join_by_domain(actor=actor_of(request), domain_id=domain_id)
    except errors.NotFound:
        raise
    except errors.GuestlistError as error:
        return _refused(request, error)
    messages.success(request, _("Welcome to %(name)s.") % {"name": member.organization.name})
    return redirect("guestlist:organization", member.organization.slug)


@require_POST
@signed_in_page
def ask(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    """Ask to be let in, by an address at the domain."""
    try:
        waiting = ask_by_domain(actor=actor_of(request), domain_id=domain_id)
    except errors.NotFound:
        raise
    except errors.GuestlistError as error:
        return _refused(request, error)
    text = _("You have asked to join %(name)s. You get an email when somebody there lets you in.")
    messages.success(request, text % {"name": waiting.organization.name})
    return redirect("guestlist:find_organization")


def openings(request: HttpRequest) -> list[dict[str, Any]]:
    """The context of `_open_to_you.html`."""
    return [
        {
            "organization": each.organization.name,
            "email": each.key,
            "waiting": each.waiting,
            "joins": each.joins,
            "url": reverse(
                "guestlist:join_by_domain" if each.joins else "guestlist:ask_by_domain", args=[each.domain.pk]
            ),
        }
        for each in open_to(actor=actor_of(request))
    ]


def _knock(request: HttpRequest) -> HttpResponse:
    """Every try counts for its network, whatever the address opens."""
    count_guess(ip=origin(request).ip)
    typed = request.POST.get("email", "").strip()
    found = parse_items([typed[:1000]]).addresses
    if len(found) != 1:
        return _box(request, email=typed, error=str(errors.AddressInvalid(email=typed[:100])), status=422)
    knock(address=found[0], origin=origin(request))
    return _box(request, sent=True)


def _box(request: HttpRequest, *, status: int = 200, **shown: Any) -> HttpResponse:
    blank = {"email": "", "error": "", "sent": False, "sign_in_url": sign_in_url(request)}
    blank |= {"by_mail": conf().email_sending != "off"}
    return render(request, "guestlist/find.html", blank | shown, status=status)


def _refused(request: HttpRequest, error: errors.GuestlistError) -> HttpResponse:
    messages.error(request, str(error))
    return redirect("guestlist:find_organization")
