"""Lists: a page at a time behind a cursor."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from guestlist import errors
from guestlist.api.bodies import Search, answer, rows_answer
from guestlist.models.listing import COUNT_LIMIT, Columns, Listing, Page, capped_counts
from guestlist.models.prepared import Prepared, in_plain

T = TypeVar("T")


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
    total: int | None = None,
) -> HttpResponse:
    """One page of `rows`, each as `show` says it. How many there are is counted, unless it is known to be
    `total`; it is exact up to 10,000, then null.

    Raises InvalidFilter, InvalidCursor.
    """
    page = _page(Listing.of(rows, columns, sort), query)
    total = capped_counts([rows])[0] if total is None else total
    return answer(
        {
            "items": [show(row) for row in page.items],
            "next_cursor": page.next_cursor,
            "total": total if total <= COUNT_LIMIT else None,
        }
    )


def plain_page(
    listing: Callable[..., Listing[Any]],
    shape: tuple[Hashable, ...],
    selected: Sequence[str],
    show: Callable[..., dict[str, Any]],
    query: ListQuery,
    total: int,
    **values: Any,
) -> HttpResponse:
    """The same of a list that is asked often: what `listing(*shape)` selects is turned into SQL once, with a
    `Bind` for each of `values`, and `show` takes the `selected` columns as they are shown.

    Raises InvalidFilter, InvalidCursor.
    """
    kept, statement = _statement(listing, shape, tuple(selected), query.limit, bool(query.cursor))
    if query.cursor:
        values["value"], values["pk"] = kept.read(query.cursor)
    rows = _unless_forged(lambda: statement.plain(**values), query)
    has_more, rows = len(rows) > query.limit, rows[: query.limit]
    return rows_answer(
        {
            "items": [show(*row[:-2]) for row in rows],
            "next_cursor": kept.cursor(str(rows[-1][-2]), rows[-1][-1]) if has_more else None,
            "total": total if total <= COUNT_LIMIT else None,
        }
    )


@lru_cache(500)
def _statement(
    listing: Callable[..., Listing[Any]],
    shape: tuple[Hashable, ...],
    selected: Sequence[str],
    size: int,
    beyond: bool,
) -> tuple[Listing[Any], Prepared]:
    kept = listing(*shape)
    rows = kept.to_prepare(size, beyond=beyond)
    return kept, Prepared(lambda: in_plain(rows, *selected, "sort_value", "pk"))


def _page(listing: Listing[Any], query: ListQuery) -> Page[Any]:
    return _unless_forged(lambda: listing.after(query.cursor or None, query.limit), query)


def _unless_forged(read: Callable[[], T], query: ListQuery) -> T:
    try:
        return read()
    except (ValueError, OverflowError, DataError) as error:
        # A forged cursor can hold values that read well and that the database can't take.
        if not query.cursor:
            raise
        raise errors.InvalidCursor from error
