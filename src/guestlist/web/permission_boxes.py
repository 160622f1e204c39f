"""Permissions as forms offer them and as lists name them."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guestlist.permissions import (
    all_permissions,
    noun_label,
    permission_groups,
    permission_label,
    permission_sentence,
)

# A row names no more permissions than these.
MOST_NAMED = 2


def boxes(held: Collection[str], chosen: Collection[str]) -> list[dict[str, Any]]:
    """What `_permission_boxes.html` shows, group by group, to somebody who can give no more than `held`."""
    return [
        {
            "noun": noun,
            "label": noun_label(noun),
            "permissions": [
                {
                    "code": code,
                    "label": permission_label(code),
                    "sentence": permission_sentence(code),
                    "chosen": code in chosen,
                    "above": code not in held,
                }
                for code in codes
            ],
        }
        for noun, codes in permission_groups().items()
    ]


def in_words(held: frozenset[str]) -> str:
    """`All`, `None`, one or two by name, how many otherwise."""
    if not held:
        return _("None")
    if held == all_permissions():
        return _("All")
    if len(held) > MOST_NAMED:
        return ngettext("%(total)s permission", "%(total)s permissions", len(held)) % {"total": len(held)}
    return ", ".join(labels(held))


def labels(held: Collection[str]) -> list[str]:
    """Permissions by name, in the order of the page of a role."""
    return [
        permission_label(code) for codes in permission_groups().values() for code in codes if code in held
    ]
