"""Roles: what members may do."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guestlist import errors
from guestlist.actions import roles
from guestlist.models import Role
from guestlist.models.fields import as_uuid
from guestlist.permissions import Permission, permission_label
from guestlist.web.access import Visit, member_page, shell
from guestlist.web.permission_boxes import boxes, in_words
from guestlist.web.tables import Address, columns, count
from guestlist.web.toasts import done

NONE = "none"
ORDERS: dict[str, Callable[[tuple[Role, int]], Any]] = {
    "name": lambda counted: counted[0].name.casefold(),
    "members": lambda counted: counted[1],
}
REFUSALS = (
    errors.NameEmpty,
    errors.NameHasLink,
    errors.RoleNameTaken,
    errors.UnknownPermission,
    errors.AboveOwnRole,
    errors.TooManyRoles,
)


@require_safe
@member_page(Permission.ROLE_READ)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list, or only the table for htmx."""
    context = _list(request, visit) | {"shell": shell(visit)}
    whole = not request.htmx or request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "guestlist/roles.html" if whole else "guestlist/_roles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.ROLE_CREATE)
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form, and creating. What was typed stays."""
    name, chosen = _typed(request)
    if request.method != "POST":
        return _form(request, visit, None, name, chosen)
    try:
        role = roles.create_role(
            actor=visit.actor, organization=visit.organization, name=name, permissions=chosen
        )
    except REFUSALS as error:
        return _form(request, visit, None, name, chosen, error)
    messages.success(request, _("The role %(name)s was created.") % {"name": role.name})
    return redirect(_back_url(visit))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.ROLE_READ)
def show(request: HttpRequest, visit: Visit, role_id: UUID) -> HttpResponse:
    """What a role allows: a form for those who may change it. What was typed stays."""
    role = roles.find_role(visit.organization, role_id)
    if request.method != "POST":
        return _form(request, visit, role, role.name, role.permission_set)
    name, chosen = _typed(request)
    try:
        role = roles.update_role(
            actor=visit.actor,
            organization=visit.organization,
            role_id=role_id,
            name=name,
            permissions=chosen,
        )
    except REFUSALS as error:
        return _form(request, visit, role, name, chosen, error)
    messages.success(request, _("The role %(name)s was saved.") % {"name": role.name})
    # Whoever took it from themselves may not see the roles any more.
    kept = visit.membership.role_id != role.pk or Permission.ROLE_READ in role.permission_set
    return redirect(_back_url(visit) if kept else _url("organization", visit))


@require_POST
@member_page(Permission.ROLE_CREATE)
def duplicate(request: HttpRequest, visit: Visit, role_id: UUID) -> HttpResponse:
    """Make a copy and open it."""
    copy = roles.duplicate_role(actor=visit.actor, organization=visit.organization, role_id=role_id)
    messages.success(request, _("The role %(name)s was created.") % {"name": copy.name})
    return redirect(_url("role", visit, copy.pk) if visit.can(Permission.ROLE_READ) else _back_url(visit))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.ROLE_DELETE)
def delete(request: HttpRequest, visit: Visit, role_id: UUID) -> HttpResponse:
    """Ask which role its members get, then delete."""
    if request.method != "POST":
        return _question(request, visit, role_id)
    try:
        role = roles.delete_role(
            actor=visit.actor,
            organization=visit.organization,
            role_id=role_id,
            successor_id=_chosen_successor(request.POST.get("successor", "")),
        )
    except (errors.RoleHasMembers, errors.UnknownRole) as error:
        if request.htmx:  # type: ignore[attr-defined]
            raise
        return _question(request, visit, role_id, error)
    text = _("The role %(name)s was deleted.") % {"name": role.name}
    return done(request, _back_url(visit), {"kind": "ok", "text": text})


def _url(name: str, visit: Visit, *ids: UUID) -> str:
    return reverse(f"guestlist:{name}", args=[visit.organization.slug, *ids])


def _back_url(visit: Visit) -> str:
    return _url("roles" if visit.can(Permission.ROLE_READ) else "organization", visit)


def _typed(request: HttpRequest) -> tuple[str, list[str]]:
    return request.POST.get("name", "").strip(), request.POST.getlist("permissions")


def _chosen_successor(text: str) -> Any:
    if not text:
        return roles.UNDECIDED
    if text == NONE:
        return None
    if found := as_uuid(text):
        return found
    raise errors.UnknownRole


def _why_not(visit: Visit, role: Role, permission: Permission) -> str | None:
    """Why the role can't be changed or deleted by the visitor; the actions refuse the same."""
    if not visit.can(permission):
        needed = permission_label(permission)
        return str(errors.NotAllowed(permission=needed, organization=visit.organization.name))
    return str(errors.FixedRole(role=role.name)) if role.fixed else _above(visit, role)


def _above(visit: Visit, role: Role) -> str | None:
    return None if role.permission_set <= visit.membership.permissions else str(errors.AboveOwnRole())


def _list(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    address, sort = Address.of(request, _url("roles", visit), ("sort",)), request.GET.get("sort", "")
    counted = roles.list_roles(visit.organization)
    if sort:
        order = ORDERS.get(sort.removeprefix("-"))
        if order is None:
            raise errors.InvalidFilter(value=sort, choices=", ".join(ORDERS))
        counted.sort(key=order, reverse=sort.startswith("-"))
    return {
        "columns": columns(address, sort, {"name": _("Name"), "members": _("Members")}, (NONE,)),
        "rows": [_row(visit, role, members) for role, members in counted],
        "self_url": address(),
        "can_create": visit.can(Permission.ROLE_CREATE),
        "can_update": visit.can(Permission.ROLE_UPDATE),
        "can_delete": visit.can(Permission.ROLE_DELETE),
    }


def _row(visit: Visit, role: Role, members: int) -> dict[str, Any]:
    members_url = f"{_url('members', visit)}?role={role.pk}"
    return {
        "id": str(role.pk),
        "name": role.name,
        "own": role.pk == visit.membership.role_id,
        "members": _members(members),
        "members_url": members_url if visit.can_manage_members else None,
        "permissions": in_words(role.permission_set),
        "url": _url("role", visit, role.pk),
        "duplicate_url": _url("duplicate_role", visit, role.pk),
        "delete_url": _url("delete_role", visit, role.pk),
        "duplicate_disabled_reason": _above(visit, role),
        "update_disabled_reason": _why_not(visit, role, Permission.ROLE_UPDATE),
        "delete_disabled_reason": _why_not(visit, role, Permission.ROLE_DELETE),
    }


def _members(total: int) -> str:
    return ngettext("%(total)s member", "%(total)s members", total) % {"total": count(total)}


def _form(
    request: HttpRequest,
    visit: Visit,
    role: Role | None,
    name: str,
    chosen: Collection[str],
    error: errors.GuestlistError | None = None,
) -> HttpResponse:
    reason = role and _why_not(visit, role, Permission.ROLE_UPDATE)
    members = dict(roles.list_roles(visit.organization)).get(role, 0) if role else 0
    context = {
        "shell": shell(visit),
        "role": role and {"name": role.name, "fixed": role.fixed, "url": _url("role", visit, role.pk)},
        "own": role is not None and role.pk == visit.membership.role_id,
        "reason": reason,
        "members": members and _affected(members),
        "name": name,
        "groups": boxes(visit.membership.permissions, chosen),
        "back_url": _back_url(visit),
        "errors": {error.field or "all": str(error)} if error else {},
    }
    return render(request, "guestlist/role.html", context, status=error.status if error else 200)


def _affected(total: int) -> str:
    sentence = ngettext(
        "%(total)s member has this role. What you change acts at once.",
        "%(total)s members have this role. What you change acts at once.",
        total,
    )
    return sentence % {"total": count(total)}


def _question(
    request: HttpRequest, visit: Visit, role_id: UUID, error: errors.GuestlistError | None = None
) -> HttpResponse:
    role = roles.find_role(visit.organization, role_id)
    if role.fixed:
        raise errors.FixedRole(role=role.name)
    if _above(visit, role):
        raise errors.AboveOwnRole
    counted = roles.list_roles(visit.organization)
    members = dict(counted)[role]
    context = {
        "title": _("Delete the role %(name)s?") % {"name": role.name},
        "body": _consequence(members),
        "action": request.path,
        "members": members,
        "for_new_members": visit.organization.new_member_role_id == role.pk,
        "successors": [
            {"id": str(other.pk), "name": other.name, "disabled": bool(_above(visit, other))}
            for other, _count in counted
            if other != role
        ],
        "cancel_url": _back_url(visit),
        "error": str(error) if error else "",
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "guestlist/_role_delete.html", context)
    status = error.status if error else 200
    return render(request, "guestlist/role_delete.html", context | {"shell": shell(visit)}, status=status)


def _consequence(members: int) -> str:
    if not members:
        return _("Nobody has this role. It can’t be brought back.")
    sentence = ngettext(
        "%(total)s member has this role and loses at once what it allows. It can’t be brought back.",
        "%(total)s members have this role and lose at once what it allows. It can’t be brought back.",
        members,
    )
    return sentence % {"total": count(members)}
