"""`/setup/<code>`: the first owner of the server, or of an organization made by command."""

from typing import Any

from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guestlist import errors
from guestlist.actions import organizations
from guestlist.actions.guesses import count_guess
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.models import Organization, SetupLink
from guestlist.web.access import origin
from guestlist_server.accounts.forms import OwnerForm, PasswordForm
from guestlist_server.accounts.sign_up import create_verified_user


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form, or use the link up. A dead link says so."""
    try:
        link = organizations.find_setup_link(code=code)
        if link.organization and _has_account(link):
            return _owner_with_account(request, link, code)
        return _new_owner(request, link, code)
    except errors.SetupLinkDead:
        count_guess(ip=origin(request).ip)
        return render(request, "setup_dead.html", status=410)


def _new_owner(request: HttpRequest, link: SetupLink, code: str) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = PasswordForm(data, address=link.email) if link.organization else OwnerForm(data)
    if data is None or not form.is_valid():
        return _form(request, link, code, form)
    try:
        with transaction.atomic():
            organizations.claim_setup_link(code=code)
            values = form.cleaned_data
            user = create_verified_user(values["email"], values["name"], values["password"])
            organization = _own(request, link, user, values)
    except errors.SlugTaken as error:
        form.add_error("slug", str(error))
        return _form(request, link, code, form)
    auth.login(request, user)
    return _done(organization)


def _owner_with_account(request: HttpRequest, link: SetupLink, code: str) -> HttpResponse:
    """The operator vouches for the address, but only its owner, signed in, takes the organization."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if not _owns(request.user, link):
        context = {"email": link.email, "mine": request.user.email, "next": request.path}
        return render(request, "setup_wrong_account.html", context, status=403)
    if request.method != "POST":
        return _form(request, link, code, None)
    with transaction.atomic():
        organizations.claim_setup_link(code=code)
        organization = _own(request, link, request.user, {})
    return _done(organization)


def _own(request: HttpRequest, link: SetupLink, user: Any, values: dict[str, Any]) -> Organization:
    actor = Actor.user(user, origin=origin(request))
    if link.organization:
        organizations.make_first_owner(actor=actor, organization=link.organization)
        return link.organization
    return organizations.create_organization(
        actor=actor, name=values["organization"], slug=values["slug"], owner=user, first_run=True
    )


def _has_account(link: SetupLink) -> bool:
    return bool(conf().addresses.owners([comparison_key(link.email) or ""]))


def _owns(user: Any, link: SetupLink) -> bool:
    keys = {comparison_key(email) for email in conf().addresses.verified_addresses(user)}
    return comparison_key(link.email) in keys


def _form(request: HttpRequest, link: SetupLink, code: str, form: PasswordForm | None) -> HttpResponse:
    context = {
        "kind": "organization" if link.organization else "first_run",
        "organization": link.organization,
        "email": link.email,
        "form": form,
        "code": code,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "first_run.html", context, status=status)


def _done(organization: Organization) -> HttpResponse:
    return redirect("guestlist:invitations", organization.slug)
