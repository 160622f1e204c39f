"""Members: who is in, and what they may do."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import members
from guestlist.actions.member_batches import MemberSelection
from guestlist.actions.member_export import HEADER, export_members
from guestlist.models import Membership, Role
from guestlist.models.fields import as_uuid, id_of
from guestlist.models.membership import NEEDS_ROLE
from guestlist.permissions import Permission
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.confirm import confirm
from guestlist.web.csv_export import csv_answer
from guestlist.web.invite_form import invite_form
from guestlist.web.member_list import member_list
from guestlist.web.toasts import done


@require_safe
@member_page(Permission.MEMBER_MANAGE)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only its changing parts for htmx."""
    context = member_list(request, visit) | {"shell": shell(visit)}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "guestlist/_members_answer.html", context)
    context["invite"] = invite_form(visit.organization)
    return render(request, "guestlist/members.html", context)


@require_POST
@member_page(Permission.MEMBER_MANAGE)
def change_role(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """Give the role at once; the answer offers to undo it."""
    chosen = request.POST.get("role") or None
    if chosen and as_uuid(chosen) is None:
        raise errors.UnknownRole
    before = (
        Membership.objects.filter(organization=visit.organization, pk=member_id)
        .values_list("role", flat=True)
        .first()
    )
    member = members.change_role(
        actor=visit.actor, organization=visit.organization, member_id=member_id, role_id=chosen
    )
    text = (
        _("%(name)s is now %(role)s.") % {"name": member.name, "role": member.role.name}
        if member.role
        else _("%(name)s has no role now.") % {"name": member.name}
    )
    undo = {"label": _("Undo"), "action": request.path, "fields": [("role", before)]} if before else None
    return done(request, _members_url(visit), {"kind": "ok", "text": text, "undo": undo})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.MEMBER_MANAGE)
def remove(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """Ask, then remove."""
    organization = visit.organization
    if request.method == "POST":
        gone = members.remove_member(actor=visit.actor, organization=organization, member_id=member_id)
        text = _("%(name)s was removed.") % {"name": gone.name}
        return done(request, _members_url(visit), {"kind": "ok", "text": text})
    stopping = members.what_stops(
        actor=visit.actor, organization=organization, selection=MemberSelection(ids=[str(member_id)])
    )
    member = Membership.objects.get(pk=member_id)
    names = {"name": member.name or member.email, "organization": organization.name}
    parts = [
        _("%(name)s loses access to %(organization)s at once.") % names,
        str(stopping),
        _("Their past activity stays in the audit log."),
    ]
    return _ask_to_remove(request, visit, _("Remove %(name)s?") % names, parts, _("Remove"), [])


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.MEMBER_MANAGE)
def remove_selected(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask, then remove who was selected."""
    selection, organization = _selection(request), visit.organization
    if request.method == "POST":
        result = members.remove_members(actor=visit.actor, organization=organization, selection=selection)
        return done(request, _members_url(visit), {"kind": "ok", "text": str(result)})
    stopping = members.what_stops(actor=visit.actor, organization=organization, selection=selection)
    number = stopping.members
    title = ngettext("Remove %d member?", "Remove %d members?", number) % number
    parts = [
        _("They lose access to %(organization)s at once.") % {"organization": organization.name},
        str(stopping),
        _("Their past activity stays in the audit log."),
    ]
    button = ngettext("Remove %d", "Remove %d", number) % number
    return _ask_to_remove(request, visit, title, parts, button, _fields(selection))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.MEMBER_MANAGE)
def change_role_of_selected(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask which role, then give it to those who were selected."""
    selection, organization = _selection(request), visit.organization
    if request.method == "POST":
        result = members.change_roles(
            actor=visit.actor,
            organization=organization,
            selection=selection,
            role_id=_chosen_role(request),
        )
        return done(request, _members_url(visit), {"kind": "ok", "text": str(result)})
    selection.check()
    number = selection.rows(organization).count()
    title = ngettext("Change the role of %d member?", "Change the role of %d members?", number) % number
    context = {
        "title": title,
        "body": _(
            "The new role counts at once. Your own role stays, and so do those beyond your permissions."
        ),
        "label": _("Role"),
        "choices": [
            ("", _("Choose a role"), False),
            *_role_choices(visit),
            (NEEDS_ROLE, _("No role"), False),
        ],
        "chosen": "",
        "fields": _fields(selection),
        "button": _("Change Role"),
    }
    return _ask_for_a_role(request, visit, context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.MEMBER_MANAGE)
def transfer(request: HttpRequest, visit: Visit, member_id: UUID) -> HttpResponse:
    """Ask, then make the member an owner in place of the visitor."""
    organization = visit.organization
    if request.method == "POST":
        role_id = _chosen_role(request)
        owner = members.transfer_ownership(
            actor=visit.actor, organization=organization, member_id=member_id, role_id=role_id
        )
        text = _("%(name)s is an owner now, and you are none any more.") % {"name": owner.name or owner.email}
        # Whoever manages no members any more has no list to come back to.
        url = reverse("guestlist:organization", args=[organization.slug])
        if request.htmx:  # type: ignore[attr-defined]
            messages.success(request, text)
            return HttpResponse(headers={"HX-Redirect": url})
        return done(request, url, {"kind": "ok", "text": text})
    member = members.successor(actor=visit.actor, organization=organization, member_id=member_id)
    names = {"name": member.name or member.email, "organization": organization.name}
    choices = [(value, name, False) for value, name, _above in _role_choices(visit, fixed=False)]
    body = _(
        "%(name)s becomes an owner of %(organization)s, with every permission. You stop being one and keep "
        "the role below; only an owner can make you one again."
    )
    context = {
        "title": _("Transfer ownership to %(name)s?") % names,
        "body": body % names,
        "label": _("Your role from now on"),
        "choices": [*choices, (NEEDS_ROLE, _("No role"), False)],
        "chosen": next((value for value, name, _above in choices if name == "Admin"), NEEDS_ROLE),
        "fields": [],
        "button": _("Transfer Ownership"),
    }
    return _ask_for_a_role(request, visit, context)


@require_safe
@member_page(Permission.MEMBER_MANAGE)
def export(request: HttpRequest, visit: Visit) -> StreamingHttpResponse:
    """The list as the filter, the search and the sorting of its address have it, whole."""
    role, q, sort = (request.GET.get(name, "") for name in ("role", "q", "sort"))
    rows = export_members(
        actor=visit.actor, organization=visit.organization, role=role, q=q, sort=sort or "name"
    )
    return csv_answer(f"{visit.organization.slug}-members.csv", HEADER, rows)


def _selection(request: HttpRequest) -> MemberSelection:
    given = request.POST if request.method == "POST" else request.GET
    if given.get("all"):
        return MemberSelection(matching=True, role=given.get("role", ""), q=given.get("q", ""))
    return MemberSelection(ids=given.getlist("ids"))


def _fields(selection: MemberSelection) -> list[tuple[str, str]]:
    if selection.matching:
        return [("all", "1"), ("role", selection.role), ("q", selection.q)]
    return [("ids", pk) for pk in selection.ids]


def _chosen_role(request: HttpRequest) -> UUID | None:
    """None for no role; what is no id is nobody's."""
    text = request.POST.get("new_role", "")
    return None if text == NEEDS_ROLE else id_of(text)


def _role_choices(visit: Visit, *, fixed: bool = True) -> list[tuple[str, str, bool]]:
    """Id, name, and whether it holds more than the visitor's own role."""
    roles = Role.objects.filter(organization=visit.organization).order_by("pk")
    held = visit.membership.permissions
    return [
        (str(role.pk), role.name, not role.permission_set <= held)
        for role in roles
        if fixed or not role.fixed
    ]


def _ask_to_remove(
    request: HttpRequest,
    visit: Visit,
    title: str,
    parts: list[str],
    button: str,
    fields: list[tuple[str, str]],
) -> HttpResponse:
    context = {
        "title": title,
        "body": " ".join(filter(None, parts)),
        "action": request.path,
        "fields": fields,
        "button": button,
        "cancel_url": _members_url(visit),
        "danger": True,
        "current": "members",
    }
    return confirm(request, visit, context)


def _ask_for_a_role(request: HttpRequest, visit: Visit, context: dict[str, Any]) -> HttpResponse:
    context |= {"action": request.path, "cancel_url": _members_url(visit)}
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "guestlist/_choose_role.html", context)
    return render(request, "guestlist/choose_role.html", context | {"shell": shell(visit)})


def _members_url(visit: Visit) -> str:
    return reverse("guestlist:members", args=[visit.organization.slug])
