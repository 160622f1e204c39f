"""What the shell offers behind Tab: values that exist. It never fails, and never says why it has nothing."""

import os
import re
from collections.abc import Callable, Iterable

import typer
from django.conf import settings

from guestlist.models import Organization, Role
from guestlist.permissions import all_permissions

MOST = 200
Complete = Callable[[typer.Context, str], list[str]]
# A shell puts what it is offered into the line as it is: a name that it would run or split is left out.
_PLAIN = re.compile(r"-?\w[\w.@+-]*")


def choices(*values: str) -> Complete:
    """Always these."""
    return _completing(lambda context: values)


def sorts(*columns: str) -> Complete:
    """Columns to sort by; a hyphen in front reverses."""
    return choices(*columns, *(f"-{column}" for column in columns))


def _completing(found: Callable[[typer.Context], Iterable[str]]) -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            fitting = (each for each in found(ctx) if each.startswith(incomplete) and _PLAIN.fullmatch(each))
            return list(fitting)[:MOST]
        except Exception:  # whatever is wrong, somebody is in the middle of typing
            return []

    return complete


def _slugs(context: typer.Context) -> Iterable[str]:
    return Organization.objects.present().order_by("slug").values_list("slug", flat=True)


def _roles(context: typer.Context) -> Iterable[str]:
    """Behind an option without its value nothing has been understood yet, so the words are looked through."""
    words = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    slug = context.params.get("slug")
    rows = Role.objects.filter(organization__slug__in=[slug] if slug else words.split())
    return rows.order_by("name").values_list("name", flat=True)


def _permissions(context: typer.Context) -> Iterable[str]:
    return sorted(all_permissions())


def _languages(context: typer.Context) -> Iterable[str]:
    return (code for code, _name in settings.LANGUAGES)


organizations, roles, permissions, languages = map(_completing, (_slugs, _roles, _permissions, _languages))
