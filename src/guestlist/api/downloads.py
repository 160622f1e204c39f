"""Lists as CSV, however long they are."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from guestlist.csv_lines import csv_lines

# What the documentation at /api/docs says of such an answer.
CSV: dict[str, Any] = {"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}}


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The rows as the file `name`; they are read while it is sent."""
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
