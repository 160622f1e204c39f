"""Settings of invitations: how long they last, where they may go, and which role people join with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from guestlist import errors
from guestlist.actions.invitation_settings import update_invitation_settings
from guestlist.actions.lifetimes import clean_lifetime
from guestlist.conf import conf
from guestlist.mail_domains import parse_patterns
from guestlist.models import Organization, Role
from guestlist.permissions import Permission
from guestlist.templating import format_duration
from guestlist.web.access import Visit, member_page, shell

FIELDS = ("lifetime", "unit", "allowed_domains", "denied_domains", "new_member_role")
NO_ERRORS = dict.fromkeys(FIELDS, "")
LONGEST_NUMBER = 10
_ROLE_ERRORS = (errors.UnknownRole, errors.OwnerNotForNewMembers, errors.AboveOwnRole)
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "lifetime": clean_lifetime,
    "allowed_domains": parse_patterns,
    "denied_domains": parse_patterns,
}


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.ORGANIZATION_UPDATE)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form; a POST saves."""
    if request.method != "POST":
        return _page(request, visit, _saved(visit.organization))
    typed = {name: request.POST.get(name, "") for name in FIELDS}
    wanted = {"lifetime": _lifetime(typed), **{name: typed[name] for name in FIELDS[2:4]}}
    found = _errors(wanted)
    if found:
        return _page(request, visit, typed, errors=found, status=422)
    try:
        organization = update_invitation_settings(
            actor=visit.actor,
            organization=visit.organization,
            new_member_role_id=typed["new_member_role"],
            **wanted,
        )
    except _ROLE_ERRORS as error:
        return _page(request, visit, typed, errors={"new_member_role": str(error)}, status=422)
    text = _("Settings saved.")
    if request.htmx:  # type: ignore[attr-defined]
        toast = {"kind": "ok", "text": text, "detail": "", "undo": None}
        return _page(request, visit, _saved(organization), toasts=[toast])
    messages.success(request, text)
    return redirect("guestlist:settings_invitations", visit.organization.slug)


def _page(
    request: HttpRequest,
    visit: Visit,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] = NO_ERRORS,
    toasts: Sequence[Mapping[str, Any]] = (),
    status: int = 200,
) -> HttpResponse:
    usual = conf().invitation_lifetime
    context = {
        "shell": shell(visit),
        "values": values,
        "errors": {**NO_ERRORS, **errors},
        "usual_lifetime": usual and format_duration(usual),
        "roles": _roles(visit, values["new_member_role"]),
        "toasts": toasts,
    }
    template = "_settings_invitations" if request.htmx else "settings_invitations"  # type: ignore[attr-defined]
    return render(request, f"guestlist/{template}.html", context, status=status)


def _roles(visit: Visit, chosen: str) -> list[dict[str, Any]]:
    """What can be chosen: every role but Owner, those beyond the member's own permissions for looking at."""
    rows = Role.objects.filter(organization=visit.organization, fixed=False).order_by("name", "pk")
    held, now = visit.membership.permissions, visit.organization.new_member_role_id
    return [
        {
            "id": str(role.pk),
            "name": role.name,
            "selected": str(role.pk) == chosen,
            # A browser does not send what is disabled, and what is set already may stay.
            "disabled": not role.permission_set <= held and role.pk != now,
        }
        for role in rows
    ]


def _saved(organization: Organization) -> dict[str, str]:
    """The settings as somebody would type them."""
    lifetime = organization.invitation_lifetime
    return {
        "lifetime": lifetime.rstrip("hd") if lifetime != "never" else "",
        "unit": lifetime if lifetime in ("", "never") else lifetime[-1],
        "allowed_domains": "\n".join(organization.allowed_domains),
        "denied_domains": "\n".join(organization.denied_domains),
        "new_member_role": str(organization.new_member_role_id or ""),
    }


def _lifetime(typed: Mapping[str, str]) -> str:
    """The number and its unit as one word; a number beside “for ever” is neither."""
    number, unit = typed["lifetime"].strip()[: LONGEST_NUMBER + 1], typed["unit"]
    if number.isdecimal():
        return f"{int(number)}{unit}"
    return number or (unit if unit == "never" else "")


def _errors(wanted: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field; the action refuses the same, one after the other."""
    found = {}
    for name, parse in _PARSERS.items():
        try:
            parse(wanted[name])
        except errors.GuestlistError as error:
            found[name] = str(error)
    return found
