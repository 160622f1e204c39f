"""Lists: a page at a time behind a cursor."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from guestlist import errors
from guestlist.api.bodies import Search, answer
from guestlist.models.listing import COUNT_LIMIT, Columns, Listing, Page, capped_counts


def sorting(columns: Iterable[str], default: str) -> Any:
    """The parameter `sort` of a list with these columns."""
    names = list(columns)
    said = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return Field(
        default,
        description=f"By {said}; `-` in front reverses.",
        json_schema_extra={"enum": [f"{sign}{name}" for name in names for sign in ("", "-")]},
    )


def choosing(values: Iterable[str], description: str) -> Any:
    """A parameter by which a list shows only what is one of `values`; all unless told."""
    names = list(values)
    return Field(
        "",
        description=f"{description}: {', '.join(names)}; all unless told.",
        json_schema_extra={"enum": ["", *names]},
    )


class ListQuery(BaseModel):
    """What every list takes in its address. Of a parameter given twice the last one counts."""

    model_config = ConfigDict(extra="forbid")

    q: Search = Field("", description="Only what holds this text.")
    limit: int = Field(50, ge=1, le=500, description="How many items to answer with.")
    cursor: str | None = Field(None, description="The `next_cursor` of the page before.", max_length=2000)


def _resource(row: Any) -> dict[str, Any]:
    resource: dict[str, Any] = row.as_resource()
    return resource


def list_page(
    request: HttpRequest,
    rows: "models.QuerySet[Any]",
    columns: Columns,
    sort: str,
    query: ListQuery,
    show: Callable[[Any], dict[str, Any]] = _resource,
) -> HttpResponse:
    """One page of `rows`, each as `show` says it. `total` is exact up to 10,000, then null.

    Raises InvalidFilter, InvalidCursor.
    """
    page = _page(Listing.of(rows, columns, sort), query)
    total = capped_counts([rows])[0]
    return answer(
        {
            "items": [show(row) for row in page.items],
            "next_cursor": page.next_cursor,
            "total": total if total <= COUNT_LIMIT else None,
        }
    )


def _page(listing: Listing[Any], query: ListQuery) -> Page[Any]:
    try:
        return listing.after(query.cursor or None, query.limit)
    except (ValueError, OverflowError, DataError) as error:
        # A forged cursor can hold values that read well and that the database can't take.
        if not query.cursor:
            raise
        raise errors.InvalidCursor from error
