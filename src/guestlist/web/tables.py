"""Lists whose state is in the address: `?status=&q=&sort=&page=`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from guestlist.models.fields import NOTHING
from guestlist.models.listing import COUNT_LIMIT, Listing, Page

M = TypeVar("M", bound=models.Model)
PAGE_SIZE = 50
LAST_NUMBERED = COUNT_LIMIT // PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a list: its path and the part of the query that says what is shown."""

    path: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, request: HttpRequest, path: str, names: Iterable[str]) -> "Address":
        """What the request says of `names`."""
        return cls(path, {name: request.GET[name] for name in names if request.GET.get(name)})

    def __call__(self, **changes: object) -> str:
        """The address with some values changed; an empty value leaves it out."""
        values = {**self.values, **{name: str(value or "") for name, value in changes.items()}}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{self.path}?{query}" if query else self.path


def columns(
    address: Address, sort: str, names: Mapping[str, str], wide: Sequence[str]
) -> list[dict[str, Any]]:
    """Headers: a click sorts, a second one reverses."""
    current = sort.removeprefix("-")
    return [
        {
            "key": key,
            "label": label,
            "url": address(sort=f"-{key}" if sort == key else key, page=None),
            "direction": (key == current or None) and ("descending" if sort.startswith("-") else "ascending"),
            "class": "only-wide" if key in wide else "c-main" if index == 0 and wide else "",
        }
        for index, (key, label) in enumerate(names.items())
    ]


@dataclass(frozen=True, slots=True)
class Shown(Generic[M]):
    """The rows of one page, and the pager under them."""

    rows: Sequence[M]
    pager: dict[str, Any]


def shown(request: HttpRequest, listing: Listing[M], address: Address, total: int) -> Shown[M]:
    """The page that the request asks for: numbered up to 10,000 rows, by cursor beyond."""
    if cursor := request.GET.get("after"):
        return _by_cursor(listing.after(cursor, PAGE_SIZE), address, total)
    if cursor := request.GET.get("before"):
        return _by_cursor(listing.before(cursor, PAGE_SIZE), address, total)
    last = max(1, min(LAST_NUMBERED, -(-total // PAGE_SIZE)))
    number = min(_number(request.GET.get("page")), last)
    page = listing.numbered(number, PAGE_SIZE)
    first = (number - 1) * PAGE_SIZE
    pager: dict[str, Any] = {
        "first": f"{first + 1:,}",
        "last": f"{first + len(page.items):,}",
        "total": count(total),
        "previous_url": address(page=number - 1 if number > 2 else None) if number > 1 else None,
        "next_url": page.next_cursor and _next(address, number, page),
        "pages": [] if total > COUNT_LIMIT or last == 1 else _numbers(address, number, last),
    }
    return Shown(page.items, pager)


def row_addresses(slug: str, **names: str) -> Callable[[UUID], dict[str, str]]:
    """A function from the id of a row to its addresses in that organization, each known by what it is called
    here: `row_addresses("northwind", details_url="guestlist:member")`.
    """
    placeholder = str(NOTHING)
    parts = {key: reverse(name, args=[slug, placeholder]).split(placeholder) for key, name in names.items()}

    def addresses(pk: UUID) -> dict[str, str]:
        text = str(pk)
        return {key: text.join(around) for key, around in parts.items()}

    return addresses


def count(number: int) -> str:
    """`8,412`, and `10,000+` where counting stopped."""
    return f"{COUNT_LIMIT:,}+" if number > COUNT_LIMIT else f"{number:,}"


def _next(address: Address, number: int, page: Page[Any]) -> str:
    return address(page=None, after=page.next_cursor) if number == LAST_NUMBERED else address(page=number + 1)


def _by_cursor(page: Page[M], address: Address, total: int) -> Shown[M]:
    # Behind page 200 nobody has counted the rows in front.
    pager: dict[str, Any] = {
        "first": "…",
        "last": "…",
        "total": count(total),
        "previous_url": page.previous_cursor and address(page=None, before=page.previous_cursor),
        "next_url": page.next_cursor and address(page=None, after=page.next_cursor),
        "pages": [],
    }
    return Shown(page.items, pager)


def _numbers(address: Address, number: int, last: int) -> list[dict[str, Any] | None]:
    near = sorted({1, last, *range(max(1, number - 1), min(last, number + 1) + 1)})
    pages: list[dict[str, Any] | None] = []
    for previous, shown_number in zip([0, *near], near, strict=False):
        if shown_number > previous + 1:
            pages.append(None)
        url = address(page=shown_number if shown_number > 1 else None)
        pages.append({"number": shown_number, "url": url, "current": shown_number == number})
    return pages


def _number(text: str | None) -> int:
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 9 else 1
